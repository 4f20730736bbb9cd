"""The whole way on a small demonstration registry: import, fetch, process, publish, serve, and what happens the next day."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from iati_platform.pipeline.check import verify
from iati_platform.pipeline.house import House
from iati_platform.pipeline.refresh import refresh as run_cycle
from iati_platform.registry.importers import import_source

from .platforms import change_registry, client, house_of, iati, refresh, write_registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "registry")


def expectations(registry: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((registry / "expectations.json").read_text())["datasets"]
    return expected


def by_name(house: House) -> dict[str, dict[str, Any]]:
    generation = house.generations.current()
    assert generation is not None
    return {entry["short_name"]: entry for entry in generation.manifest["datasets"].values()}


def test_every_dataset_of_the_demonstration_ends_in_the_state_it_was_planted_for(tmp_path: Path) -> None:
    registry = write_registry(tmp_path / "registry", only=None)
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    summary = refresh(data)
    house = house_of(data)
    assert verify(house, hashes=True) == []
    found = by_name(house)
    registered = {dataset["short_name"] for dataset in json.loads((registry / "registry.json").read_text())["datasets"]}
    wrong = []
    for name, expected in expectations(registry).items():
        if name not in registered:
            continue
        entry = found.get(name)
        if expected["readable"]:
            want = {"content": expected["sha256"], "schema_valid": expected["schema_valid"], "indexed": expected["sha256"]}
            have = entry and {"content": entry["content"], "schema_valid": entry["header"]["schema_valid"], "indexed": entry["indexed"]}
        else:
            want, have = None, entry and entry["indexed"]
        if want != have:
            wrong.append((name, want, have))
    assert wrong == []
    assert summary["poison"] == [] and summary["failed_processing"] == []
    activities = sum(
        e["activities"] for n, e in expectations(registry).items() if e["readable"] and e["kind"] == "iati-activities" and n in registered
    )
    assert summary["totals"]["activities"] == activities


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_whole_way_and_the_next_day(engine: str, registry: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    settings = {"IATI_EXECUTOR": "inline"}
    if engine == "postgresql":
        settings["IATI_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    data = tmp_path / "data"
    house = house_of(data, **settings)
    import_source(house.engine, str(registry))
    first = run_cycle(house)
    assert verify(house, hashes=True) == []
    before = by_name(house)
    with client(house) as get:
        found = get("/datastore/activity/select", params={"q": "*:*", "rows": 0}).json()["response"]["numFound"]
        assert found == sum(entry["counted"]["admitted"] for entry in before.values()) > 0
        assert get("/bulk-data/datasets-minimal").json()["datasets"]
        for name in before:
            assert get(f"/datasets/{name}").status_code == 200
            assert get(f"/datasets/{name}/report").status_code == 200

    again = run_cycle(house)
    assert again.processed == 0
    assert again.session is not None and again.session.changed == 0
    assert by_name(house) == before

    change_registry(registry)
    next_day = run_cycle(house)
    assert verify(house, hashes=True) == []
    after = by_name(house)
    assert next_day.processed < first.processed
    gone = set(before) - set(after)
    new = set(after) - set(before)
    assert len(gone) == 1 and len(new) == 1
    broken = [name for name, entry in after.items() if name in before and entry["content"] != entry["indexed"] and entry["indexed"]]
    assert len(broken) == 1, "the file that was cut keeps its last good activities in search"
    assert after[broken[0]]["indexed"] == before[broken[0]]["indexed"] == before[broken[0]]["content"]
    with client(house) as get:
        number = get("/datastore/activity/select", params={"q": "*:*", "rows": 0}).json()["response"]["numFound"]
        assert number == sum(entry["counted"]["admitted"] for entry in after.values())
        assert get(f"/datasets/{gone.pop()}").status_code == 404
        page = get(f"/datasets/{broken[0]}").text
        assert "ritical" in page
        identifier = get("/datastore/activity/select", params={"q": "*:*", "fl": "iati_identifier", "rows": 1}).json()
        assert list(identifier["response"]["docs"][0]) == ["iati_identifier"]
    with zipfile.ZipFile(
        data / "generations" / (data / "generations" / "CURRENT").read_text().strip().zfill(8) / "bulk" / "iati-data.zip"
    ) as archive:
        held = {Path(name).stem for name in archive.namelist() if "/datasets/" in name and name.endswith(".xml")}
    assert held == set(after)
    house.engine.dispose()


def test_a_file_that_ends_its_worker_is_set_aside_and_everything_else_goes_on(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    chosen = next(e for n, e in expectations(registry).items() if e["readable"] and e["kind"] == "iati-activities")
    summary = refresh(data, IATI_TEST_KILL_CONTENT=chosen["sha256"])
    assert summary["poison"] == [chosen["sha256"]]
    house = house_of(data)
    entries = by_name(house)
    states = {entry["content"]: entry["state"] for entry in entries.values()}
    assert states.pop(chosen["sha256"]) == "poison"
    assert set(states.values()) == {"ok"}
    name = next(name for name, entry in entries.items() if entry["state"] == "poison")
    with client(house) as get:
        assert get(f"/datasets/{name}").status_code == 200
    assert verify(house) == []
    # The cause may have been the machine's: after a day it is tried again, and forced at once by new code.
    assert refresh(data)["processed"] == 0


def test_a_registry_that_breaks_or_shrinks_by_half_changes_nothing(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    refresh(data)
    before = by_name(house_of(data))
    document = registry / "registry.json"
    whole = document.read_text()
    half = json.loads(whole)
    half["datasets"] = half["datasets"][: len(half["datasets"]) // 2 - 1]
    for broken in ("{", "[]", "null", json.dumps(half), '{"organisations": 1, "datasets": 2}'):
        document.write_text(broken)
        summary = refresh(data)
        assert summary["imports"][0]["refused"], broken
        assert {name: e["content"] for name, e in by_name(house_of(data)).items()} == {n: e["content"] for n, e in before.items()}
    document.unlink()
    assert refresh(data)["imports"][0]["refused"]
    document.write_text(whole)
    assert refresh(data)["imports"][0]["refused"] is None


def test_one_dataset_is_removed_on_request_with_everything_of_it(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    refresh(data)
    house = house_of(data)
    # Not one of the twins that share their bytes: those keep the content for each other.
    entries = by_name(house)
    contents = [entry["content"] for entry in entries.values()]
    name = next(n for n, e in entries.items() if contents.count(e["content"]) == 1 and e["counted"]["admitted"])
    sha256 = entries[name]["content"]
    iati("datasets", "purge", name, "--yes", data_dir=data)
    house = house_of(data)
    assert verify(house) == []
    assert name not in by_name(house)
    assert not house.contents.exists(sha256)
    assert [key for key, _, _ in house.artefacts.list() if key == sha256] == []
    assert len(house.generations.numbers()) == 1
    refresh(data)
    assert name not in by_name(house_of(data)), "the source still names it, but what was removed on request stays away"


def test_generations_and_contents_nobody_needs_are_collected(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    for _ in range(4):
        refresh(data, IATI_RETENTION_VERSIONS="2")
    house = house_of(data)
    assert house.generations.numbers() == [3, 4]
    stray = house.contents.put(b"nobody speaks of this").sha256
    refresh(data, IATI_RETENTION_VERSIONS="2")
    assert not house_of(data).contents.exists(stray)


def test_an_empty_platform_serves_and_says_what_to_do(tmp_path: Path) -> None:
    house = house_of(tmp_path / "data")
    with client(house) as get:
        assert get("/ready").json() == {"ready": True, "generation": None, "failing": {}}
        assert get("/").status_code == 200
        assert get("/datastore/activity/select?q=*:*").json()["response"]["numFound"] == 0
    done = iati("search", "water", data_dir=tmp_path / "data", check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "iati: there is nothing to search yet: run `iati refresh` first")


def test_a_second_writer_waits_or_names_the_first(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    house = house_of(data)
    with house.writer():
        done = iati("import", str(registry), data_dir=data, check=False)
        assert done.returncode == 3
        assert "being written by" in done.stderr
        # Commands that only read work meanwhile.
        assert iati("orgs", "list", data_dir=data).returncode == 0


def test_a_backup_brings_registry_and_history_back(registry: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    iati("import", str(registry), data_dir=data)
    refresh(data)
    iati("backup", str(tmp_path / "copy"), data_dir=data)
    assert iati("backup", str(tmp_path / "copy"), data_dir=data, check=False).returncode == 1
    fresh = tmp_path / "fresh"
    iati("restore", str(tmp_path / "copy"), data_dir=fresh)
    summary = refresh(fresh)
    assert summary["totals"] == refresh(data)["totals"]
    assert verify(house_of(fresh), hashes=True) == []


def test_a_full_disk_ends_the_cycle_and_loses_nothing(registry: Path, tmp_path: Path, small_disk: Path) -> None:
    data = small_disk / "data"
    iati("import", str(registry), data_dir=data)
    refresh(data)
    before = by_name(house_of(data))
    change_registry(registry)
    free = shutil.disk_usage(small_disk).free
    for left in (20_000, 400_000, 1_500_000, 3_000_000):
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"\0" * max(0, free - left))
        done = iati("refresh", data_dir=data, check=False)
        ballast.unlink()
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        house = house_of(data)
        assert verify(house, hashes=True) == []
        if done.returncode:
            assert by_name(house) == before
    summary = refresh(data)
    assert summary["generation"] is not None
    assert verify(house_of(data), hashes=True) == []
    assert by_name(house_of(data)) != before

"""The `iati` command as people type it: what it prints, how it ends, and one line that says what to do when it cannot."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.platforms import environment, iati, refresh, write_registry
from tests.packaging.running import free_port

GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<iati-activities version="2.03">
 <iati-activity default-currency="EUR" xml:lang="en" last-updated-datetime="2026-03-01T00:00:00Z">
  <iati-identifier>XM-DAC-7-1</iati-identifier>
  <reporting-org ref="XM-DAC-7" type="10"><narrative>Ministry</narrative></reporting-org>
  <title><narrative>Wells</narrative></title>
  <description><narrative>Water for all</narrative></description>
  <participating-org role="1" ref="XM-DAC-7" type="10"><narrative>Ministry</narrative></participating-org>
  <activity-status code="2"/>
  <activity-date type="2" iso-date="2026-06-01"/>
  <recipient-country code="KE"/>
  <sector vocabulary="1" code="14030"/>
 </iati-activity>
</iati-activities>
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("cli")
    write_registry(base / "registry", only=("teralund-partnership", "tumaini-health"))
    iati("import", str(base / "registry"), data_dir=base / "data")
    refresh(base / "data")
    return base / "data"


def test_search_prints_tables_json_and_csv(data: Path) -> None:
    found = json.loads(iati("search", "*:*", "--rows", "3", "--format", "json", data_dir=data).stdout)
    assert len(found["docs"]) == 3 and found["numFound"] > 3
    wanted = ["search", "*:*", "--rows", "2", "--fl", "iati_identifier,title_narrative", "--format", "csv"]
    rows = list(csv.reader(io.StringIO(iati(*wanted, data_dir=data).stdout)))
    assert rows[0] == ["iati_identifier", "title_narrative"] and len(rows) == 3
    identifier = rows[1][0]
    table = iati("search", f'iati_identifier:"{identifier}"', data_dir=data)
    assert identifier in table.stdout.replace("\n", "") or "…" in table.stdout
    transactions = json.loads(iati("search", "*:*", "--collection", "transaction", "--format", "json", "--rows", "1", data_dir=data).stdout)
    assert transactions["docs"][0]["transaction_value"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["search", "title_narrative:(a"], 2, "iati: "),
        (["sql", "DROP TABLE activity"], 2, "iati: "),
        (["sql", "SELECT nothing FROM activity"], 2, "iati: "),
        (["import", "/nowhere"], 1, "iati: /nowhere is not there"),
        (["import", "bulk:https://example.org"], 1, "iati: bulk:https://example.org"),
        (["datasets", "purge", "nobody", "--yes"], 1, "iati: nobody is not registered"),
        (["serve", "--only", "kitchen"], 2, "iati: unknown system kitchen"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data: Path, arguments: list[str], code: int, says: str) -> None:
    done = iati(*arguments, data_dir=data, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(says), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_setting_that_does_not_exist_stops_the_start_and_is_named(data: Path) -> None:
    done = iati("orgs", "list", data_dir=data, check=False, IATI_WORKER="3")
    assert done.returncode == 2
    assert "IATI_WORKER" in done.stderr and "Traceback" not in done.stderr


def test_sql_in_every_format(data: Path, tmp_path: Path) -> None:
    query = "SELECT count(*) AS n FROM activity"
    number = json.loads(iati("sql", query, "--format", "json", data_dir=data).stdout)[0]["n"]
    assert number > 3
    assert iati("sql", query, "--format", "csv", data_dir=data).stdout.split() == ["n", str(number)]
    assert str(number) in iati("sql", query, data_dir=data).stdout
    command = [sys.executable, "-m", "iati_platform.cli", "sql", query, "--format", "parquet", "--data-dir", str(data)]
    assert subprocess.run(command, env=environment(), capture_output=True, check=True).stdout[:4] == b"PAR1"


@pytest.mark.parametrize("form", ["parquet", "csv", "duckdb", "sqlite"])
def test_export_writes_tables_and_says_whose_data_it_is(data: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / form
    printed = iati("export", "--format", form, str(target), data_dir=data).stdout.split()
    assert printed and all(Path(path).exists() for path in printed)
    words = " ".join(path.read_text(errors="replace").lower() for path in target.rglob("*") if path.suffix in (".txt", ".md", ".csv"))
    assert "licence" in words


def test_validate_ends_with_the_status_the_threshold_asks_for(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(GOOD)
    bad.write_bytes(GOOD.replace(b'code="14030"', b'code="00000"').replace(b"<title>", b"<titel>").replace(b"</title>", b"</titel>"))

    def validate(*arguments: str) -> subprocess.CompletedProcess[str]:
        return iati("validate", *arguments, data_dir=None, check=False)

    assert validate(str(good), "--as-of", "2026-11-01", "--fail-on", "error").returncode == 0
    # On the day before it began, the actual start lay in the future.
    early = validate(str(good), "--as-of", "2026-05-31", "--fail-on", "error", "--format", "json")
    assert early.returncode == 1
    assert "11.1.4" in early.stdout
    assert validate(str(bad)).returncode == 1
    assert validate(str(tmp_path / "missing.xml")).returncode == 2
    both = json.loads(validate(str(good), str(bad), "--format", "json").stdout)
    assert [report["valid"] for report in both] == [True, False]
    sarif = json.loads(validate(str(bad), "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    assert "0.3.1" in {result["ruleId"] for result in sarif["runs"][0]["results"]}
    command = [sys.executable, "-m", "iati_platform.cli", "validate", "-", "--format", "json"]
    piped = subprocess.run(command, env=environment(), input=GOOD, capture_output=True, check=True)
    assert json.loads(piped.stdout)["valid"] is True


def test_several_server_processes_serve_the_same_platform(data: Path) -> None:
    import time

    import httpx

    port = free_port()
    command = [
        sys.executable,
        "-m",
        "iati_platform.cli",
        "serve",
        "--workers",
        "2",
        "--only",
        "datastore",
        "--port",
        str(port),
        "--data-dir",
        str(data),
    ]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        found = httpx.get(f"http://127.0.0.1:{port}/datastore/activity/select?q=*:*&rows=0", timeout=10).json()["response"]["numFound"]
        assert found > 3
        assert httpx.get(f"http://127.0.0.1:{port}/bulk-data/", timeout=10).status_code == 404
    finally:
        process.terminate()
        process.wait(20)


def test_status_lists_and_help_have_examples(data: Path) -> None:
    assert "2.03" in iati("standard", "status", data_dir=None).stdout
    assert "teralund-partnership" in iati("orgs", "list", data_dir=data).stdout
    assert "teralund" in iati("datasets", "list", "--org", "teralund-partnership", data_dir=data).stdout
    for command in (
        ["up"],
        ["import"],
        ["refresh"],
        ["serve"],
        ["validate"],
        ["search"],
        ["sql"],
        ["export"],
        ["doctor"],
        ["demo"],
        ["backup"],
    ):
        assert "Example" in iati(*command, "--help", data_dir=None).stdout, command

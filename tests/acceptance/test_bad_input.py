"""Hostile files and servers in one registry: each has a clear state in page and index, the cycle goes on, the good ones are served."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iati_platform.pipeline.check import verify
from tests.bulk.server import Handler, Server

from .platforms import client, house_of, iati, refresh

ORG = "00000000-0000-4000-8000-0000000000aa"


def activity(identifier: str, more: str = "") -> str:
    return (
        f'<iati-activity default-currency="EUR" xml:lang="en"><iati-identifier>{identifier}</iati-identifier>'
        '<reporting-org ref="XX-DEMO-1" type="21"><narrative>Somebody</narrative></reporting-org>'
        f"<title><narrative>Wells for {identifier}</narrative></title><description><narrative>Water</narrative></description>"
        '<participating-org role="1" ref="XX-DEMO-1"><narrative>Somebody</narrative></participating-org>'
        f'<activity-status code="2"/><activity-date type="2" iso-date="2020-01-01"/>{more}</iati-activity>'
    )


def document(*activities: str, version: str = "2.03", head: str = "<?xml version='1.0' encoding='UTF-8'?>") -> bytes:
    return f'{head}<iati-activities version="{version}">{"".join(activities)}</iati-activities>'.encode()


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + ']><iati-activities version="2.03"><iati-activity><iati-identifier>&j;</iati-identifier></iati-activity></iati-activities>'
).encode()
SECRET = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    b'<iati-activities version="2.03"><iati-activity><iati-identifier>&e;</iati-identifier></iati-activity></iati-activities>'
)
OLD = "<iati-activity><iati-identifier>XX-DEMO-1-OLD</iati-identifier><title>Wells of old</title></iati-activity>"
GOOD = document(activity("XX-DEMO-1-A"), activity("XX-DEMO-1-B"))

#: name -> (body, is it kept as content, records that are found by searching)
FILES: dict[str, tuple[bytes, bool, int]] = {
    "good": (GOOD, True, 2),
    "not-xml": (b"Dear Sir or Madam,\nplease find attached", False, 0),
    "web-page": (b"<!DOCTYPE html><html><body>Log in</body></html>", False, 0),
    "empty": (b"", False, 0),
    "pdf": (b"%PDF-1.7\n\x00\xff", False, 0),
    "gzip": (gzip.compress(GOOD), False, 0),
    "json": (b'{"activities": []}', False, 0),
    "other-root": (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', False, 0),
    "truncated": (GOOD[:-60], True, 0),
    "utf-16": (GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"), True, 2),
    "latin-1": (GOOD.decode().replace("UTF-8", "ISO-8859-1").replace("Wells", "Br\u00fccken").encode("latin-1"), True, 2),
    "lying-encoding": (GOOD.replace(b"Wells", b"Br\xfccken"), True, 0),
    "entity-bomb": (LAUGHS, True, 0),
    "external-entity": (SECRET, True, 0),
    "a-thousand-levels": (document("<x>" * 1000 + "</x>" * 1000), True, 0),
    "half-valid": (document(activity("XX-DEMO-1-C"), "<iati-activity><nonsense/></iati-activity>"), True, 1),
    "version-1": (document(OLD, version="1.05"), True, 0),
    "huge-text": (document(activity("XX-DEMO-1-D", f"<!--{'x' * 3_000_000}-->")), True, 1),
    "no-identifier": (document(activity("  ")), True, 0),
    "nul-bytes": (GOOD.replace(b"Water", b"Wa\x00ter"), True, 0),
}
#: name -> (path on the bad server, published error type, finer cause)
SERVERS: dict[str, tuple[str, str, str]] = {
    "missing": ("/nothing", "http_non_200", "status"),
    "failing": ("/status/500", "http_non_200", "status"),
    "loop": ("/loop", "too_many_redirects", "redirects"),
    "cut-off": ("/closed", "other_error", "truncated"),
    "reset": ("/reset", "connection_error", "reset"),
    "ten-gigabytes": ("/huge", "other_error", "too-large"),
    "bomb": ("/bomb", "other_error", "expands"),
}
OTHERS = {
    "no-such-host": ("http://nobody.invalid/a.xml", "connection_error", "dns"),
    "refused": ("http://127.0.0.1:9/a.xml", "connection_error", "refused"),
    "not-a-web-address": ("ftp://127.0.0.1/a.xml", "other_error", "bad-url"),
    "no-address": (None, "other_error", "no-url"),
}


@pytest.fixture
def server() -> Iterator[Server]:
    Handler.bodies.update({name: body for name, (body, _, _) in FILES.items()})
    server = Server()
    yield server
    server.stop()


def register(folder: Path, addresses: dict[str, str | None]) -> Path:
    folder.mkdir(exist_ok=True)
    organisation = {"id": ORG, "short_name": "somebody", "human_readable_name": "Somebody", "organisation_identifier": "XX-DEMO-1"}
    datasets = [
        {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "short_name": name, "reporting_org_id": ORG, "file_type": "activity", "url": url}
        for name, url in addresses.items()
    ]
    (folder / "registry.json").write_text(json.dumps({"organisations": [organisation], "datasets": datasets}))
    Handler.bodies["registry.json"] = (folder / "registry.json").read_bytes()
    return folder


def entries(data: Path) -> dict[str, dict[str, Any]]:
    generation = house_of(data).generations.current()
    assert generation is not None
    return {entry["short_name"]: entry for entry in generation.manifest["datasets"].values()}


def test_each_bad_file_and_server_has_its_state_and_the_rest_goes_on(server: Server, tmp_path: Path) -> None:
    addresses: dict[str, str | None] = {name: server.url(f"/named/{name}") for name in FILES}
    addresses |= {name: server.url(path) for name, (path, _, _) in SERVERS.items()}
    addresses |= {name: url for name, (url, _, _) in OTHERS.items()}
    register(tmp_path / "registry", addresses)
    data = tmp_path / "data"
    open_door = {"IATI_FETCH_ALLOW_PRIVATE": "true"}
    iati("import", server.url("/named/registry.json"), data_dir=data, **open_door)
    summary = refresh(data, **open_door)
    assert summary["poison"] == [] and summary["failed_processing"] == []
    house = house_of(data)
    assert verify(house, hashes=True) == []
    found = entries(data)
    assert {name: name in found for name in FILES} == {name: kept for name, (_, kept, _) in FILES.items()}
    assert {name: found[name]["counted"]["admitted"] for name, (_, kept, _) in FILES.items() if kept} == {
        name: number for name, (_, kept, number) in FILES.items() if kept
    }
    with client(house) as get:
        full = {entry["short_name"]: entry for entry in get("/bulk-data/datasets-full").json()["datasets"]}
        errors = {
            name: (full[name]["most_recent_get_attempt"]["error_details"]["error_type"], full[name]["check"]["cause"])
            for name in (*SERVERS, *OTHERS)
        }
        assert errors == {name: (error, cause) for name, (_, error, cause) in (SERVERS | OTHERS).items()}
        for name in addresses:
            page = get(f"/datasets/{name}")
            assert page.status_code == 200, name
            assert "Traceback" not in page.text and "root:" not in page.text
        number = get("/datastore/activity/select", params={"q": "*:*", "rows": 0}).json()["response"]["numFound"]
        assert number == sum(admitted for _, _, admitted in FILES.values())
        held_back = get("/datastore/activity/select", params={"q": "dataset_version:1.05", "scope": "held-back", "rows": 0}).json()
        assert held_back["response"]["numFound"] == 1, "1.x activities are searchable by version outside the collections"


def test_a_private_address_is_refused_also_behind_a_redirect(server: Server, tmp_path: Path) -> None:
    addresses = {"inside": server.url("/good"), "metadata": "http://169.254.169.254/latest/", "named": "http://localhost/a.xml"}
    folder = register(tmp_path / "registry", addresses)
    data = tmp_path / "data"
    # The document itself is read from a folder; its datasets have no path, so they are not read from there.
    done = iati("import", server.url("/named/registry.json"), data_dir=data, check=False)
    assert done.returncode == 1 and "private" in done.stderr
    assert server.requests["/named"] == 0
    iati("import", server.url("/named/registry.json"), data_dir=data, IATI_FETCH_ALLOW_PRIVATE="true")
    refresh(data, "--no-import")
    assert entries(data) == {}
    with client(house_of(data)) as get:
        full = get("/bulk-data/datasets-full").json()["datasets"]
        assert {entry["short_name"]: entry["check"]["cause"] for entry in full} == dict.fromkeys(addresses, "private-address")
    assert server.requests["/good"] == 0
    assert folder.exists()


def test_the_last_good_copy_stays_when_its_server_turns_bad(server: Server, tmp_path: Path) -> None:
    register(tmp_path / "registry", {"good": server.url("/named/good")})
    data = tmp_path / "data"
    settings = {"IATI_FETCH_ALLOW_PRIVATE": "true"}
    iati("import", server.url("/named/registry.json"), data_dir=data, **settings)
    refresh(data, **settings)
    before = entries(data)
    for body in (b"", b"<html>sorry</html>", b"%PDF", b"<?xml version='1.0'?><rss/>"):
        Handler.bodies["good"] = body
        refresh(data, "--dataset", "good", **settings)
        assert entries(data) == before
    with client(house_of(data)) as get:
        assert get("/bulk-data/somebody/good.xml").content == GOOD
        assert get("/datastore/activity/select", params={"q": "*:*", "rows": 0}).json()["response"]["numFound"] == 2


def test_three_hundred_megabytes_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    register(folder, {})
    document = json.loads((folder / "registry.json").read_text())
    document["datasets"] = [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
            "short_name": name,
            "reporting_org_id": ORG,
            "file_type": "activity",
            "url": None,
            "path": f"{name}.xml",
        }
        for name in ("huge", "good")
    ]
    (folder / "registry.json").write_text(json.dumps(document))
    (folder / "good.xml").write_bytes(GOOD)
    with (folder / "huge.xml").open("wb") as file:
        file.write(b"<iati-activities version='2.03'>")
        file.truncate(300_000_000)
    data = tmp_path / "data"
    iati("import", str(folder), data_dir=data)
    refresh(data)
    assert set(entries(data)) == {"good"}
    with client(house_of(data)) as get:
        full = {entry["short_name"]: entry["check"]["cause"] for entry in get("/bulk-data/datasets-full").json()["datasets"]}
        assert full == {"good": None, "huge": "too-large"}
        assert "200" in get("/datasets/huge").text

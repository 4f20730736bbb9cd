"""The Bulk Data Service over HTTP: bytes, validators, ranges, encodings, and generations that switch as a whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from iati_platform.bulk.api import INDICES, ZIPS, create_app
from iati_platform.settings import Settings
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.objects import ObjectStore
from iati_platform.web.platform import Platform
from iati_platform.web.protection import protected
from tests.bulk.conftest import Cycle, activities
from tests.bulk.test_publication import publish

XML = activities("<iati-activity/>" * 40_000)
LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?><iati-activities>é</iati-activities>'.encode("latin-1")
PLAIN = {"Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Generation:
    """What the pipeline will hand over."""

    number: int
    path: Path
    created: datetime = datetime(2026, 3, 1, 13, tzinfo=UTC)
    manifest: dict[str, Any] = field(default_factory=dict)


@dataclass
class House:
    """A platform with the bulk room mounted as `app.py` does it, and a switch for the current generation."""

    cycle: Cycle
    client: TestClient
    folder: Path
    current: Generation | None = None

    def publish(self) -> None:
        number = self.current.number + 1 if self.current else 1
        path = self.folder / f"{number:08d}"
        publish(self.cycle, path / "bulk")
        self.current = Generation(number, path)


@pytest.fixture
def house(cycle: Cycle, objects: ObjectStore, tmp_path: Path) -> Iterator[House]:
    from fastapi import FastAPI

    made: House
    platform = Platform(
        settings=Settings(data_dir=tmp_path, public_url="http://testserver"),
        engine=cycle.engine,
        objects=objects,
        contents=cycle.contents,
        artefacts=ArtefactStore(objects),
        generation=lambda: made.current,
        today=lambda: date(2026, 3, 1),
        code_version="test",
    )
    outer = FastAPI()
    outer.mount("/bulk-data", create_app(platform))
    with TestClient(protected(outer, platform.settings)) as client:
        made = House(cycle, client, tmp_path / "generations")
        yield made


@pytest.fixture
def full(house: House) -> House:
    house.cycle.register("a", "latin", "never")
    house.cycle.write("a", XML)
    house.cycle.write("latin", LATIN)
    house.cycle.run()
    house.publish()
    return house


def get(house: House, path: str, **headers: str) -> httpx.Response:
    return house.client.get(f"/bulk-data{path}", headers=PLAIN | {name.replace("_", "-"): value for name, value in headers.items()})


def test_every_published_path_answers_with_strong_validators(full: House) -> None:
    types = dict.fromkeys(INDICES, "application/json") | dict.fromkeys(ZIPS, "application/zip")
    types |= {
        "/acme/a.xml": "application/xml; charset=utf-8",
        "/acme/latin.xml": "application/xml; charset=iso-8859-1",
        "/acme/a.zip": "application/zip",
    }
    for path, media_type in types.items():
        answer = get(full, path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), path
        assert answer.headers["etag"].startswith('"')
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["last-modified"].endswith(" GMT")
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert "content-encoding" not in answer.headers
        head = full.client.head(f"/bulk-data{path}", headers=PLAIN)
        assert (head.status_code, head.content) == (200, b"")
        same = ("etag", "content-length", "content-type", "last-modified", "accept-ranges")
        assert {name: head.headers[name] for name in same} == {name: answer.headers[name] for name in same}


def test_a_copy_is_byte_for_byte(full: House) -> None:
    assert get(full, "/acme/a.xml").content == XML
    assert get(full, "/acme/latin.xml").content == LATIN
    with zipfile.ZipFile(io.BytesIO(get(full, "/acme/a.zip").content)) as archive:
        assert [(entry.filename, archive.read(entry)) for entry in archive.infolist()] == [("a.xml", XML)]
    index = get(full, "/datasets-full").json()["datasets"][0]["last_known_good_dataset"]
    assert index["cached_dataset_xml_etag"] == get(full, "/acme/a.xml").headers["etag"] == f'"{hashlib.sha256(XML).hexdigest()}"'
    assert index["cached_dataset_zip_etag"] == get(full, "/acme/a.zip").headers["etag"]
    assert index["cached_dataset_xml_url"] == "https://data.example/bulk-data/acme/a.xml"


@pytest.mark.parametrize("path", ["/acme/a.xml", "/datasets-minimal"])
def test_who_accepts_gzip_gets_it_under_another_etag(full: House, path: str) -> None:
    plain = get(full, path)
    with full.client.stream("GET", f"/bulk-data{path}", headers={"Accept-Encoding": "gzip, br"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert int(packed.headers["content-length"]) == len(raw) < len(plain.content)
    assert packed.headers["etag"].startswith('"')
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in packed.headers["vary"]
    assert "Accept-Encoding" in plain.headers["vary"]
    for headers in (dict(PLAIN), {"Accept-Encoding": "gzip;q=0"}):
        assert full.client.head(f"/bulk-data{path}", headers=headers).headers["etag"] == plain.headers["etag"]
    again = full.client.get(f"/bulk-data{path}", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_zips_are_never_encoded(full: House) -> None:
    """iatikit reads the body raw (§11)."""
    for path in (*ZIPS, "/acme/a.zip"):
        assert "content-encoding" not in full.client.get(f"/bulk-data{path}", headers={"Accept-Encoding": "gzip"}).headers


def test_conditional_requests(full: House) -> None:
    for path in ("/acme/a.xml", "/datasets-minimal", "/iati-data.zip", "/acme/a.zip"):
        first = get(full, path)
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        for headers in (
            {"If_None_Match": tag},
            {"If_None_Match": f'"x", W/{tag}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": modified},
        ):
            unchanged = get(full, path, **headers)
            assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
        assert get(full, path, If_None_Match='"x"', If_Modified_Since=modified).status_code == 200
        assert get(full, path, If_Modified_Since="Mon, 02 Mar 2020 10:00:00 GMT").status_code == 200
        assert get(full, path, If_Modified_Since="rubbish").status_code == 200
        assert get(full, path, If_Match='"x"').status_code == 412
        assert get(full, path, If_Match=tag).status_code == 200


@pytest.mark.parametrize("path", ["/acme/a.xml", "/acme/a.zip", "/datasets-full", "/iati-data.zip"])
def test_ranges(full: House, path: str) -> None:
    whole = get(full, path).content
    size = len(whole)
    for wanted, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        (f"bytes={size - 1}-", size - 1, size),
        ("bytes=-5", size - 5, size),
        (f"bytes=-{size + 9}", 0, size),
        (f"bytes=3-{size + 1000}", 3, size),
        ("bytes=0-", 0, size),
    ):
        part = get(full, path, Range=wanted)
        assert (part.status_code, part.headers["content-range"]) == (206, f"bytes {start}-{stop - 1}/{size}"), wanted
        assert part.content == whole[start:stop]
        assert int(part.headers["content-length"]) == stop - start
    beyond = get(full, path, Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"], beyond.content) == (416, f"bytes */{size}", b"")
    for ignored in ("bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b"):
        assert get(full, path, Range=ignored).content == whole
    tag = get(full, path).headers["etag"]
    assert get(full, path, Range="bytes=0-3", If_Range=tag).status_code == 206
    assert get(full, path, Range="bytes=0-3", If_Range='"old"').content == whole
    assert full.client.get(f"/bulk-data{path}", headers={"Range": "bytes=0-3", "Accept-Encoding": "gzip"}).content == whole[:4]


def test_a_range_far_inside_a_large_copy(full: House) -> None:
    assert get(full, "/acme/a.xml", Range="bytes=500000-600000").content == XML[500_000:600_001]


@pytest.mark.parametrize(
    "path",
    [
        "/acme/never.xml",
        "/acme/never.zip",
        "/acme/nothing.xml",
        "/other/a.xml",
        "/nothing",
        "/acme/",
        "/acme/a.txt",
        "/a/b/c.xml",
        "/indices.note",
        "/datasets-minimal.gz",
    ],
)
def test_everything_else_is_a_page_that_says_so(full: House, path: str) -> None:
    answer = get(full, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Page or file not found" in answer.text
    assert full.client.head(f"/bulk-data{path}").status_code == 404


def test_browsers_of_other_sites_may_read(full: House) -> None:
    answer = full.client.options(
        "/bulk-data/datasets-full", headers={"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
    )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert full.client.post("/bulk-data/datasets-full").status_code == 405


def test_a_new_generation_is_seen_at_once_and_whole(full: House) -> None:
    before = {path: get(full, path).headers["etag"] for path in (*INDICES, "/iati-data.zip")}
    slow = full.client.stream("GET", "/bulk-data/iati-data.zip", headers=PLAIN)
    full.cycle.write("a", activities("new"))
    full.cycle.wait(minutes=5)
    full.cycle.run()
    assert get(full, "/acme/a.xml").content == XML
    full.publish()
    assert get(full, "/acme/a.xml").content == activities("new")
    assert all(get(full, path).headers["etag"] != before[path] for path in ("/datasets-minimal", "/datasets-full", "/iati-data.zip"))
    with slow as answer:
        assert answer.status_code == 200


def test_an_empty_platform_says_so(house: House) -> None:
    answer = get(house, "/datasets-minimal")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert get(house, "/acme/a.xml").status_code == 503
    landing = house.client.get("/bulk-data/")
    assert landing.status_code == 200
    assert "Nothing has been published yet" in landing.text


def test_the_landing_page_lists_what_can_be_taken(full: House) -> None:
    page = full.client.get("/bulk-data/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for path in ("/datasets-minimal", "/datasets-full", "/reporting-orgs", *ZIPS):
        assert f'href="/bulk-data{path}"' in page.text
    assert "<strong>2</strong>" in page.text
    assert full.client.head("/bulk-data/").status_code == 200


def test_a_content_that_vanished_is_not_found(full: House) -> None:
    full.cycle.contents.delete(hashlib.sha256(XML).hexdigest())
    assert get(full, "/acme/a.xml").status_code == 404
    assert get(full, "/acme/a.zip").status_code == 404


def test_the_refresher_s_reading_rules(full: House) -> None:
    """§10, §11: HEAD has an ETag; both indices carry the same time; every entry names both spellings of the copy's address."""
    assert full.client.head("/bulk-data/datasets-minimal").headers["etag"]
    minimal, organisations = full.client.get("/bulk-data/datasets-minimal").json(), full.client.get("/bulk-data/reporting-orgs").json()
    assert minimal["index_created_unix_timestamp"] == organisations["index_created_unix_timestamp"]
    for entry in minimal["datasets"]:
        copy = entry["last_known_good_dataset"]
        assert copy["cached_dataset_url_xml"] == copy["cached_dataset_xml_url"]
        assert entry["reporting_org_id"] in {organisation["id"] for organisation in organisations["reporting_orgs"]}


def test_the_description_names_every_path(full: House) -> None:
    described = full.client.get("/bulk-data/openapi.json").json()
    assert set(described["paths"]) == {*INDICES, *ZIPS, "/{organisation}/{dataset}.xml", "/{organisation}/{dataset}.zip"}

"""What is published: every index field by field, both ZIPs, and the readers that live on them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from iati_platform.bulk.indices import entries, http_time, to_json
from iati_platform.bulk.notes import Published
from iati_platform.bulk.publication import BulkReport, write_bulk
from iati_platform.bulk.zips import licence
from iati_platform.registry import service as registry
from iati_platform.storage.database import reading
from tests.bulk.conftest import Cycle, activities, identifier
from tests.bulk.test_archive import unzip

CREATED = datetime(2026, 3, 1, 13, 0, 5, 999_999, tzinfo=UTC)
BASE = "https://data.example/bulk-data/"
ENVELOPE = {"index_created": "2026-03-01T13:00:05Z", "index_created_unix_timestamp": 1772370005}


def publish(cycle: Cycle, directory: Path) -> BulkReport:
    with reading(cycle.engine) as session:
        found, organisations = entries(session), registry.public_organisations(session)
    return write_bulk(directory, found, organisations, cycle.contents, CREATED, BASE)


@pytest.fixture
def published(cycle: Cycle, tmp_path: Path) -> Path:
    """One good dataset, one that fails with an old copy, one that never worked, and an organisation file."""
    cycle.register("good", "ailing", "never")
    cycle.register("org-file", file_type="organisation", licence_id="notspecified")
    cycle.write("good", activities())
    cycle.write("ailing", activities("<iati-activity/>"))
    cycle.write("org-file", b'<iati-organisations version="2.03"/>')
    cycle.run()
    cycle.wait(minutes=30)
    cycle.write("ailing", b"<html>")
    cycle.run()
    publish(cycle, tmp_path / "bulk")
    return tmp_path / "bulk"


def load(directory: Path, name: str) -> Any:
    return json.loads((directory / name).read_bytes())


def dataset(directory: Path, index: str, name: str) -> Any:
    return next(entry for entry in load(directory, index)["datasets"] if entry["short_name"] == name)


HASH = hashlib.sha1(activities()).hexdigest()
EXCLUDING = hashlib.sha1(activities().replace(b'generated-datetime="2026-01-01T00:00:00Z"', b"")).hexdigest()
SHA256 = hashlib.sha256(activities()).hexdigest()
NULL_COPY = dict.fromkeys(
    ("cached_dataset_url_xml", "cached_dataset_url_zip", "cached_dataset_xml_url", "cached_dataset_zip_url", "downloaded", "hash",
     "hash_excluding_generated_timestamp", "source_url", "verified_on_server")
)  # fmt: skip
NO_ERROR = dict.fromkeys(
    ("detailed_message", "error_type", "http_method", "http_reason", "http_status", "source_url", "summary_message")
) | {"http_headers": {}}


def test_the_minimal_index(published: Path) -> None:
    index = load(published, "datasets-minimal")
    assert index == ENVELOPE | {"datasets": index["datasets"]}
    assert [entry["short_name"] for entry in index["datasets"]] == ["ailing", "good", "never", "org-file"]
    registration = {
        "id": identifier("good"),
        "short_name": "good",
        "reporting_org_id": identifier("org"),
        "reporting_org_short_name": "acme",
        "source_url": "https://acme.example/good.xml",
        "licence_id": "cc-by",
        "last_update_check": "2026-03-01T12:30:00Z",
    }
    assert dataset(published, "datasets-minimal", "good") == registration | {
        "last_known_good_dataset": {
            "cached_dataset_xml_url": f"{BASE}acme/good.xml",
            "cached_dataset_zip_url": f"{BASE}acme/good.zip",
            "cached_dataset_url_xml": f"{BASE}acme/good.xml",
            "cached_dataset_url_zip": f"{BASE}acme/good.zip",
            "downloaded": "2026-03-01T12:00:00Z",
            "hash": HASH,
            "hash_excluding_generated_timestamp": EXCLUDING,
            "source_url": "https://acme.example/good.xml",
            "verified_on_server": "2026-03-01T12:30:00Z",
        }
    }
    assert dataset(published, "datasets-minimal", "never")["last_known_good_dataset"] == NULL_COPY
    assert dataset(published, "datasets-minimal", "ailing")["last_known_good_dataset"]["downloaded"] == "2026-03-01T12:00:00Z"


def test_the_full_index(published: Path) -> None:
    good = dataset(published, "datasets-full", "good")
    looked = {"datetime": "2026-03-01T12:30:00Z", "error_details": NO_ERROR, "error_occurred": False, "http_status": 200}
    assert good == dataset(published, "datasets-minimal", "good") | {
        "last_known_good_dataset": dataset(published, "datasets-minimal", "good")["last_known_good_dataset"]
        | {
            "cached_dataset_xml_etag": f'"{SHA256}"',
            "cached_dataset_zip_etag": f'"{hashlib.sha256(f"{SHA256} good".encode()).hexdigest()}"',
            "content_length": len(activities()),
            "initial_contents": activities().decode().replace("\n", "")[:150],
            "server_header_etag": None,
            "server_header_last_modified": None,
            "content_modified": "2026-03-01T12:00:00Z",
            "content_modified_excluding_generated_timestamp": "2026-03-01T12:00:00Z",
        },
        "most_recent_get_attempt": looked | {"datetime": "2026-03-01T12:00:00Z"},
        "most_recent_head_attempt": looked,
        "check": {"cause": None, "failing_since": None, "consecutive_failures": 0, "tls_verified": None, "tls_problem": None},
    }
    never = dataset(published, "datasets-full", "never")
    assert set(never) == set(good)
    assert set(never["last_known_good_dataset"]) == set(good["last_known_good_dataset"])
    assert set(never["last_known_good_dataset"].values()) == {None}
    assert never["most_recent_head_attempt"] == {"datetime": None, "error_details": NO_ERROR, "error_occurred": False, "http_status": None}
    assert never["check"] == {
        "cause": "status",
        "failing_since": "2026-03-01T12:00:00Z",
        "consecutive_failures": 2,
        "tls_verified": None,
        "tls_problem": None,
    }
    ailing = dataset(published, "datasets-full", "ailing")
    assert ailing["most_recent_get_attempt"]["http_status"] == 200
    assert ailing["most_recent_get_attempt"]["error_details"]["error_type"] == "not_iati_content"
    assert ailing["most_recent_get_attempt"]["error_details"]["source_url"] == "https://acme.example/ailing.xml"
    assert ailing["check"]["cause"] == "html"


def test_the_organisations(published: Path) -> None:
    assert load(published, "reporting-orgs") == ENVELOPE | {
        "reporting_orgs": [
            {
                "created_date": "2020-01-01T00:00:00Z",
                "data_portal_url": None,
                "default_licence_id": "cc-by",
                "description": None,
                "exclusions_policy_url": None,
                "first_publication_date": None,
                "hq_country": "KE",
                "human_readable_name": "Acme Aid",
                "iati_identifier": "XM-EXAMPLE-1",
                "id": identifier("org"),
                "organisation_identifier": "XM-EXAMPLE-1",
                "organisation_type": "21",
                "region": None,
                "reporting_source_type": "primary-source",
                "short_name": "acme",
                "website": None,
            }
        ]
    }


def test_the_small_index_of_times(published: Path) -> None:
    created = {"index_created": "2026-03-01T13:00:05Z"}
    assert load(published, "indices-meta") == {
        "meta": dict.fromkeys(("datasets_minimal", "datasets_full", "reporting_orgs", "zip"), created)
    }


def test_the_indices_of_the_first_generation(published: Path) -> None:
    minimal, full = load(published, "dataset-index-minimal.json"), load(published, "dataset-index-full.json")
    assert minimal["index_created_unix_timestamp"] == full["index_created_unix_timestamp"] == ENVELOPE["index_created_unix_timestamp"]
    assert minimal["datasets"]["good"] == {
        "id": identifier("good"),
        "name": "good",
        "publisher_id": identifier("org"),
        "publisher_name": "acme",
        "source_url": "https://acme.example/good.xml",
        "hash": HASH,
        "hash_excluding_generated_timestamp": EXCLUDING,
        "last_successful_download": "2026-03-01T12:00:00Z",
        "url_xml": f"{BASE}acme/good.xml",
        "url_zip": f"{BASE}acme/good.zip",
    }
    assert (minimal["datasets"]["never"]["url_xml"], minimal["datasets"]["never"]["url_zip"]) == ("", "")
    assert full["datasets"]["good"]["download_error_details"] == {}
    assert full["datasets"]["never"]["download_error_details"]["http_status"] == 404
    assert len(full["datasets"]["good"]) == 22


def test_keys_are_sorted_and_indented_by_one(published: Path) -> None:
    for name in ("datasets-minimal", "datasets-full", "reporting-orgs", "indices-meta"):
        text = (published / name).read_bytes()
        assert text.decode() == json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False)
    tricky = {"b": [{"x": {"y": [{"z": ["l\n    x\0\t", {}, []]}]}}], "a": "ü"}
    assert to_json(tricky).decode() == json.dumps(tricky, indent=1, sort_keys=True, ensure_ascii=False)


def test_an_organisation_without_datasets_is_not_listed(cycle: Cycle, tmp_path: Path) -> None:
    cycle.read_registry()
    publish(cycle, tmp_path / "bulk")
    assert load(tmp_path / "bulk", "reporting-orgs") == ENVELOPE | {"reporting_orgs": []}
    assert load(tmp_path / "bulk", "datasets-full") == ENVELOPE | {"datasets": []}


def test_our_zip(published: Path) -> None:
    unzip(published / "iati-data.zip")
    with zipfile.ZipFile(published / "iati-data.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "iati-data/",
            "iati-data/datasets-minimal.json",
            "iati-data/datasets-full.json",
            "iati-data/reporting-orgs.json",
            "iati-data/datasets/",
            "iati-data/datasets/acme/",
            "iati-data/datasets/acme/ailing.xml",
            "iati-data/datasets/acme/good.xml",
            "iati-data/datasets/acme/org-file.xml",
        ]
        assert archive.read("iati-data/datasets/acme/good.xml") == activities()
        for name in ("datasets-minimal", "datasets-full", "reporting-orgs"):
            assert archive.read(f"iati-data/{name}.json") == (published / name).read_bytes()


def test_the_zip_in_the_layout_of_the_data_dump(published: Path, cycle: Cycle) -> None:
    unzip(published / "code-for-iati-data-download.zip")
    with reading(cycle.engine) as session:
        never_updated = registry.dataset(session, "never").updated_at
    with zipfile.ZipFile(published / "code-for-iati-data-download.zip") as archive:
        assert archive.testzip() is None
        root = "iati-data-main"
        assert archive.namelist() == [
            f"{root}/",
            f"{root}/metadata.json",
            f"{root}/data/",
            f"{root}/metadata/",
            f"{root}/data/acme/",
            f"{root}/metadata/acme/",
            f"{root}/metadata/acme.json",
            *(
                f"{root}/{path}"
                for name in ("ailing", "good", "never", "org-file")
                for path in (f"metadata/acme/{name}.json", f"data/acme/{name}.xml")
            ),
        ]
        assert json.loads(archive.read(f"{root}/metadata.json")) == {
            "created_at": "2026-03-01T13:00:05Z",
            "updated_at": "2026-03-01T13:00:05Z",
        }
        assert json.loads(archive.read(f"{root}/metadata/acme.json")) == {"id": identifier("org"), "name": "acme"}
        assert archive.read(f"{root}/data/acme/good.xml") == activities()
        assert archive.getinfo(f"{root}/data/acme/never.xml").file_size == 0
        good = json.loads(archive.read(f"{root}/metadata/acme/good.json"))
        assert good == {
            "id": identifier("good"),
            "name": "good",
            "title": "good",
            "notes": "",
            "license_id": "cc-by",
            "license_title": "Creative Commons Attribution",
            "isopen": True,
            "metadata_modified": "2026-03-01T12:00:00.000000",
            "organization": {"id": identifier("org"), "name": "acme"},
            "resources": [
                {
                    "format": "IATI-XML",
                    "mimetype": "application/xml",
                    "url": "https://acme.example/good.xml",
                    "hash": EXCLUDING,
                    "size": len(activities()),
                }
            ],
            "extras": [{"key": "filetype", "value": "activity"}, {"key": "content_modified", "value": "2026-03-01T12:00:00Z"}],
            "tags": [],
            "groups": [],
            "users": [],
        }
        never = json.loads(archive.read(f"{root}/metadata/acme/never.json"))
        assert never["extras"] == [{"key": "filetype", "value": "activity"}]
        assert never["metadata_modified"] == never_updated.strftime("%Y-%m-%dT%H:%M:%S.%f")
        assert json.loads(archive.read(f"{root}/metadata/acme/org-file.json"))["extras"][0] == {"key": "filetype", "value": "organisation"}


def test_equal_records_give_equal_files(cycle: Cycle, published: Path, tmp_path: Path) -> None:
    publish(cycle, tmp_path / "again")
    names = sorted(path.name for path in published.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    assert all((published / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)


def test_a_copy_whose_content_is_lost_is_published_as_none(cycle: Cycle, published: Path, tmp_path: Path) -> None:
    cycle.contents.delete(SHA256)
    report = publish(cycle, tmp_path / "again")
    assert report.missing == [identifier("good")]
    assert (report.datasets, report.copies) == (4, 2)
    assert dataset(tmp_path / "again", "datasets-minimal", "good")["last_known_good_dataset"] == NULL_COPY
    assert Published(tmp_path / "again").copy("acme", "good") is None
    with zipfile.ZipFile(tmp_path / "again" / "iati-data.zip") as archive:
        assert "iati-data/datasets/acme/good.xml" not in archive.namelist()


@pytest.mark.filterwarnings("ignore:Warning. Data was last updated")
def test_iatikit_reads_the_data_dump(published: Path, tmp_path: Path) -> None:
    """The library behind IATI Tables and Datastore Classic, unchanged, over our ZIP."""
    iatikit = pytest.importorskip("iatikit")
    with zipfile.ZipFile(published / "code-for-iati-data-download.zip") as archive:
        archive.extractall(tmp_path / "dump")
    registry_of_files = iatikit.data(path=str(tmp_path / "dump" / "iati-data-main"))
    assert registry_of_files.last_updated == datetime(2026, 3, 1, 13, 0, 5)  # noqa: DTZ001 - iatikit's times carry no zone
    publishers = list(registry_of_files.publishers)
    assert [publisher.name for publisher in publishers] == ["acme"]
    assert publishers[0].metadata == {"id": identifier("org"), "name": "acme"}
    read = {file.name: file for file in publishers[0].datasets}
    assert sorted(read) == ["ailing", "good", "never", "org-file"]
    assert {name: file.filetype for name, file in read.items()} == {
        "ailing": "activity",
        "good": "activity",
        "never": "activity",
        "org-file": "organisation",
    }
    assert (read["good"].version, read["org-file"].version) == ("2.03", "2.03")
    assert len(read["ailing"].activities) == 1
    assert read["good"].metadata["license_id"] == "cc-by"
    assert read["good"].metadata["extras"]["filetype"] == "activity"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mon, 02 Mar 2026 10:00:00 GMT", "2026-03-02T10:00:00Z"),
        ("Monday, 02-Mar-26 10:00:00 GMT", "2026-03-02T10:00:00Z"),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("Mon, 99 Mar 2026 10:00:00 GMT", None),
    ],
)
def test_last_modified(value: str | None, expected: str | None) -> None:
    assert http_time(value) == expected


def test_licences() -> None:
    assert licence("cc-by") == ("Creative Commons Attribution", True)
    assert licence("notspecified") == ("License Not Specified", False)
    assert licence("house-rules") == ("house-rules", False)
    assert licence(None) == (None, False)


def test_a_minute_is_enough_to_tell_generations_apart(cycle: Cycle, published: Path, tmp_path: Path) -> None:
    with reading(cycle.engine) as session:
        found, organisations = entries(session), registry.public_organisations(session)
    write_bulk(tmp_path / "later", found, organisations, cycle.contents, CREATED + timedelta(minutes=1), BASE)
    before, after = Published(published), Published(tmp_path / "later")
    assert all(before.files[name].etag != after.files[name].etag for name in before.files)

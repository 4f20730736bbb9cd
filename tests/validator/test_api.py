# ruff: noqa: E501 - XML reads better on one line
"""The Validator over HTTP: documented statuses and bodies, for good files, bad files and what is no file at all."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from iati_platform.settings import load_settings
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore
from iati_platform.storage.objects import ObjectStore
from iati_platform.validator import report_to_json, validate
from iati_platform.validator.api import create_app
from iati_platform.web.platform import Platform
from tests.validator.files import ACTIVITY, TODAY, changed, file_of

SHA = "ab" * 32
DATASET = "11111111-1111-1111-1111-111111111111"


class Published:
    """A generation with two datasets, one of them not validated."""

    number = 1
    path = Path("unused")
    created = datetime(2026, 6, 30, tzinfo=UTC)
    manifest: ClassVar[dict[str, Any]] = {
        "datasets": {
            DATASET: {"short_name": "org-act", "url": "https://example.org/a.xml", "content": SHA, "hash": "f00", "code_version": "code"},
            "2": {"short_name": "org-new", "url": "", "content": None, "code_version": "code"},
        }
    }


@pytest.fixture
def client(database: Engine, tmp_path: Path) -> TestClient:
    settings = load_settings({"IATI_MAX_UPLOAD": "100000"}, tmp_path)
    objects = ObjectStore(settings.object_store_url)
    artefacts = ArtefactStore(objects)
    late = file_of(changed('iso-date="2025-01-01"', 'iso-date="2026-05-01"').replace('code="KE"', 'code="XX"'))
    artefacts.write(SHA, "code", {"report": report_to_json(validate(late, as_of=date(2026, 1, 1)))}, {})
    platform = Platform(settings, database, objects, ContentStore(objects), artefacts, lambda: Published(), lambda: TODAY, "code")
    return TestClient(create_app(platform))


def posted(client: TestClient, data: bytes, path: str = "/validate", **query: str) -> httpx.Response:
    return client.post(path, content=data, params=query, headers={"content-type": "application/xml"})


def test_a_good_file(client: TestClient) -> None:
    answer = posted(client, file_of(ACTIVITY))
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == [
        "valid", "fileType", "iatiVersion", "rulesetCommitSha", "codelistCommitSha", "orgIdPrefixFileName", "apiVersion", "summary", "errors",
    ]  # fmt: skip
    assert (body["valid"], body["fileType"], body["iatiVersion"]) == (True, "iati-activities", "2.03")
    assert (body["summary"], body["errors"]) == ({"critical": 0, "error": 0, "warning": 0, "advisory": 0}, [])


def test_findings_are_grouped_by_activity_and_category_or_flat(client: TestClient) -> None:
    wrong = file_of(changed('code="KE"', 'code="XX"'))
    (group,) = posted(client, wrong).json()["errors"]
    assert (list(group), group["identifier"], group["title"]) == (["errors", "identifier", "title"], "GB-COH-000001-A1", "Wells")
    (category,) = group["errors"]
    (finding,) = category["errors"]
    assert (category["category"], finding["id"], finding["severity"], finding["codelist"]) == ("geo", "9.50.1", "error", "Country")
    text = '"XX" is not a valid value for attribute @code, in element <recipient-country>'
    assert finding["context"] == [
        {
            "text": text,
            "line": 10,
            "column": 26,
            "xpath": "/iati-activities/iati-activity[1]/recipient-country/@code",
            "element": "code of recipient-country",
        }
    ]
    flat = posted(client, wrong, "/api/pub/validate", group="false", details="true", meta="true").json()
    assert flat["errors"] == [
        {
            **finding,
            "details": {"xpath": finding["context"][0]["xpath"]},
            "category": "geo",
            "identifier": "GB-COH-000001-A1",
            "title": "Wells",
        }
    ]
    assert flat["iati-activities"] == [{"identifier": "GB-COH-000001-A1", "valid": True, "index": 0}]


@pytest.mark.parametrize(
    ("data", "status", "rule"),
    [
        (b"<iati-activities", 400, "0.1.1"),
        (b"\xff\xfe\x00\x01", 400, "0.1.1"),
        (gzip.compress(file_of(ACTIVITY), mtime=0), 400, "0.1.1"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 400, "0.1.1"),
        (b"<a>" * 1000 + b"</a>" * 1000, 422, "0.2.1"),
        (b"<rss/>", 422, "0.2.1"),
        (b"[]", 400, "0.1.1"),
        (file_of(ACTIVITY, version="3.0"), 422, "0.6.1"),
        (file_of("<iati-activity/>"), 422, "0.3.1"),
    ],
)
def test_bad_files_have_a_status_and_a_report(client: TestClient, data: bytes, status: int, rule: str) -> None:
    answer = posted(client, data, group="false")
    assert (answer.status_code, answer.json()["valid"]) == (status, False)
    assert rule in [error["id"] for error in answer.json()["errors"]]


def test_what_is_no_file(client: TestClient) -> None:
    for data in (b"", b" ", b"{}"):
        answer = posted(client, data)
        assert (answer.status_code, answer.json()) == (400, {"error": "No body"})
    answer = client.post("/validate", json=[])
    assert (answer.status_code, answer.json()) == (400, {"error": "Body must be an application/xml string"})
    answer = posted(client, b"<a>" + b" " * 100_000 + b"</a>")
    assert answer.status_code == 413
    assert "MiB" in answer.json()["error"]


@pytest.mark.parametrize(
    "query", [{"id": DATASET}, {"hash": SHA}, {"hash": "f00"}, {"url": "https://example.org/a.xml"}, {"name": "org-act"}]
)
def test_a_stored_report_is_found_by_any_key_and_is_as_of_today(client: TestClient, query: dict[str, str]) -> None:
    for path in ("/report", "/api/pub/validation/existing"):
        answer = client.get(path, params=query)
        body = answer.json()
        assert answer.status_code == 200
        assert list(body) == ["registry_hash", "registry_id", "registry_name", "document_url", "valid", "report"]
        assert [body[key] for key in list(body)[:5]] == ["f00", DATASET, "org-act", "https://example.org/a.xml", True]
        assert body["report"]["summary"] == {"critical": 0, "error": 1, "warning": 0, "advisory": 0}  # the start has come since
        brief = client.get(path, params={**query, "showerrors": "False"}).json()["report"]
        assert brief == {"valid": True, "summary": body["report"]["summary"], "fileType": "iati-activities", "iatiVersion": "2.03"}


def test_reports_that_are_not_there(client: TestClient) -> None:
    assert client.get("/report").status_code == 422
    for query in ({"id": "no"}, {"name": "org-new"}, {"testfile": "x"}):
        answer = client.get("/report", params=query)
        assert (answer.status_code, list(answer.json())) == (404, ["client_error"])

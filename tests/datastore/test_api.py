"""The HTTP interface, on the real application over a really built index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from iati_platform.datastore.api import create_app
from iati_platform.settings import load_settings
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore
from iati_platform.storage.database import make_engine
from iati_platform.storage.objects import ObjectStore
from iati_platform.web.platform import Platform
from tests.datastore.material import Activity, build, dataset, file_of

DATA = file_of(
    Activity("A-1", 'Water, "clean"\nfor all', ("Zweiter, Titel",), countries=("AF", "KE"), updated="2020-01-02T11:23:00Z", hierarchy="1",
             transactions=(("3", "2020-05-01", "100.5", "Pay"), ("4", "2020-06-01", "7", "Again"))),
    Activity("A-2", "Schools", countries=("AF",), humanitarian="1", budgets=(("2020-01-01", "2020-12-31", "5000"),)),
    Activity("A-3", "Roads"),
)  # fmt: skip


@dataclass
class Generation:
    number: int
    path: Path
    created: datetime
    manifest: dict[str, object]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[TestClient, Callable[[bytes], None]]]:
    """A client of the Datastore on an empty platform, and a way to publish a file as the next generation."""
    current: list[Generation] = []
    objects = ObjectStore(tmp_path / "objects")
    contents = ContentStore(objects)
    settings = load_settings({}, tmp_path)
    app = create_app(
        Platform(
            settings=settings,
            engine=make_engine(f"sqlite:///{tmp_path}/records.sqlite"),
            objects=objects,
            contents=contents,
            artefacts=ArtefactStore(objects),
            generation=lambda: current[-1] if current else None,
            today=lambda: date(2026, 3, 1),
            code_version="test",
        )
    )

    def publish(data: bytes) -> None:
        number = len(current) + 1
        content = contents.put(data)
        ref = dataset("one")
        object.__setattr__(ref, "content_sha256", content.sha256)
        build(tmp_path / str(number) / "search", [(ref, data)])
        current.append(Generation(number, tmp_path / str(number), datetime.now(UTC), {}))

    with TestClient(app) as client:
        yield client, publish


@pytest.fixture
def client(platform: tuple[TestClient, Callable[[bytes], None]]) -> TestClient:
    client, publish = platform
    publish(DATA)
    return client


def docs(client: TestClient, query: str, collection: str = "activity") -> list[dict[str, Any]]:
    answer = client.get(f"/{collection}/select?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["response"]["docs"]
    return found


def test_an_empty_platform_finds_nothing(platform: tuple[TestClient, Callable[[bytes], None]]) -> None:
    client, publish = platform
    for collection in ("activity", "transaction", "budget"):
        answer = client.get(f"/{collection}/select?q=*:*").json()
        assert answer["response"] == {"numFound": 0, "start": 0, "numFoundExact": True, "docs": []}
    publish(DATA)
    assert client.get("/activity/select?q=*:*").json()["response"]["numFound"] == 3
    publish(file_of(Activity("B")))
    assert client.get("/activity/select?q=*:*").json()["response"]["numFound"] == 1


def test_the_json_envelope(client: TestClient) -> None:
    answer = client.get(
        "/activity/select?q=recipient_country_code:AF&fl=iati_identifier,recipient_country_code,hierarchy&sort=iati_identifier+asc&fq=*:*&fq=hierarchy:*"
    )
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    body = answer.json()
    assert isinstance(body["responseHeader"].pop("QTime"), int)
    assert body == {
        "responseHeader": {
            "status": 0,
            "params": {
                "q": "recipient_country_code:AF",
                "fl": "iati_identifier,recipient_country_code,hierarchy",
                "sort": "iati_identifier asc",
                "fq": ["*:*", "hierarchy:*"],
            },
        },
        "response": {
            "numFound": 1,
            "start": 0,
            "numFoundExact": True,
            "docs": [{"iati_identifier": "A-1", "recipient_country_code": ["AF", "KE"], "hierarchy": 1}],
        },
    }
    assert answer.text.startswith("{\n")
    assert client.get("/activity/select?q=*:*&indent=false&omitHeader=true&rows=0").text == (
        '{"response":{"numFound":3,"start":0,"numFoundExact":true,"docs":[]}}\n'
    )


def test_without_q_nothing_is_found(client: TestClient) -> None:
    assert client.get("/activity/select").json()["response"]["numFound"] == 0


def test_field_lists(client: TestClient) -> None:
    base = "q=iati_identifier_exact:A-1&"
    assert docs(client, base + "fl=iati_identifier&fl=hier*") == [{"iati_identifier": "A-1", "hierarchy": 1}]
    assert docs(client, base + "fl=who:iati_identifier no_such_name [json]") == [{"who": "A-1"}]
    assert docs(client, base + "fl=activity_date*") == [{"activity_date_type": ["1"], "activity_date_iso_date": ["2020-01-01T00:00:00Z"]}]
    default = docs(client, base)[0]
    assert "id" not in default
    assert default["transaction_value"] == [100.5, 7.0]
    everything = docs(client, base + "fl=*")[0]
    assert set(everything) - set(default) == {
        "id", "indexed_datetime", "iati_identifier_exact", "iati_activities_document_id", "iati_activities_document_hash", "iati_xml",
    }  # fmt: skip
    scored = client.get("/activity/select?q=title_narrative:water&fl=id,score").json()["response"]
    assert scored["maxScore"] == scored["docs"][0]["score"] > 0


def test_original_xml_is_cut_out_of_the_file(client: TestClient) -> None:
    (one,) = docs(client, "q=iati_identifier_exact:A-2&fl=iati_xml")
    assert one["iati_xml"].encode() in DATA
    assert etree.fromstring(one["iati_xml"]).findtext("iati-identifier") == "A-2"


def test_transactions_and_budgets_carry_their_activity(client: TestClient) -> None:
    found = docs(
        client, "q=hierarchy:1&fl=iati_identifier,transaction_value,recipient_country_code&sort=transaction_value asc", "transaction"
    )
    assert found == [
        {"iati_identifier": "A-1", "transaction_value": [7.0], "recipient_country_code": ["AF", "KE"]},
        {"iati_identifier": "A-1", "transaction_value": [100.5], "recipient_country_code": ["AF", "KE"]},
    ]
    assert docs(client, "q=humanitarian:true&fl=budget_value,iati_identifier", "budget") == [
        {"budget_value": [5000.0], "iati_identifier": "A-2"}
    ]


def test_rows_are_clamped_and_start_counts(client: TestClient) -> None:
    body = client.get("/activity/select?q=*:*&rows=24595&start=2&sort=iati_identifier asc&fl=iati_identifier").json()["response"]
    assert body == {"numFound": 3, "start": 2, "numFoundExact": True, "docs": [{"iati_identifier": "A-3"}]}
    assert docs(client, "q=*:*&start=2000000000") == []


def test_csv(client: TestClient) -> None:
    base = "/activity/select?q=*:*&wt=csv&sort=iati_identifier asc&fl=iati_identifier,title_narrative,hierarchy,humanitarian&rows=2"
    answer = client.get(base)
    assert answer.headers["content-type"] == "text/plain;charset=utf-8"
    assert answer.text == (
        'iati_identifier,title_narrative,hierarchy,humanitarian\nA-1,"Water\\, ""clean""\nfor all,Zweiter\\, Titel",1,\nA-2,Schools,,true\n'
    )
    dialect = "&csv.separator=;&csv.mv.separator=|&csv.header=false&csv.null=-&csv.newline=%0D%0A&csv.encapsulator='"
    assert client.get(base + dialect).text == "A-1;'Water, \"clean\"\nfor all|Zweiter, Titel';1;-\r\nA-2;Schools;-;true\r\n"
    assert client.get("/activity/select?q=*:*&wt=csv&rows=0&fl=iati_identifier,hierarchy").text == "iati_identifier,hierarchy\n"
    names = client.get("/budget/select?q=*:*&wt=csv&rows=0&fl=*").text.strip().split(",")
    assert len(names) == 313
    assert "iati_xml" not in names


def test_the_xml_envelope(client: TestClient) -> None:
    root = etree.fromstring(client.get("/activity/select?q=hierarchy:1&wt=xml&fl=hierarchy,iati_identifier,recipient_country_code").content)
    result = root.find("result")
    assert result is not None
    assert result.get("numFound") == "1"
    assert etree.tostring(result[0]) == (
        b'<doc><int name="hierarchy">1</int><str name="iati_identifier">A-1</str>'
        b'<arr name="recipient_country_code"><str>AF</str><str>KE</str></arr></doc>\n'
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("q=water", "no default field"),
        ("q=a:(", "closing bracket"),
        ("q=transaction_value:x", "is not a number"),
        ("q=last_updated_datetime:soon", "is not a date"),
        ("q=*:*&sort=title_narrative asc", "Cannot sort"),
        ("q=*:*&rows=-1", "rows must be"),
        ("q=*:*&start=x", "start must be"),
        ("q=*:*&wt=php", "wt=php"),
        ("q=*:*&q.op=XOR", "q.op"),
        ("q=*:*&scope=some", "scope"),
        ("q=*:*&wt=csv&csv.separator=,,", "single character"),
        ("q=" + " ".join(["a:b"] * 1025), "too many clauses"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"/activity/select?{query}")
    body = answer.json()
    assert answer.status_code == 400
    assert words in body["error"]["msg"]
    assert body["error"]["code"] == body["responseHeader"]["status"] == 400
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_default_field_takes_bare_words(client: TestClient) -> None:
    assert docs(client, "q=schools&df=iati_text&fl=iati_identifier") == [{"iati_identifier": "A-2"}]


def test_unknown_operations_answer_in_the_same_envelope(client: TestClient) -> None:
    for path in ("/activity/delete", "/organisation/select", "/"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == 404
    assert client.delete("/activity/select").status_code == 405


def test_head_options_and_post(client: TestClient) -> None:
    head = client.head("/activity/select?q=*:*")
    assert (head.status_code, head.content) == (200, b"")
    asked = client.options(
        "/activity/select", headers={"Origin": "https://x.example", "Access-Control-Request-Headers": "Ocp-Apim-Subscription-Key"}
    )
    assert asked.status_code == 204
    assert "Ocp-Apim-Subscription-Key" in asked.headers["access-control-allow-headers"]
    posted = client.post("/activity/select", data={"q": "hierarchy:1", "fl": "iati_identifier"})
    assert posted.json()["response"]["docs"] == [{"iati_identifier": "A-1"}]
    assert client.post("/activity/select", json={"q": "*:*"}).status_code == 415

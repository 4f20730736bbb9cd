"""The portal over a real small platform: every page, its JSON and its CSV."""

from __future__ import annotations

import csv
import io
import re

import pytest
from lxml import html as markup

from tests.portal.conftest import Site

PAGES = [
    "/", "/search", "/search?q=water", "/organisations", "/organisations/hartwell-trust", "/datasets", "/datasets/hartwell-trust-all",
    "/datasets/hartwell-trust-all/report", "/datasets/school-meals-archive", "/datasets/tumaini-health-activities",
    "/activities/hartwell-trust-all/1",
    "/licences", "/glossary", "/status", "/docs", "/docs/datastore",
]  # fmt: skip


def text(element: markup.HtmlElement) -> str:
    return " ".join(element.text_content().split())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_safe_and_small(site: Site, path: str) -> None:
    answer = site.get(path, Accept_Encoding="gzip")
    assert answer.status_code == 200
    page = markup.fromstring(answer.content)
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//*[@style] | //style | //script[not(@src)]") == []
    ids = page.xpath("//@id")
    assert sorted(ids) == sorted(set(ids))
    assert int(answer.headers["content-length"]) < 50_000
    for link in page.xpath("//a[starts-with(@href, 'http')]"):
        assert "nofollow" in link.get("rel", "")
        assert "noopener" in link.get("rel", "")
    assert re.search(r"\bNone\b(?!-Match)", text(page.get_element_by_id("content"))) is None


@pytest.mark.parametrize("path", PAGES)
def test_every_link_inside_leads_somewhere(site: Site, path: str) -> None:
    page = markup.fromstring(site.get(path).content)
    elsewhere = ("/bulk-data", "/openapi", "/health", "/ready", "/metrics", "/patterns", "/datastore", "/validator")
    for address in {link.split("#")[0] for link in page.xpath("//a/@href") if link.startswith("/")}:
        if address and not address.startswith(elsewhere):
            assert site.get(address).status_code == 200, address
    for anchor in {link[1:] for link in page.xpath("//a/@href") if link.startswith("#")}:
        assert page.xpath("//*[@id=$name]", name=anchor), anchor


@pytest.mark.parametrize(
    "path", ["/", "/search", "/search?q=water", "/organisations", "/datasets", "/licences", "/glossary", "/status", "/docs"]
)
def test_an_empty_platform_has_helpful_pages(empty_site: Site, path: str) -> None:
    assert empty_site.get(path).status_code == 200
    assert "This platform is empty" in empty_site.get("/").text


def test_the_front_page_counts_what_is_here(site: Site) -> None:
    page = markup.fromstring(site.get("/").content)
    figures = {text(one.find("dt")): text(one.find("dd")) for one in page.xpath("//dl[@class='figures']/div")}
    generation = site.house.generations.current()
    assert generation is not None
    totals = generation.manifest["totals"]
    assert figures["Organisations"] == "7"
    assert figures["Datasets"] == str(totals["datasets"])
    assert figures["Transactions"] == f"{totals['transactions']:,}"
    assert set(figures) == {"Organisations", "Datasets", "Activities", "Transactions", "Data", "Follow the schema"}
    assert "2026-11-02 06:00 UTC" in text(page.xpath("//footer")[0])


def test_a_list_is_the_same_as_page_json_and_csv(site: Site) -> None:
    rows = list(csv.DictReader(io.StringIO(site.get("/datasets.csv?download=error").text)))
    listed = site.get("/datasets.json?download=error").json()
    assert [row["short_name"] for row in rows] == [row["short_name"] for row in listed["datasets"]]
    assert listed["total"] == len(rows)
    assert {row["short_name"]: row["download"] for row in rows} == {
        "open-ledger-plans": "error:http_non_200",
        "school-meals-archive": "error:not_iati_content",
        "teralund-partnership-archive": "error:http_non_200",
        "tumaini-health-archive": "error:not_iati_content",
    }
    page = markup.fromstring(site.get("/datasets?download=error").content)
    assert [text(cell) for cell in page.xpath("//tbody/tr/td[1]")] == [row["short_name"] for row in rows]
    assert site.get("/datasets?download=error", accept="application/json").json() == listed
    assert site.get("/datasets?download=error", accept="text/csv").text == site.get("/datasets.csv?download=error").text
    assert {row["organisation"] for row in csv.DictReader(io.StringIO(site.get("/datasets.csv?org=school-meals").text))} == {"school-meals"}


def test_organisations_can_be_searched_sorted_and_taken_away(site: Site) -> None:
    found = site.get("/organisations.json?sort=-datasets").json()
    counts = [row["datasets"] for row in found["organisations"]]
    assert counts == sorted(counts, reverse=True)
    assert [row["short_name"] for row in site.get("/organisations.json?q=hartwell").json()["organisations"]] == ["hartwell-trust"]
    one = site.get("/organisations/hartwell-trust.json").json()
    assert [row["short_name"] for row in one["datasets"]] == ["hartwell-trust-activities", "hartwell-trust-all", "hartwell-trust-org"]
    history = list(csv.DictReader(io.StringIO(site.get("/organisations/hartwell-trust/history.csv").text)))
    assert list(history[0]) == ["day", "activities", "datasets", "valid_datasets", "size"]


def test_a_dataset_whose_server_fails_is_shown_from_its_last_good_copy(site: Site) -> None:
    one = site.get("/datasets/hartwell-trust-all.json").json()
    assert one["download"] == "stale:http_non_200"
    assert [notice["title"] for notice in one["notices"]] == ["The last download failed; the last good copy is shown"]
    assert one["notices"][0]["text"].startswith(
        "The server answered 404: there is no such file. Everything below comes from the copy of 2026-11-01 06:00 UTC."
    )
    assert one["copy"]["failing_since"] == "2026-11-02T06:00:00Z"
    assert one["copy"]["last_good_copy_downloaded"] == "2026-11-01T06:00:00Z"
    assert one["failed_attempt"]["error_type"] == "http_non_200"
    assert [(event["at"], event["title"]) for event in one["history"]] == [
        ("2026-11-02T06:00:00Z", "Download began to fail"),
        ("2026-11-01T06:00:00Z", "Downloaded"),
        ("2026-11-01T06:00:00Z", "First seen in the registry"),
        ("2026-11-01T06:00:00Z", "Registered"),
    ]
    assert one["contents"]["total"] == one["activities"]


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("school-meals-archive", "What the address gives cannot be used", "The file has no content."),
        (
            "tumaini-health-archive",
            "What the address gives cannot be used",
            "The address gives a compressed file; only plain XML is taken.",
        ),
        ("teralund-partnership-archive", "This file could not be downloaded", "The server answered 404: there is no such file."),
        ("tumaini-health-activities", "This file cannot be read as IATI data", ""),
        ("samberie-cooperation-archive", "This file cannot be read as IATI data", ""),
    ],
)
def test_each_failure_has_its_words(site: Site, name: str, title: str, said: str) -> None:
    page = markup.fromstring(site.get(f"/datasets/{name}").content)
    notice = text(page.xpath("//div[contains(@class, 'notice')]")[0])
    assert notice.startswith(title)
    assert said in notice


def test_a_changed_file_shows_what_changed(site: Site) -> None:
    first = site.get("/datasets/delta-women-activities.json").json()["history"][0]
    assert (first["at"], first["title"]) == ("2026-11-02T06:00:00Z", "Content changed")
    assert [change["field"] for change in first["changes"]] == ["Size", "SHA-256"]
    assert first["changes"][0]["new"] - first["changes"][0]["old"] == 2 * len("<!-- edited -->")


def test_the_report_is_filtered_and_shows_the_source(site: Site) -> None:
    name = "/datasets/teralund-partnership-et"
    whole = site.get(f"{name}/report.json").json()
    assert whole["summary"] == {"critical": 0, "error": 1, "warning": 0, "advisory": 0}
    (finding,) = whole["findings"]
    assert (finding["id"], finding["severity"], finding["category"]) == ("2.1.2", "error", "classifications")
    place = finding["context"][0]
    page = markup.fromstring(site.get(f"{name}/report?severity=error").content)
    (shown,) = page.xpath("//ol[@class='findings']/li")
    assert finding["message"] in text(shown)
    source = (site.source / "data" / "teralund-partnership" / "teralund-partnership-et.xml").read_text().splitlines()
    assert page.xpath("string(//pre//mark)").strip() == source[place["line"] - 1].strip()
    assert page.xpath("//ol[@class='findings']/li[1]//pre//span[@class='nr']/text()")[1] == str(place["line"])
    rows = list(csv.DictReader(io.StringIO(site.get(f"{name}/report.csv").text)))
    assert [(row["rule"], row["identifier"], row["line"]) for row in rows] == [
        ("2.1.2", finding["identifier"], str(one["line"])) for one in finding["context"]
    ]
    assert "No finding matches" in site.get(f"{name}/report?severity=critical").text
    assert site.get("/datasets/school-meals-archive/report").status_code == 404
    assert "1 error" in text(markup.fromstring(site.get(name).content).xpath("//div[@class='title-line']")[0])


def test_contents_say_why_an_activity_is_held_back(site: Site) -> None:
    rows = list(csv.DictReader(io.StringIO(site.get("/datasets/open-ledger-archive.csv").text)))
    assert [(row["number"], row["in_datastore"]) for row in rows] == [("1", "false"), ("2", "false")]
    assert all(row["held_back"] for row in rows)
    admitted = list(csv.DictReader(io.StringIO(site.get("/datasets/hartwell-trust-all.csv").text)))
    assert {row["held_back"] for row in admitted} == {""}


def test_an_activity_has_a_page_and_all_its_fields_as_json(site: Site) -> None:
    fields = site.get("/activities/hartwell-trust-all/1.json").json()
    page = markup.fromstring(site.get("/activities/hartwell-trust-all/1").content)
    identifier = fields["iati_identifier"]
    assert identifier in text(page.get_element_by_id("content"))
    assert "Transactions" in [text(heading) for heading in page.xpath("//h2")]
    assert site.get("/activities/hartwell-trust-all/0").status_code == 404
    assert site.get("/activities/hartwell-trust-all/999").status_code == 404
    hits = site.get(f"/search.json?q={identifier}").json()["activities"]["hits"]
    assert "/activities/hartwell-trust-all/1" in [hit["href"] for hit in hits]


@pytest.mark.parametrize("q", ["(((", "a:b", "\\", '"', "title_narrative:*", "AND OR NOT", "[* TO", "x" * 600, "%00"])
def test_whatever_is_typed_into_the_search_box_is_answered(site: Site, q: str) -> None:
    assert site.get("/search?q=" + q.replace("%", "%25").replace("\\", "%5C").replace('"', "%22").replace("[", "%5B")).status_code == 200


def test_what_is_not_there_is_a_helpful_404(site: Site) -> None:
    page = site.get("/datasets/nowhere")
    assert page.status_code == 404
    assert "No dataset of this name is registered" in page.text
    assert site.get("/organisations/nowhere.json", accept="application/json").json()["error"]["status"] == 404


def test_pages_are_not_sent_again_until_something_changes(site: Site) -> None:
    for path in ("/", "/organisations", "/datasets", "/datasets/hartwell-trust-all", "/organisations/hartwell-trust", "/datasets.json"):
        first = site.get(path)
        again = site.get(path, If_None_Match=first.headers["etag"])
        assert (path, again.status_code, again.content) == (path, 304, b"")


def test_status_and_licences_tell_the_truth(site: Site) -> None:
    state = site.get("/status.json").json()
    assert state["engines"] == {"Records": "ok", "Files and artefacts": "ok", "Search and tables": "ok"}
    assert state["generation"] == {"number": 2, "created": "2026-11-02T06:00:00Z"}
    assert len(state["sessions"]) == 2
    assert "Everything answers" in site.get("/status").text
    assert str(site.source) not in site.get("/status").text
    licences = site.get("/licences").text
    for said in ("Creative Commons Attribution 4.0", "MIT", "International Monetary Fund", "lxml", "tantivy"):
        assert said in licences
    assert not re.search(r"\bA?GPL", licences)

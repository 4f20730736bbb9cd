"""The frame of every page, caching, languages, static files and the pattern library."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import anyio
import httpx
import pytest
from lxml import html as markup
from starlette.applications import Starlette
from starlette.routing import Mount

from iati_platform.web import patterns, static
from iati_platform.web.frame import ENTRIES
from iati_platform.web.glossary import TERMS
from iati_platform.web.pages import chosen_language, environment, term
from iati_platform.web.platform import Platform
from iati_platform.web.protection import protected
from tests.web.platforms import Published, calling, make_platform


def ask(platform: Platform, path: str, **headers: str) -> httpx.Response:
    app = protected(Starlette(routes=[Mount("/patterns", patterns.create_app(platform)), *static.ROUTES]), platform.settings)

    async def run() -> httpx.Response:
        async with calling(app) as session:
            return await session.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return anyio.run(run)


def test_the_header_leads_only_to_what_answers(tmp_path: Path) -> None:
    page = markup.fromstring(ask(make_platform(tmp_path), "/patterns/").content)
    shown = [(link.text, link.get("href")) for link in page.xpath("//nav[@class='entries']/a")]
    assert shown == [("Explore data", "/search"), ("Organisations", "/organisations"), ("Files", "/datasets"), ("For developers", "/docs")]
    assert [entry.label for entry in ENTRIES] == ["Explore data", "Publish", "Organisations", "Files", "For developers"]


def test_the_footer_tells_how_fresh_the_data_is(tmp_path: Path) -> None:
    empty = markup.fromstring(ask(make_platform(tmp_path), "/patterns/").content)
    assert empty.xpath("string(//footer//p)").split() == ["No", "data", "published", "yet"]
    full = markup.fromstring(ask(make_platform(tmp_path, Published), "/patterns/").content)
    assert full.xpath("string(//footer//p)").split() == ["Data", "and", "statistics", "as", "of", "2026-11-21", "17:05", "UTC", "yesterday"]


def test_a_page_has_one_heading_a_skip_link_and_no_inline_code(tmp_path: Path) -> None:
    answer = ask(make_platform(tmp_path), "/patterns/")
    page = markup.fromstring(answer.content)
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//body/*[1]/@href") == ["#content"]
    assert page.xpath("//*[@style] | //style | //script[not(@src)] | //*[@onclick]") == []
    assert all(address.startswith("/") for address in page.xpath("//script/@src | //link/@href | //img/@src"))
    ids = page.xpath("//@id")
    assert sorted(ids) == sorted(set(ids))
    assert re.findall(r"\{\{|\}\}|\{%", answer.text) == []


def test_a_page_that_did_not_change_is_not_sent_again(tmp_path: Path) -> None:
    platform = make_platform(tmp_path, Published)
    first = ask(platform, "/patterns/")
    again = ask(platform, "/patterns/", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"
    assert ask(make_platform(tmp_path, lambda: Published(8)), "/patterns/").headers["etag"] == first.headers["etag"]


def test_a_page_with_style_and_script_stays_small(tmp_path: Path) -> None:
    platform = make_platform(tmp_path)
    parts = [
        ask(platform, path, Accept_Encoding="identity").content
        for path in ("/patterns/", static.address("site.css"), static.address("site.js"))
    ]
    assert sum(len(gzip.compress(part)) for part in parts) < 60_000


def test_static_files_may_be_kept_for_ever_under_the_name_of_their_content(tmp_path: Path) -> None:
    platform = make_platform(tmp_path)
    named = ask(platform, static.address("site.css"))
    assert (named.status_code, named.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ask(platform, "/static/site.css").headers["cache-control"] == "no-cache"
    assert ask(platform, "/static/site.css", If_None_Match=named.headers["etag"]).status_code == 304
    assert ask(platform, "/static/..%2Fpages.py").status_code == 404


@pytest.mark.parametrize("header", ["", "de", "en-GB,en;q=0.8", "fr;q=0.1, en", "xx;q=nonsense"])
def test_english_is_spoken_until_there_is_a_catalogue(header: str) -> None:
    assert chosen_language(header) == "en"


def test_every_shared_template_compiles_and_missing_values_are_errors() -> None:
    made = environment("iati_platform.portal")
    names = made.list_templates()
    assert {"web/frame.html", "parts/table.html", "portal/home.html"} <= set(names)
    for name in names:
        made.get_template(name)


def test_glossary_terms_are_explained_where_they_stand() -> None:
    assert str(term("dataset")).startswith('<a class="term" href="/glossary#dataset" title="One registered XML file')
    assert list(TERMS) == sorted(TERMS)

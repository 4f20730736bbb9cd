"""Every page in a real browser: accessible, no wider than the screen, without scripts, by keyboard, in light and dark."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")
pytestmark = pytest.mark.browser

PAGES = {
    "home": "/",
    "search": "/search?q=water",
    "organisations": "/organisations",
    "organisation": "/organisations/hartwell-trust",
    "datasets": "/datasets",
    "dataset": "/datasets/teralund-partnership-et",
    "dataset-last-good-copy": "/datasets/hartwell-trust-all",
    "dataset-broken": "/datasets/tumaini-health-activities",
    "dataset-missing": "/datasets/school-meals-archive",
    "report": "/datasets/teralund-partnership-et/report",
    "activity": "/activities/hartwell-trust-all/1",
    "licences": "/licences",
    "glossary": "/glossary",
    "status": "/status",
    "docs": "/docs",
    "patterns": "/patterns/",
    "not-found": "/datasets/nowhere",
}
SCREENS = ((360, "light"), (768, "light"), (1280, "light"), (1280, "dark"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENSHOTS = os.environ.get("IATI_TEST_SCREENSHOTS")
"""A folder: pictures of every page at every width are left there for people to look at."""


def opened(browser: sync_api.Browser, address: str, width: int, **options: Any) -> sync_api.Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, **options)
    page.set_default_timeout(20_000)
    page.goto(address)
    return page


def wrongs(page: sync_api.Page, axe: str) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA and its own best practices."""
    page.evaluate(axe)  # through the debugger, which the Content-Security-Policy of the page does not concern
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"  # a few places are enough to find the cause
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_the_screen(
    browser: sync_api.Browser, running_platform: str, axe: str, name: str, width: int, scheme: str
) -> None:
    said: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(running_platform + PAGES[name])
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert wrongs(page, axe) == []
    assert [line for line in said if "404" not in line] == []
    page.close()


@pytest.mark.parametrize("path", ["/", "/search", "/organisations", "/datasets", "/status", "/docs"])
def test_an_empty_platform_is_accessible_too(browser: sync_api.Browser, running_empty: str, axe: str, path: str) -> None:
    page = opened(browser, running_empty + path, 360)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert wrongs(page, axe) == []
    page.close()


def test_everything_works_without_scripts(browser: sync_api.Browser, running_platform: str) -> None:
    page = opened(browser, running_platform + "/", 1280, java_script_enabled=False)
    page.get_by_role("searchbox").fill("Hartwell")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=re.compile("Hartwell")).first.click()
    assert page.url == f"{running_platform}/organisations/hartwell-trust"
    page.get_by_role("link", name="hartwell-trust-all").click()
    assert page.get_by_text("The last download failed; the last good copy is shown").is_visible()
    assert not page.locator("button[data-copy]").first.is_visible()
    page.goto(f"{running_platform}/datasets")
    page.get_by_role("link", name="Activities", exact=True).click()
    assert page.url.endswith("/datasets?sort=-activities")
    page.get_by_role("link", name="Not available", exact=True).click()
    assert "download=error" in page.url
    page.go_back()
    assert page.url.endswith("/datasets?sort=-activities")
    page.close()


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(browser: sync_api.Browser, running_platform: str) -> None:
    page = opened(browser, running_platform + "/datasets", 1280)
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("element => element === document.activeElement")
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))")
        assert style == ["solid", "3px"]
    page.close()


def test_a_copy_button_copies(browser: sync_api.Browser, running_platform: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{running_platform}/organisations/hartwell-trust")
    button = page.locator("button[data-copy]").first
    button.click()
    sync_api.expect(button).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
    context.close()


def test_nothing_is_loaded_from_anywhere_else_and_the_page_is_small(browser: sync_api.Browser, running_platform: str) -> None:
    page = browser.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(f"{running_platform}/datasets", wait_until="networkidle")
    assert loaded
    assert all(address.startswith(running_platform) for address in loaded)
    sizes = page.evaluate("performance.getEntries().map(entry => entry.transferSize || 0).reduce((a, b) => a + b, 0)")
    assert sizes < 60_000
    page.close()


@pytest.mark.parametrize("name", ["home", "datasets", "dataset", "report"])
def test_nothing_jumps_while_a_page_loads(browser: sync_api.Browser, running_platform: str, name: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => window.shift += entry.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(running_platform + PAGES[name], wait_until="networkidle")
    assert page.evaluate("window.shift") < 0.02
    page.close()

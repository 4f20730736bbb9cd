"""A real browser before the real platform: uvicorn on loopback, Chromium through Playwright, axe-core from `npm ci`."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from iati_platform.app import create_app
from iati_platform.pipeline.house import House
from tests.portal.conftest import Site, empty_site, open_site, site

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")

HERE = Path(__file__).parent
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

__all__ = ["empty_site", "open_site", "site"]


def missing(reason: str) -> None:
    """Skip, but never where everything has to be there: `.ci/run` sets CI=true."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    script = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        missing("needs axe-core: run npm ci in tests/browser")
    return script.read_text()


@pytest.fixture(scope="package")
def browser() -> Iterator[sync_api.Browser]:
    """Chromium. Closed after this folder's tests: Playwright keeps an event loop running in this thread until then."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        missing("needs Chromium (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield started
        started.close()


def serving(house: House) -> Iterator[str]:
    """The base address of the platform, served on a free loopback port until the end of the test session."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(house), log_level="warning", access_log=False, proxy_headers=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="session")
def running_platform(site: Site) -> Iterator[str]:
    """A small platform with real data."""
    yield from serving(site.house)


@pytest.fixture(scope="session")
def running_empty(empty_site: Site) -> Iterator[str]:
    """A platform on which nothing has happened yet."""
    yield from serving(empty_site.house)

"""A small platform with real data: the demonstration's files, imported, fetched, processed and published, two days in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from iati_platform import demo
from iati_platform.pipeline.house import House, open_house
from iati_platform.pipeline.refresh import refresh
from iati_platform.portal.pages import create_app
from iati_platform.registry.importers.service import import_source
from iati_platform.settings import load_settings
from iati_platform.web import static
from iati_platform.web.platform import Platform
from iati_platform.web.protection import protected
from tests.web.platforms import calling

ORGANISATIONS = (
    "teralund-partnership",
    "tumaini-health",
    "samberie-cooperation",
    "hartwell-trust",
    "school-meals",
    "delta-women",
    "open-ledger",
)
FIRST_DAY = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
SECOND_DAY = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)

Get = Callable[..., httpx.Response]


@dataclass(frozen=True)
class Site:
    """The platform, its registry folder and a way to ask its portal."""

    house: House
    source: Path
    get: Get


def portal_of(house: House) -> Get:
    platform = Platform(
        settings=house.settings,
        engine=house.engine,
        objects=house.objects,
        contents=house.contents,
        artefacts=house.artefacts,
        generation=house.generations.current,
        today=house.today,
        code_version=house.code_version,
        systems=frozenset({"portal", "bulk-data", "datastore"}),
    )
    query = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}, "description": "The query"}
    document = {
        "info": {"title": "Datastore"},
        "paths": {"/activity/select": {"get": {"summary": "Find activities", "parameters": [query]}}},
    }
    openapi = {"datastore": lambda: document}
    app = protected(Starlette(routes=[*static.ROUTES, Mount("/", create_app(platform, openapi))]), house.settings)

    def get(path: str, accept: str = "text/html", **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with calling(app) as session:
                return await session.get(
                    path, headers={"Accept": accept, **{name.replace("_", "-"): value for name, value in headers.items()}}
                )

        return anyio.run(ask)

    return get


def open_site(folder: Path) -> House:
    return open_house(load_settings({"IATI_TODAY": "2026-11-02", "IATI_WORKERS": "1", "IATI_EXECUTOR": "inline"}, folder))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Fetched on two days; on the second one file has gone missing, another is cut short, a third was edited."""
    folder = tmp_path_factory.mktemp("portal")
    source = folder / "source"
    demo.write(source, scale=0.2, only=ORGANISATIONS)
    house = open_site(folder / "data")
    import_source(house.engine, str(source), now=FIRST_DAY)
    refresh(house, now=FIRST_DAY)
    data = source / "data"
    first = data / "hartwell-trust" / "hartwell-trust-all.xml"
    second = data / "tumaini-health" / "tumaini-health-activities.xml"
    third = data / "delta-women" / "delta-women-activities.xml"
    first.unlink()
    second.write_bytes(second.read_bytes()[:-40])
    third.write_bytes(third.read_bytes() + "<!-- edited -->".encode("utf-16")[2:])
    refresh(house, now=SECOND_DAY)
    return Site(house, source, portal_of(house))


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A platform on which nothing has happened yet."""
    folder = tmp_path_factory.mktemp("empty")
    house = open_site(folder / "data")
    return Site(house, folder, portal_of(house))

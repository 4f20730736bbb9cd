"""The front doors put together: one ASGI application, every system below its prefix or, with HOSTS, at the root of its own host."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from fastapi import FastAPI
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from iati_platform.bulk.api import create_app as create_bulk
from iati_platform.datastore.api import create_app as create_datastore
from iati_platform.portal.pages import create_app as create_portal
from iati_platform.storage.database import reading
from iati_platform.validator.api import create_app as create_validator
from iati_platform.web import patterns, static
from iati_platform.web.errors import HANDLERS
from iati_platform.web.metrics import exposition
from iati_platform.web.platform import Platform
from iati_platform.web.protection import protected

if TYPE_CHECKING:
    from iati_platform.pipeline.house import House

#: Every system this version has: mount prefix -> what makes its application. The portal is the rest of `/`.
MACHINES: Final[dict[str, Callable[[Platform], ASGIApp]]] = {
    "bulk-data": create_bulk,
    "datastore": create_datastore,
    "validator": create_validator,
}
SYSTEMS: Final = (*MACHINES, "portal")


def create_platform(house: House, systems: Collection[str] = SYSTEMS) -> Platform:
    """The value that front doors are handed."""
    return Platform(
        settings=house.settings,
        engine=house.engine,
        objects=house.objects,
        contents=house.contents,
        artefacts=house.artefacts,
        generation=house.generations.current,
        today=house.today,
        code_version=house.code_version,
        systems=frozenset(systems),
    )


def create_app(house: House, *, only: Collection[str] = ()) -> ASGIApp:
    """The whole platform as one guarded ASGI application; `only` names systems to serve (default: all)."""
    served = [name for name in SYSTEMS if not only or name in only]
    platform = create_platform(house, served)
    applications = {name: make(platform) for name, make in MACHINES.items() if name in served}
    routes: list[BaseRoute] = [
        Route("/health", _health),
        Route("/ready", _ready(platform)),
        Route("/metrics", exposition),
        Route("/openapi/{system}.json", _openapi(applications)),
        Mount("/static", routes=[Route("/{name:path}", static.serve, name="static")]),
    ]
    for name, host in house.settings.hosts.items():
        if name in applications:
            routes.append(Host(host, _own_host(applications[name], house.settings.public_url), name=f"{name}-host"))
    for name, application in applications.items():
        routes.append(Mount(f"/{name}", application, name=name))
        routes.append(Route(f"/{name}", _to_slash(name)))
    if "portal" in served:
        routes.append(Mount("/patterns", patterns.create_app(platform)))
        described = {name: application.openapi for name, application in applications.items() if isinstance(application, FastAPI)}
        routes.append(Mount("/", create_portal(platform, described), name="portal"))
    return protected(Starlette(routes=routes, exception_handlers=HANDLERS), house.settings)


#: First path segments of the portal that the frame of every page leads to.
PORTAL_PLACES: Final = frozenset(
    {"search", "organisations", "datasets", "activities", "docs", "status", "licences", "glossary", "patterns"}
)


def _own_host(application: ASGIApp, public_url: str) -> ASGIApp:
    """A system at the root of its own host; links of the page frame lead from there to the portal's host."""

    async def room(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.split("/")[1] in PORTAL_PLACES and not path.endswith((".xml", ".zip")):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            await RedirectResponse(f"{public_url.rstrip('/')}{quote(path)}{query}", 307)(scope, receive, send)
            return
        await application(scope, receive, send)

    return room


def from_environment() -> ASGIApp:
    """The application of the data directory that IATI_DATA_DIR names: what server processes started by `iati serve --workers` load."""
    from iati_platform.cli.serving import configure_logging
    from iati_platform.pipeline.house import open_house
    from iati_platform.settings import load_settings

    settings = load_settings()
    configure_logging(settings)
    only = [name for name in os.environ.get("_IATI_SERVE_ONLY", "").split(",") if name]
    return create_app(open_house(settings), only=only)


def _health(_: Request) -> Response:
    return PlainTextResponse("alive\n")


def _ready(platform: Platform) -> Callable[[Request], Response]:
    """200 as soon as requests can be answered, on an empty platform too; 503 names the engine that fails."""

    def ready(_: Request) -> Response:
        failing = {}
        try:
            with reading(platform.engine) as session:
                session.execute(text("SELECT 1"))
        except Exception as error:
            failing["records"] = type(error).__name__
        generation = None
        try:
            current = platform.generation()
            generation = current.number if current else None
        except Exception as error:
            failing["generation"] = type(error).__name__
        return JSONResponse({"ready": not failing, "generation": generation, "failing": failing}, 503 if failing else 200)

    return ready


def _openapi(applications: dict[str, ASGIApp]) -> Callable[[Request], Response]:
    def openapi(request: Request) -> Response:
        application = applications.get(request.path_params["system"])
        if not isinstance(application, FastAPI):
            return JSONResponse({"error": "no such system", "systems": sorted(applications)}, 404)
        return JSONResponse(application.openapi())

    return openapi


def _to_slash(name: str) -> Callable[[Request], Response]:
    def redirect(_: Request) -> Response:
        return RedirectResponse(f"/{name}/", 308)

    return redirect

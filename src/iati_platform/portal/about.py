"""Addresses about the platform itself: state, licences, interfaces, probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from iati_platform import __version__
from iati_platform.bulk import service as bulk
from iati_platform.registry import service as registry
from iati_platform.storage.database import reading
from iati_platform.web.cells import State, Tone
from iati_platform.web.formats import wire
from iati_platform.web.pages import Pages
from iati_platform.web.parts import Crumb
from iati_platform.web.platform import Platform
from iati_platform.web.tables import json_rows

from .views import site

log = structlog.get_logger("iati.portal")
HOME = Crumb("Home", "/")
SESSIONS_SHOWN = 10
STORES = {"file": "a folder", "s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}


class About:
    """Pages that say what this platform is, whether it is well, and how machines use it."""

    def __init__(self, platform: Platform, pages: Pages, openapi: Mapping[str, Callable[[], Mapping[str, Any]]]) -> None:
        self.platform = platform
        self.pages = pages
        self.documents = openapi

    def _page(self, request: Request, title: str, lead: str, sections: list[site.Section], area: str = "") -> Response:
        return self.pages.render(
            request, "portal/text.html", title=title, area=area, crumbs=(HOME, Crumb(title)), content={"lead": lead, "sections": sections}
        )

    def licences(self, request: Request) -> Response:
        return self._page(request, "Licences and sources", "Whose work this is, and what you may do with it.", site.licences())

    def glossary(self, request: Request) -> Response:
        return self.pages.render(request, "portal/glossary.html", title="Glossary", crumbs=(HOME, Crumb("Glossary")), content={})

    # -- state -----------------------------------------------------------------------------------------------------------------

    def engines(self) -> list[site.Engine]:
        """Every engine is really asked: one query, one listing of the store, one look at the generation."""
        return [
            self._engine("Records", "PostgreSQL" if self.platform.engine.dialect.name == "postgresql" else "SQLite", self._ask_records),
            self._engine(
                "Files and artefacts", STORES.get(self.platform.settings.object_store_url.split(":")[0], "object store"), self._ask_store
            ),
            self._engine("Search and tables", "tantivy and DuckDB, embedded", self._ask_generation),
        ]

    def _engine(self, name: str, kind: str, ask: Callable[[], object]) -> site.Engine:
        try:
            ask()
        except Exception as error:  # whatever an engine raises, the answer to "is it well" is no
            log.warning("engine does not answer", engine=name, error=type(error).__name__)
            return site.Engine(name, kind, State(Tone.BAD, "Does not answer", code="failing"))
        return site.Engine(name, kind, State(Tone.GOOD, "Answers", code="ok"))

    def _ask_records(self) -> None:
        with reading(self.platform.engine) as session:
            session.execute(text("SELECT 1"))

    def _ask_store(self) -> None:
        self.platform.objects.exists("probe")

    def _ask_generation(self) -> None:
        generation = self.platform.generation()
        if generation is not None and not Path(generation.path).is_dir():
            raise FileNotFoundError(str(generation.number))

    def status(self, request: Request) -> Response:
        with reading(self.platform.engine) as session:
            sessions = bulk.sessions(session, SESSIONS_SHOWN)
            sources = registry.sources(session)
        lead = "Whether everything answers, how fresh the data is, and how the last visits to the publishers' servers went."
        return self._page(request, "Status", lead, site.status(self.platform, self.engines(), sessions, sources))

    def status_json(self, request: Request) -> Response:
        generation = self.platform.generation()
        with reading(self.platform.engine) as session:
            sessions = bulk.sessions(session, SESSIONS_SHOWN)
        answer = {
            "version": __version__,
            "code_version": self.platform.code_version,
            "generation": {"number": generation.number, "created": wire(generation.created)} if generation else None,
            "engines": {engine.name: engine.state.code for engine in self.engines()},
            "sessions": json_rows(site.SESSION_COLUMNS, [site.session_row(one) for one in sessions]),
        }
        return _json(answer)

    # -- interfaces ------------------------------------------------------------------------------------------------------------

    def docs(self, request: Request) -> Response:
        lead = "The same data, for programs. What each interface answers stays as it is; new things are added beside it."
        return self._page(request, "For developers", lead, site.interfaces(self.platform.systems, self.documents), "developers")

    def _document(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        name = request.path_params["system"]
        if name not in self.documents:
            raise HTTPException(404, "There is no interface of that name.")
        return name, self.documents[name]()

    def interface(self, request: Request) -> Response:
        name, document = self._document(request)
        title = site.SYSTEM_TITLES.get(name, name)
        lead = str(document.get("info", {}).get("description") or f"What the {title} answers. Addresses are relative to /{name}.")
        return self.pages.render(
            request, "portal/text.html", title=title, area="developers", content={"lead": lead, "sections": site.interface(document)},
            crumbs=(HOME, Crumb("For developers", "/docs"), Crumb(title)), alternates={"application/json": f"/openapi/{name}.json"},
        )  # fmt: skip


def _json(answer: Mapping[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    body = orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(body, headers=headers, media_type="application/json")

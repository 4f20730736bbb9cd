"""Pages of the Bulk Data Service for people: what can be taken from here, how large it is, how old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from iati_platform.bulk.answers import CORS
from iati_platform.bulk.notes import Published
from iati_platform.web import errors
from iati_platform.web.cells import Link
from iati_platform.web.formats import size
from iati_platform.web.pages import Pages
from iati_platform.web.parts import Crumb
from iati_platform.web.platform import Platform
from iati_platform.web.tables import Column

_COLUMNS = (
    Column("file", "File"),
    Column("holds", "What it holds"),
    Column("size", "Size", numeric=True),
    Column("updated", "Last updated"),
)
_LISTED = (
    ("iati-data.zip", "iati-data.zip", "Every good copy, with the indices"),
    (
        "code-for-iati-data-download.zip",
        "code-for-iati-data-download.zip",
        "Every registered dataset, in the layout iatikit and others read",
    ),
    ("datasets-minimal", "datasets-minimal", "Datasets: names, addresses and hashes of the good copies (JSON)"),
    ("datasets-full", "datasets-full", "Datasets: the same, with the latest attempts and errors (JSON)"),
    ("reporting-orgs", "reporting-orgs", "Reporting organisations that have datasets (JSON)"),
)


def add_pages(app: FastAPI, platform: Platform, current: Callable[[], Published | None]) -> None:
    """The landing page."""
    made = Pages(platform, "iati_platform.bulk")

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False, response_class=HTMLResponse)
    def landing(request: Request) -> Response:
        published = current()
        root = request.scope.get("root_path", "")
        rows = []
        if published is not None:
            updated = datetime.fromtimestamp(published.created, UTC)
            rows = [(Link(name, f"{root}/{path}"), holds, size(published.files[name].size), updated) for name, path, holds in _LISTED]
        return made.render(
            request,
            "bulk/landing.html",
            title="Bulk data",
            area="files",
            crumbs=(Crumb("Home", "/"), Crumb("Bulk data")),
            content={"columns": _COLUMNS, "rows": rows, "published": published},
        )


def not_found(request: Request) -> Response:
    """The error page for every address that publishes nothing: a page also for machines, as the peer answers (§1)."""
    scope = dict(request.scope) | {"headers": [(b"accept", b"text/html")], "path": "/"}
    advice = "A dataset that was renamed, removed or never downloaded has no copy here; the index lists those that have one."
    return errors.answer(scope, 404, "Page or file not found", advice, CORS)

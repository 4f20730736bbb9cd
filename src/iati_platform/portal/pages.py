"""The portal's addresses: what each answers, as a page, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from iati_platform.bulk import service as bulk
from iati_platform.registry import service as registry
from iati_platform.storage.database import reading
from iati_platform.web.caching import REVALIDATE, body_tag, page_tag, unchanged
from iati_platform.web.cells import Cell, plain
from iati_platform.web.errors import HANDLERS
from iati_platform.web.pages import Pages
from iati_platform.web.parts import Crumb, Fact, FindingView
from iati_platform.web.platform import Platform
from iati_platform.web.tables import Column, Order, csv_lines, json_page, json_rows

from . import snapshots
from .about import About
from .catalogue import CatalogueKeeper, DatasetEntry, OrganisationEntry
from .contents import Contents
from .reports import ReportFindings, Reports, as_json, decided
from .views import dataset as dataset_views
from .views import home as home_views
from .views import lists, search
from .views import organisation as organisation_views
from .views import report as report_views

HOME = Crumb("Home", "/")
HISTORY_COLUMNS = (Column("day", "day"), *(Column(key, key, numeric=True) for key in ("activities", "datasets", "valid_datasets", "size")))
OpenApi = Mapping[str, Callable[[], Mapping[str, Any]]]


def create_app(platform: Platform, openapi: OpenApi | None = None) -> Starlette:
    """The portal, to be mounted at `/` after all other systems. `openapi` gives each system's OpenAPI document by its name."""
    pages = Pages(platform, "iati_platform.portal")
    portal, about = Portal(platform, pages), About(platform, pages, openapi or {})
    return Starlette(
        routes=[
            Route("/", portal.home),
            Route("/search", portal.search),
            Route("/search.json", portal.search_json),
            Route("/organisations", portal.organisations),
            Route("/organisations.json", portal.organisations_json),
            Route("/organisations.csv", portal.organisations_csv),
            Route("/organisations/{name}/history.csv", portal.organisation_history),
            Route("/organisations/{name}.json", portal.organisation_json),
            Route("/organisations/{name}", portal.organisation),
            Route("/datasets", portal.datasets),
            Route("/datasets.json", portal.datasets_json),
            Route("/datasets.csv", portal.datasets_csv),
            Route("/datasets/{name}/report.json", portal.report_json),
            Route("/datasets/{name}/report.csv", portal.report_csv),
            Route("/datasets/{name}/report", portal.report),
            Route("/datasets/{name}.json", portal.dataset_json),
            Route("/datasets/{name}.csv", portal.dataset_csv),
            Route("/datasets/{name}", portal.dataset),
            Route("/activities/{name}/{number:int}", portal.activity),
            Route("/activities/{name}/{number:int}.json", portal.activity_json),
            Route("/licences", about.licences),
            Route("/glossary", about.glossary),
            Route("/status", about.status),
            Route("/status.json", about.status_json),
            Route("/docs", about.docs),
            Route("/docs/{system}", about.interface),
            Route("/patterns", lambda _: RedirectResponse("/patterns/", 308)),
        ],
        exception_handlers=HANDLERS,
    )


def wanted(request: Request, *offered: str) -> str:
    """The format an Accept header asks for at an address without ending: `html` unless JSON or CSV is named and HTML is not."""
    accept = request.headers.get("accept", "")
    if "text/html" in accept:
        return "html"
    for name, media in (("json", "application/json"), ("csv", "text/csv")):
        if name in offered and media in accept:
            return name
    return "html"


def json_answer(request: Request, value: object) -> Response:
    body = value if isinstance(value, bytes) else orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    tag = body_tag(body)
    headers = {"ETag": tag, "Cache-Control": REVALIDATE, "Vary": "Accept", "Access-Control-Allow-Origin": "*"}
    return unchanged(request, tag) or Response(body, headers=headers, media_type="application/json")


def csv_answer(name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": REVALIDATE, "Access-Control-Allow-Origin": "*"}
    return StreamingResponse(csv_lines(columns, rows), headers=headers, media_type="text/csv; charset=utf-8")


def organisation_crumb(entry: DatasetEntry) -> Crumb:
    return Crumb(entry.registered.reporting_org_name, lists.organisation_href(entry.registered.reporting_org_short_name))


def json_facts(facts: Sequence[Fact]) -> dict[str, object]:
    """A description list as an object; labels become names."""
    return {fact.label.lower().replace(" ", "_").replace("-", "_"): plain(fact.value) for fact in facts}


class Portal:
    """Pages about organisations, datasets and activities."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self.platform = platform
        self.pages = pages
        self.keeper = CatalogueKeeper(platform)
        self.contents = Contents(platform)
        self.reports = Reports(platform)

    # -- front page and search -------------------------------------------------------------------------------------------------

    def home(self, request: Request) -> Response:
        catalogue = self.keeper.current()
        tag = page_tag(request, self.platform, catalogue.version)
        return unchanged(request, tag) or self.pages.render(
            request, "portal/home.html", title="IATI Unified Platform", content={"view": home_views.home(self.platform, catalogue)}, tag=tag
        )

    def _search(self, request: Request) -> search.SearchView:
        q = request.query_params.get("q", "").strip()[:500]
        number = request.query_params.get("page", "1")
        page = max(1, min(int(number), 500)) if number.isascii() and number.isdigit() and len(number) < 9 else 1
        hits, notice = self.contents.search(q, (page - 1) * search.PER_PAGE, search.PER_PAGE) if q else (None, None)
        return search.search(self.keeper.current(), q, hits, page, notice)

    def search(self, request: Request) -> Response:
        if wanted(request, "json") == "json":
            return self.search_json(request)
        view = self._search(request)
        title = f"{view.q} – Search" if view.q else "Search"
        return self.pages.render(
            request, "portal/search.html", title=title, area="explore", crumbs=(HOME, Crumb("Search")), content={"view": view},
            alternates={"application/json": f"/search.json?{request.url.query}"},
        )  # fmt: skip

    def search_json(self, request: Request) -> Response:
        return json_answer(request, search.search_json(self._search(request)))

    # -- organisations ---------------------------------------------------------------------------------------------------------

    def organisations(self, request: Request) -> Response:
        match wanted(request, "json", "csv"):
            case "json":
                return self.organisations_json(request)
            case "csv":
                return self.organisations_csv(request)
        catalogue = self.keeper.current()
        tag = page_tag(request, self.platform, catalogue.version)
        content = {
            "view": lists.organisations(catalogue, request.query_params),
            "intro": "Organisations that publish, or have registered to publish, IATI data about their work.",
            "search_label": "Name or identifier",
        }
        return unchanged(request, tag) or self.pages.render(
            request, "portal/list.html", title="Organisations", area="organisations", content=content, tag=tag,
            crumbs=(HOME, Crumb("Organisations")),
            alternates={"application/json": "/organisations.json", "text/csv": "/organisations.csv"},
        )  # fmt: skip

    def organisations_json(self, request: Request) -> Response:
        view = lists.organisations(self.keeper.current(), request.query_params, whole=True)
        start = view.table.order.start
        table = replace(view.table, rows=view.table.rows[start : start + view.table.order.per_page])
        return json_answer(request, json_page(table, "organisations"))

    def organisations_csv(self, request: Request) -> Response:
        table = lists.organisations(self.keeper.current(), request.query_params, whole=True).table
        return csv_answer("organisations", table.columns, table.rows)

    def _organisation(self, request: Request) -> OrganisationEntry | Response:
        """The organisation of the address; a redirect when it has another name now."""
        name = request.path_params["name"]
        entry = self.keeper.current().organisations.get(name)
        if entry is not None:
            return entry
        with reading(self.platform.engine) as session:
            try:
                known = registry.organisation(session, name)
            except registry.NotRegistered:
                raise HTTPException(
                    404, "No organisation of this name is registered. It may have been renamed or removed: search for it."
                ) from None
        return RedirectResponse(request.url.path.replace(name, known.short_name, 1), 301)

    def organisation(self, request: Request) -> Response:
        if wanted(request, "json") == "json":
            return self.organisation_json(request)
        entry = self._organisation(request)
        if isinstance(entry, Response):
            return entry
        days = snapshots.of_organisation(self.platform, entry.registered.id)
        tag = page_tag(request, self.platform, self.keeper.current().version, len(days))
        order = Order.read(request.query_params, lists.DATASET_SORTS, "short_name")
        path = lists.organisation_href(entry.short_name)
        content = {"view": organisation_views.organisation(entry, days, order), "path": path}
        return unchanged(request, tag) or self.pages.render(
            request, "portal/organisation.html", title=entry.registered.human_readable_name, area="organisations", content=content, tag=tag,
            crumbs=(HOME, Crumb("Organisations", "/organisations"), Crumb(entry.registered.human_readable_name)),
            alternates={"application/json": f"{path}.json"},
        )  # fmt: skip

    def organisation_json(self, request: Request) -> Response:
        entry = self._organisation(request)
        if isinstance(entry, Response):
            return entry
        row = dict(zip((c.key for c in lists.ORGANISATION_EXPORT), map(plain, lists.organisation_export(entry)), strict=True))
        registered = {
            name: plain(value) for name, value in entry.registered._asdict().items() if name not in ("id", "short_name", "datasets")
        }
        return json_answer(
            request,
            {**row, "registration": registered, "datasets": json_rows(lists.DATASET_EXPORT, map(lists.dataset_export, entry.datasets))},
        )

    def organisation_history(self, request: Request) -> Response:
        entry = self._organisation(request)
        if isinstance(entry, Response):
            return entry
        days = snapshots.of_organisation(self.platform, entry.registered.id)
        rows: list[list[Cell]] = [[day.day, day.activities, day.datasets, day.valid_datasets, day.size] for day in days]
        return csv_answer(f"{entry.short_name}-history", HISTORY_COLUMNS, rows)

    # -- datasets --------------------------------------------------------------------------------------------------------------

    def datasets(self, request: Request) -> Response:
        match wanted(request, "json", "csv"):
            case "json":
                return self.datasets_json(request)
            case "csv":
                return self.datasets_csv(request)
        catalogue = self.keeper.current()
        tag = page_tag(request, self.platform, catalogue.version)
        content = {
            "view": lists.datasets(catalogue, request.query_params),
            "intro": "Every registered file: whether it can be downloaded, what the validator says, and what is in it.",
            "search_label": "Name of the dataset or its organisation",
        }
        return unchanged(request, tag) or self.pages.render(
            request, "portal/list.html", title="Datasets", area="files", crumbs=(HOME, Crumb("Datasets")), content=content, tag=tag,
            alternates={"application/json": "/datasets.json", "text/csv": "/datasets.csv"},
        )  # fmt: skip

    def datasets_json(self, request: Request) -> Response:
        view = lists.datasets(self.keeper.current(), request.query_params, whole=True)
        start = view.table.order.start
        table = replace(view.table, rows=view.table.rows[start : start + view.table.order.per_page])
        return json_answer(request, json_page(table, "datasets"))

    def datasets_csv(self, request: Request) -> Response:
        table = lists.datasets(self.keeper.current(), request.query_params, whole=True).table
        return csv_answer("datasets", table.columns, table.rows)

    def _dataset(self, request: Request) -> DatasetEntry | Response:
        """The dataset of the address; a redirect when it has another name now."""
        name = request.path_params["name"]
        entry = self.keeper.current().datasets.get(name)
        if entry is not None:
            return entry
        with reading(self.platform.engine) as session:
            try:
                known = registry.dataset(session, name)
            except registry.NotRegistered:
                raise HTTPException(
                    404, "No dataset of this name is registered. It may have been renamed or removed: search for it."
                ) from None
        return RedirectResponse(request.url.path.replace(name, known.short_name, 1), 301)

    def _dataset_view(self, request: Request, entry: DatasetEntry) -> dataset_views.DatasetView:
        with reading(self.platform.engine) as session:
            check = bulk.check_state(session, entry.registered.id)
            checks = bulk.history(session, entry.registered.id, dataset_views.HISTORY_LENGTH)
            events = registry.events(session, entry.registered.id, 0, dataset_views.HISTORY_LENGTH).items
        report = self.reports.of(entry, self.keeper.current())
        shown: list[FindingView] = []
        if report is not None:
            shown = report_views.grouped(report.findings, f"{lists.dataset_href(entry.short_name)}/report", report.counts)
            shown = self.reports.with_source(entry, shown)
        order = Order.read(request.query_params, ("number",), "number")
        rows, total = self.contents.activities(entry, order.start, order.per_page)
        return dataset_views.dataset(
            decided(entry, report),
            check,
            findings=shown,
            summary=report.summary if report else None,
            contents=dataset_views.contents_table(rows, total, order, entry.short_name, searchable=True) if total else None,
            history=dataset_views.history(checks, events),
            systems=self.platform.systems,
        )

    def dataset(self, request: Request) -> Response:
        if wanted(request, "json") == "json":
            return self.dataset_json(request)
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        name = entry.short_name
        path = lists.dataset_href(name)
        return self.pages.render(
            request, "portal/dataset.html", title=name, area="files", content={"view": self._dataset_view(request, entry), "path": path},
            crumbs=(HOME, Crumb("Organisations", "/organisations"), organisation_crumb(entry), Crumb(name)),
            alternates={"application/json": f"{path}.json", "text/csv": f"{path}.csv"},
        )  # fmt: skip

    def dataset_json(self, request: Request) -> Response:
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        view = self._dataset_view(request, entry)
        row = dict(zip((c.key for c in lists.DATASET_EXPORT), map(plain, lists.dataset_export(entry)), strict=True))
        return json_answer(
            request,
            {
                **row,
                "notices": [{"title": notice.title, "text": notice.text} for notice in view.notices],
                "registration": json_facts(view.registration),
                "copy": json_facts(view.copy),
                "failed_attempt": json_facts(view.attempt) or None,
                "report": {"summary": entry.header.get("summary"), "href": f"{view.report_href}.json"},
                "history": [
                    {
                        "at": plain(one.at),
                        "title": one.title,
                        "text": one.text,
                        "changes": [{"field": change.field, "old": plain(change.old), "new": plain(change.new)} for change in one.changes],
                    }
                    for one in view.history
                ],
                "contents": {"total": view.contents.total, "page": view.contents.order.page, "pages": view.contents.pages}
                | {"activities": json_rows(view.contents.columns, view.contents.rows)}
                if view.contents
                else None,
            },
        )

    def dataset_csv(self, request: Request) -> Response:
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        rows = (dataset_views.activity_export(row) for row in self.contents.every_activity(entry))
        return csv_answer(entry.short_name, dataset_views.ACTIVITY_EXPORT, rows)

    # -- report ----------------------------------------------------------------------------------------------------------------

    def _report(self, entry: DatasetEntry) -> ReportFindings:
        report = self.reports.of(entry, self.keeper.current())
        if report is None:
            raise HTTPException(404, "There is no report for this dataset: it has not been validated yet.")
        return report

    def report(self, request: Request) -> Response:
        match wanted(request, "json", "csv"):
            case "json":
                return self.report_json(request)
            case "csv":
                return self.report_csv(request)
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        tag = page_tag(request, self.platform, entry.published.get("content"))
        not_modified = unchanged(request, tag)
        if not_modified is not None:
            return not_modified
        report = self._report(entry)
        href = lists.dataset_href(entry.short_name)
        view = report_views.report(f"{href}/report", report.valid, report.findings, request.query_params)
        view = replace(view, findings=self.reports.with_source(entry, view.findings))
        return self.pages.render(
            request, "portal/report.html", title=f"Report on {entry.short_name}", area="files", tag=tag,
            content={"view": view, "validity": decided(entry, report).validity, "short_name": entry.short_name, "dataset_href": href},
            crumbs=(HOME, organisation_crumb(entry), Crumb(entry.short_name, href), Crumb("Report")),
            alternates={"application/json": f"{href}/report.json", "text/csv": f"{href}/report.csv"},
        )  # fmt: skip

    def report_json(self, request: Request) -> Response:
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        report = self._report(entry)
        return json_answer(request, as_json(entry.short_name, report, report_views.select(report.findings, request.query_params)))

    def report_csv(self, request: Request) -> Response:
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        kept = report_views.select(self._report(entry).findings, request.query_params)
        return csv_answer(f"{entry.short_name}-report", report_views.REPORT_EXPORT, report_views.export_rows(kept))

    # -- activities ------------------------------------------------------------------------------------------------------------

    def activity(self, request: Request) -> Response:
        if wanted(request, "json") == "json":
            return self.activity_json(request)
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        tag = page_tag(request, self.platform, entry.published.get("content"))
        view = self.contents.activity(entry, request.path_params["number"])
        if view is None:
            raise HTTPException(404, "This dataset has no activity with that number.")
        name = entry.short_name
        path = f"/activities/{name}/{request.path_params['number']}"
        return unchanged(request, tag) or self.pages.render(
            request, "portal/activity.html", title=view.title or view.identifier, area="explore", content={"view": view}, tag=tag,
            crumbs=(HOME, organisation_crumb(entry), Crumb(name, lists.dataset_href(name)), Crumb("Activity")),
            alternates={"application/json": f"{path}.json"},
        )  # fmt: skip

    def activity_json(self, request: Request) -> Response:
        entry = self._dataset(request)
        if isinstance(entry, Response):
            return entry
        body = self.contents.activity_json(entry, request.path_params["number"])
        if body is None:
            raise HTTPException(404, "This dataset has no activity with that number.")
        return json_answer(request, body)

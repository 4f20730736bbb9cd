"""The pattern library at `/patterns`: every shared part in each of its states, with made-up content. Browser tests look at it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import charts
from .cells import Cell, Code, Link, Money, OutLink, Share, Size, State, Tone
from .errors import HANDLERS
from .pages import Pages
from .parts import Change, Choice, CodeLine, Crumb, Facet, Fact, Figure, FindingView, Happening, Notice, Place, Progress
from .platform import Platform
from .tables import Column, Order, Table

COLUMNS = (
    Column("title", "Dataset", sortable=True, wide=True),
    Column("state", "Download", sortable=True),
    Column("activities", "Activities", numeric=True, sortable=True),
    Column("size", "Size", numeric=True, sortable=True),
    Column("checked", "Checked"),
)
MOMENT = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
STATES = (
    State(Tone.GOOD, "Downloaded"),
    State(Tone.WARN, "Last good copy in use", "the server answered 404"),
    State(Tone.BAD, "Not available"),
    State(Tone.INFO, "Organisation file"),
    State(Tone.IDLE, "Not checked yet"),
    State(Tone.BUSY, "Being fetched"),
)


def _table(total: int, page: int) -> Table:
    rows: list[list[Cell]] = [
        [Link(f"water-board-activities-{n}", "#", "Water Board"), STATES[n % 4], 1200 - 311 * n, Size(48_000_000 >> n), MOMENT]
        for n in range(4)
    ]
    return Table(
        "datasets",
        COLUMNS,
        rows if total else [],
        total,
        Order("activities", True, page, 25),
        "/patterns",
        empty="No dataset matches these filters.",
    )


def _findings() -> list[FindingView]:
    excerpt = (
        CodeLine(41, "  <transaction>"),
        CodeLine(42, '    <value currency="EURO" value-date="2025-04-31">12000</value>', marked=True),
        CodeLine(43, "  </transaction>"),
    )
    path = "/iati-activities/iati-activity[3]/transaction[1]/value/@value-date"
    return [
        FindingView(
            "0.3.1",
            State(Tone.BAD, "Critical"),
            "Schema",
            "The value date is not a date of the calendar.",
            (Place("April has 30 days: 2025-04-31", path, 42, 38, excerpt),),
            1,
            "XX-WB-0003",
            "Wells for the north",
        ),
        FindingView(
            "9.11.1",
            State(Tone.WARN, "Warning"),
            "Financial",
            "The currency is not on its codelist.",
            (Place('"EURO" is used; did the publisher mean "EUR"?', path.replace("value-date", "currency"), 42, 12),),
            17,
            codelist="Currency",
            href="#",
        ),
    ]


def content() -> dict[str, object]:
    """Everything the page shows; no part is left without a sample."""
    years = [str(year) for year in range(2015, 2027)]
    counts = [310.0, 402, 566, 610, 790, 901, 1040, 1105, 1190, 1260, 1318, 1366]
    return {
        "states": STATES,
        "figures": [
            Figure("Organisations", 1366, "23 new this year", "#", charts.sparkline("Organisations since 2015", counts)),
            Figure("Activities", 1_203_417),
            Figure("Valid", Share(877, 1000), "of all datasets"),
            Figure("Size", Size(9_234_000_000)),
            Figure("Last refresh", MOMENT),
        ],
        "facts": [
            Fact("Organisation identifier", Code("XX-REG-4711"), copy=True),
            Fact("Source", OutLink("https://water.example/iati/activities.xml", "activities.xml")),
            Fact("Budget", Money(Decimal("1250000.50"), "EUR"), hint="As published, not converted"),
            Fact("First published", date(2019, 3, 4)),
            Fact("Exclusions policy", None),
        ],
        "table": _table(1204, 3),
        "no_rows": _table(0, 1),
        "facets": [
            Facet(
                "Download",
                [Choice("Downloaded", 812, "#", True), Choice("Last good copy in use", 31, "#"), Choice("Not available", 12, "#")],
            ),
            Facet("Version", [Choice("2.03", 790, "#"), Choice("1.05", 22, "#")]),
        ],
        "tabs": [Choice("All", 18, "#", True), Choice("Critical", 1, "#"), Choice("Warning", 17, "#")],
        "timeline": [
            Happening(
                MOMENT,
                "Content changed",
                Tone.GOOD,
                "",
                (Change("Size", Size(48_000), Size(52_310)), Change("Hash", Code("3486d4cee5"), Code("759eaa3927"))),
            ),
            Happening(MOMENT.replace(day=2), "Download failed", Tone.BAD, "The server answered 404 Not Found."),
            Happening(MOMENT.replace(month=9), "Dataset registered"),
        ],
        "findings": _findings(),
        "notices": [
            Notice(Tone.GOOD, "Everything is in order"),
            Notice(Tone.INFO, "This platform is empty", "Import a registry to begin.", (Link("How to import", "#"),)),
            Notice(Tone.WARN, "Shown from the last good copy", "The publisher's server answered 404. The copy of 2 November stays in use."),
            Notice(
                Tone.BAD,
                "This file could not be read",
                "It is not well-formed XML: line 4 opens an element that is never closed.",
                (Link("Show the place", "#"),),
            ),
        ],
        "progress": [Progress("Fetching datasets", 412, 9000, "About six minutes left"), Progress("Publishing", 0, 0)],
        "chart_list": [
            charts.line(
                "Reporting organisations have quadrupled since 2015", years, [charts.Series("Organisations", counts)], axis="Year", csv="#"
            ),
            charts.line(
                "Most files now use version 2.03",
                years,
                [
                    charts.Series("2.03", [None, None, None, 40, 320, 610, 790, 905, 990, 1061, 1120, 1171]),
                    charts.Series("older", [900, 960, 990, 950, 810, 600, 480, 390, 310, 260, 220, 190]),
                ],
                axis="Year",
            ),
            charts.bars(
                "Kenya receives the most activities",
                ["Kenya", "Bangladesh", "Congo, Democratic Republic of the", "Nepal"],
                [1204, 977, 640, 12],
                axis="Country",
                unit="Activities",
            ),
            charts.stacked(
                "Two of three files are valid",
                ["Activity files", "Organisation files"],
                [charts.Series("Valid", [620, 220]), charts.Series("With errors", [240, 31]), charts.Series("Critical", [88, 4])],
                axis="Kind",
            ),
            charts.histogram(
                "Most files are smaller than 1 MB",
                ["< 10 kB", "< 100 kB", "< 1 MB", "< 10 MB", "≥ 10 MB"],
                [210, 480, 390, 95, 12],
                axis="Size",
                unit="Files",
            ),
            charts.line("No history yet", [], [charts.Series("Activities", [])]),
        ],
    }


def create_app(platform: Platform) -> Starlette:
    """The application mounted at `/patterns`."""
    pages = Pages(platform)

    def patterns(request: Request) -> Response:
        crumbs = (Crumb("Home", "/"), Crumb("Pattern library"))
        return pages.render(request, "web/patterns.html", title="Pattern library", area="developers", crumbs=crumbs, content=content())

    return Starlette(routes=[Route("/", patterns)], exception_handlers=HANDLERS)

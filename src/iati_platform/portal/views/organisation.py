"""One reporting organisation: who it is, what it publishes, in which state that is, and how it developed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from iati_platform.web import charts
from iati_platform.web.cells import Code, OutLink, Share, Size, State, Tone
from iati_platform.web.charts import Chart
from iati_platform.web.parts import Fact, Figure
from iati_platform.web.tables import Order, Table

from ..catalogue import OrganisationEntry
from . import lists

SOURCE_TYPES = {"primary_source": "Reports on its own work", "secondary_source": "Reports on the work of others"}
ALWAYS = ("Organisation identifier", "Type", "Country of its headquarters")


@dataclass(frozen=True)
class OrganisationView:
    name: str
    short_name: str
    description: str
    state: State
    figures: Sequence[Figure]
    facts: Sequence[Fact]
    datasets: Table
    charts: Sequence[Chart]
    history: Sequence[Chart]


@dataclass(frozen=True)
class DayFigures:
    """What one daily snapshot says about an organisation (or about everything)."""

    day: date
    activities: int | None
    datasets: int | None
    valid_datasets: int | None
    size: int | None


def organisation(entry: OrganisationEntry, history: Sequence[DayFigures], order: Order) -> OrganisationView:
    one = entry.registered
    path = lists.organisation_href(one.short_name)
    kept = sorted(entry.datasets, key=lists.DATASET_SORTS[order.sort], reverse=order.descending)
    columns = [column for column in lists.DATASET_COLUMNS if column.key != "organisation"]
    rows = [
        [cell for column, cell in zip(lists.DATASET_COLUMNS, lists.dataset_row(each), strict=True) if column.key != "organisation"]
        for each in kept
    ]
    page = rows[order.start : order.start + order.per_page]
    table = Table(
        "datasets",
        columns,
        page,
        len(kept),
        order,
        path,
        empty="This organisation has not registered a dataset yet.",
        anchor="#datasets",
        export=False,
    )
    return OrganisationView(
        name=one.human_readable_name,
        short_name=one.short_name,
        description=one.description or "",
        state=_state(entry),
        figures=[
            Figure("Datasets", len(entry.datasets), "", "#datasets"),
            Figure("Activities", entry.activities),
            Figure(
                "Follow the schema",
                Share(entry.valid, entry.validated) if entry.validated else None,
                f"{entry.valid:,} of {entry.validated:,} files",
            ),
            Figure("Data", Size(entry.size)),
            Figure("Last change", entry.changed.date() if entry.changed else None),
        ],
        facts=_registration(entry),
        datasets=table,
        charts=_charts(entry),
        history=_history(history, path),
    )


def _registration(entry: OrganisationEntry) -> list[Fact]:
    """What is registered; what was not given is left out, but for what everybody should give."""
    one = entry.registered
    facts = [
        Fact("Organisation identifier", Code(one.organisation_identifier) if one.organisation_identifier else None, copy=True),
        Fact("Short name", Code(one.short_name)),
        Fact("Type", lists.type_name(one.organisation_type)),
        Fact("Country of its headquarters", lists.country_name(one.hq_country)),
        Fact("Region", one.region),
        Fact("Kind of source", SOURCE_TYPES.get(one.reporting_source_type or "", one.reporting_source_type)),
        Fact("Usual licence", lists.licence_name(one.default_licence_id)),
        Fact("Website", OutLink(one.website) if one.website else None),
        Fact("Data portal", OutLink(one.data_portal_url) if one.data_portal_url else None),
        Fact("What it leaves out", OutLink(one.exclusions_policy_url) if one.exclusions_policy_url else None),
        Fact("First published", one.first_publication_date.date() if one.first_publication_date else None),
        Fact("Registered", one.created_date.date() if one.created_date else None),
    ]
    return [fact for fact in facts if fact.value or fact.label in ALWAYS]


def _state(entry: OrganisationEntry) -> State:
    if not entry.datasets:
        return State(Tone.IDLE, "No datasets yet")
    if entry.failing == len(entry.datasets):
        return State(Tone.BAD, "No file can be downloaded")
    if entry.failing:
        return State(Tone.WARN, f"{entry.failing} of {len(entry.datasets)} downloads fail")
    return State(Tone.GOOD, "All files arrive")


def _charts(entry: OrganisationEntry) -> list[Chart]:
    validated = [each for each in entry.datasets if each.header]
    if len(validated) < 2:  # one file needs no picture
        return []
    versions = sorted(Counter(each.version or "not given" for each in validated).items(), reverse=True)
    kinds = sorted({each.kind for each in validated})
    layers = [
        ("No errors", ("valid", "warning")),
        ("Errors", ("error",)),
        ("Critical or not readable", ("critical", "unreadable", "failed")),
    ]
    series = [
        charts.Series(words, [sum(1 for each in validated if each.kind == kind and each.validity.code in codes) for kind in kinds])
        for words, codes in layers
    ]
    clean = sum(1 for each in validated if each.validity.code in ("valid", "warning"))
    return [
        charts.stacked(f"{clean:,} of {len(validated):,} files have no errors", kinds, series, axis="Kind of file"),
        charts.bars(
            "Versions of the Standard in use",
            [name for name, _ in versions],
            [count for _, count in versions],
            axis="Version",
            unit="Files",
        ),
    ]


def _history(days: Sequence[DayFigures], path: str) -> list[Chart]:
    """Lines are drawn from the second day on: one point is no development."""
    if len(days) < 2:
        return []
    labels = [each.day.isoformat() for each in days]
    drawn = []
    for title, values in (
        ("Activities", [each.activities for each in days]),
        ("Size of all files in bytes", [each.size for each in days]),
    ):
        if any(value is not None for value in values):
            drawn.append(charts.line(f"{title} since {labels[0]}", labels, [charts.Series(title, values)], csv=f"{path}/history.csv"))
    files = [charts.Series("All files", [each.datasets for each in days]), charts.Series("Valid", [each.valid_datasets for each in days])]
    if any(value is not None for value in files[1].values):
        drawn.append(charts.line(f"Files since {labels[0]}", labels, files, csv=f"{path}/history.csv"))
    return drawn

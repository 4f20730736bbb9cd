"""The front page: what is here, in numbers, and where each kind of visitor begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iati_platform.web import charts
from iati_platform.web.cells import Link, Share, Size, Tone
from iati_platform.web.charts import Chart
from iati_platform.web.parts import Figure, Notice
from iati_platform.web.platform import Platform

from ..catalogue import Catalogue


@dataclass(frozen=True)
class Role:
    """One kind of visitor with the places made for them."""

    title: str
    text: str
    links: Sequence[Link]


@dataclass(frozen=True)
class HomeView:
    figures: Sequence[Figure]
    roles: Sequence[Role]
    notice: Notice | None
    charts: Sequence[Chart]


VERSIONS_SHOWN = 7
ROLES: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    # title, text, links as (words, address, system that must answer)
    (
        "Look something up",
        "Who does what, where, with how much money, in the words of the organisations themselves.",
        (
            ("Search activities, datasets and organisations", "/search", "portal"),
            ("Browse organisations", "/organisations", "portal"),
        ),
    ),
    (
        "Check what you publish",
        "See whether your files arrive, what the validator finds in them, and what readers get.",
        (
            ("Find your organisation", "/organisations", "portal"),
            ("Files that cannot be downloaded", "/datasets?download=error", "portal"),
            ("Files with critical findings", "/datasets?validity=critical", "portal"),
        ),
    ),
    (
        "Take the data away",
        "Every list is a CSV and a JSON file too; every dataset is kept as it was published.",
        (
            ("All datasets", "/datasets", "portal"),
            ("Bulk downloads", "/bulk-data/", "bulk-data"),
        ),
    ),
    (
        "Build with it",
        "Open interfaces over the same data, described in OpenAPI, free of charge and without a key.",
        (
            ("Interfaces and documents", "/docs", "portal"),
            ("State of the platform", "/status", "portal"),
        ),
    ),
)


def home(platform: Platform, catalogue: Catalogue) -> HomeView:
    """Counts come from the records and the current generation; without one the page says how to begin."""
    totals, generation = catalogue.totals, platform.generation()
    roles = [
        Role(title, text, [Link(words, href) for words, href, needs in links if needs in platform.systems]) for title, text, links in ROLES
    ]
    notice = None
    if not totals.datasets:
        notice = Notice(
            Tone.INFO,
            "This platform is empty",
            "No organisation is registered yet. The operator brings in a registry with 'iati import SOURCE' "
            "and fetches its files with 'iati refresh'.",
        )
    elif generation is None:
        notice = Notice(
            Tone.BUSY,
            "The first refresh has not finished",
            "Organisations and datasets are registered; their files are being fetched and checked. Numbers appear here when that is done.",
            (Link("What is happening now", "/status"),),
        )
    figures = [
        Figure(
            "Organisations",
            totals.publishing,
            f"of {totals.organisations:,} registered" if totals.organisations != totals.publishing else "",
            "/organisations",
        ),
        Figure("Datasets", totals.datasets, f"{totals.failing:,} with download trouble" if totals.failing else "", "/datasets"),
        Figure("Activities", totals.activities, "", "/search"),
    ]
    if generation is not None:
        sums = generation.manifest.get("totals")
        if isinstance(sums, Mapping):
            figures.append(Figure("Transactions", sums.get("transactions")))
    figures.append(Figure("Data", Size(totals.size)))
    if totals.validated:
        figures.append(Figure("Follow the schema", Share(totals.valid, totals.validated), "of all files", "/datasets?validity=critical"))
    return HomeView(figures if totals.datasets else [], roles, notice, _charts(catalogue))


def _charts(catalogue: Catalogue) -> list[Chart]:
    totals = catalogue.totals
    if not totals.validated:
        return []
    common = sorted(totals.versions.items(), key=lambda item: -item[1])
    most = common[0]
    versions = sorted(common[:VERSIONS_SHOWN], reverse=True)
    if len(common) > VERSIONS_SHOWN:
        versions.append(("other", sum(count for _, count in common[VERSIONS_SHOWN:])))
    order = [
        ("valid", "No errors or warnings"),
        ("warning", "Warnings"),
        ("error", "Errors"),
        ("critical", "Critical"),
        ("unreadable", "Not readable"),
        ("failed", "Not processed"),
    ]
    found = [(words, totals.severities.get(code, 0)) for code, words in order]
    clean = totals.severities.get("valid", 0) + totals.severities.get("warning", 0)
    return [
        charts.bars(
            f"Version {most[0]} is used by {most[1]:,} of {totals.validated:,} files",
            [name for name, _ in versions], [count for _, count in versions], axis="Version", unit="Files", csv="/datasets.csv",
        ),
        charts.bars(
            f"{clean:,} of {totals.validated:,} files have no errors",
            [name for name, _ in found], [count for _, count in found], axis="Worst finding", unit="Files", csv="/datasets.csv",
        ),
    ]  # fmt: skip

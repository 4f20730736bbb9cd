"""Search over everything: organisations and datasets by their names, activities by all their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from iati_platform.registry.names import search_words
from iati_platform.web.cells import Cell, Link
from iati_platform.web.parts import Notice

from ..catalogue import Catalogue
from . import lists

FEW = 5
PER_PAGE = 20


@dataclass(frozen=True)
class Hit:
    """One thing found."""

    title: str
    href: str
    code: str = ""
    facts: Sequence[Cell] = ()


@dataclass(frozen=True)
class Section:
    """What was found of one kind; `more` leads to the rest."""

    kind: str
    title: str
    total: int
    hits: Sequence[Hit]
    more: Link | None = None


@dataclass(frozen=True)
class SearchView:
    q: str
    sections: Sequence[Section]
    page: int = 1
    pages: int = 1
    notice: Notice | None = None

    def address(self, page: int) -> str:
        return "/search?" + urlencode({"q": self.q, "page": page} if page > 1 else {"q": self.q})


@dataclass(frozen=True)
class ActivityHits:
    """One page of activities from the search index."""

    total: int
    hits: Sequence[Hit]


def search(catalogue: Catalogue, q: str, activities: ActivityHits | None, page: int, notice: Notice | None = None) -> SearchView:
    """Organisations and datasets are shown on the first page only; the pages go through the activities."""
    wanted = search_words(q.replace('"', " "))
    sections: list[Section] = []
    if wanted and page == 1:
        organisations = [entry for entry in catalogue.organisations.values() if all(word in entry.search for word in wanted)]
        datasets = [entry for entry in catalogue.datasets.values() if all(word in entry.search for word in wanted)]
        sections = [
            Section(
                "organisations",
                "Organisations",
                len(organisations),
                [
                    Hit(
                        entry.registered.human_readable_name,
                        lists.organisation_href(entry.short_name),
                        entry.registered.organisation_identifier or "",
                        [_counted(len(entry.datasets), "dataset", "datasets"), _counted(entry.activities, "activity", "activities")],
                    )
                    for entry in organisations[:FEW]
                ],
                _more("/organisations", q, len(organisations), "organisations"),
            ),
            Section(
                "datasets",
                "Datasets",
                len(datasets),
                [
                    Hit(
                        entry.short_name,
                        lists.dataset_href(entry.short_name),
                        "",
                        [entry.kind, entry.registered.reporting_org_name, entry.download],
                    )
                    for entry in datasets[:FEW]
                ],
                _more("/datasets", q, len(datasets), "datasets"),
            ),
        ]
    pages = 1
    if activities is not None:
        sections.append(Section("activities", "Activities", activities.total, activities.hits))
        pages = max(1, -(-min(activities.total, 10_000) // PER_PAGE))
    return SearchView(q, sections, page, pages, notice)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _more(path: str, q: str, total: int, what: str) -> Link | None:
    return Link(f"All {total:,} {what}", f"{path}?{urlencode({'q': q})}") if total > FEW else None


def search_json(view: SearchView) -> Mapping[str, object]:
    """The same as JSON: hits by kind."""
    return {
        "q": view.q,
        "page": view.page,
        "pages": view.pages,
        **{
            section.kind: {
                "total": section.total,
                "hits": [{"title": hit.title, "identifier": hit.code, "href": hit.href} for hit in section.hits],
            }
            for section in view.sections
        },
    }

"""The lists of organisations and datasets: filters, facets, order and columns, the same for page, CSV and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from iati_platform import standard
from iati_platform.registry.names import search_words
from iati_platform.web.cells import Cell, Code, Link, Share, Size
from iati_platform.web.parts import Choice, Facet
from iati_platform.web.tables import Column, Order, Table

from .. import words
from ..catalogue import Catalogue, DatasetEntry, OrganisationEntry

Named = TypeVar("Named", DatasetEntry, OrganisationEntry)
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
NAMES_VERSION = "2.03"
"""The version of the Standard whose codelists name organisation types and countries."""

DATASET_COLUMNS = (
    Column("short_name", "Dataset", sortable=True, wide=True),
    Column("organisation", "Organisation", sortable=True, wide=True),
    Column("download", "Download", sortable=True),
    Column("validity", "Validation", sortable=True),
    Column("version", "Version", sortable=True),
    Column("activities", "Activities", numeric=True, sortable=True),
    Column("size", "Size", numeric=True, sortable=True),
    Column("changed", "Last change", sortable=True),
)
DATASET_EXPORT = (
    *(Column(key, key) for key in ("short_name", "id", "organisation", "organisation_name", "kind", "download", "validity", "version")),
    *(Column(key, key, numeric=True) for key in ("activities", "in_datastore", "size")),
    *(Column(key, key) for key in ("changed", "licence", "source_url")),
)
ORGANISATION_COLUMNS = (
    Column("name", "Organisation", sortable=True, wide=True),
    Column("identifier", "Identifier", sortable=True),
    Column("type", "Type", sortable=True),
    Column("country", "Country", sortable=True),
    Column("datasets", "Datasets", numeric=True, sortable=True),
    Column("activities", "Activities", numeric=True, sortable=True),
    Column("valid", "Valid", numeric=True, sortable=True, hint="Share of its files that follow the schema"),
    Column("failing", "Failing", numeric=True, sortable=True, hint="Files whose last download failed"),
    Column("size", "Size", numeric=True, sortable=True),
    Column("changed", "Last change", sortable=True),
)
ORGANISATION_EXPORT = (
    *(Column(key, key) for key in ("short_name", "id", "name", "identifier", "type", "type_name", "country", "country_name")),
    *(Column(key, key, numeric=True) for key in ("datasets", "activities", "valid_datasets", "failing_datasets", "size")),
    Column("changed", "changed"),
)
_ORDER_OF_DOWNLOAD = {"error": 0, "stale": 1, "unchecked": 2, "ok": 3}
_ORDER_OF_VALIDITY = {"failed": 0, "unreadable": 0, "critical": 1, "error": 2, "warning": 3, "none": 4, "valid": 5}


@dataclass(frozen=True)
class ListView:
    """A list with its filters."""

    table: Table
    facets: Sequence[Facet]
    q: str
    kept: Mapping[str, str]
    """The other chosen filters, carried through the search form."""


def dataset_href(short_name: str) -> str:
    return f"/datasets/{quote(short_name, safe='')}"


def organisation_href(short_name: str) -> str:
    return f"/organisations/{quote(short_name, safe='')}"


def type_name(code: str | None) -> str | None:
    return (standard.code_name(NAMES_VERSION, "OrganisationType", code) or code) if code else None


def country_name(code: str | None) -> str | None:
    return (standard.code_name(NAMES_VERSION, "Country", code) or code) if code else None


def licence_name(code: str | None) -> str | None:
    known = standard.licences().get(code or "")
    return known.title if known else code


# -- datasets --------------------------------------------------------------------------------------------------------------------

_VALIDITY_WORDS: dict[str, str] = {
    "valid": "Valid",
    "warning": "Warnings",
    "error": "Errors",
    "critical": "Critical",
    "unreadable": "Not readable",
    "none": "Not validated",
    "failed": "Not processed",
}


DATASET_FILTERS: dict[str, tuple[str, Callable[[DatasetEntry], tuple[str, str]]]] = {
    # parameter: (label, entry -> (value in the address, words)); failures are grouped, their kinds follow in the list itself
    "download": ("Download", lambda entry: _download_group(entry)),
    "validity": ("Validation", lambda entry: (entry.validity.code, _VALIDITY_WORDS[entry.validity.code])),
    "kind": ("Kind of file", lambda entry: (entry.kind.split()[0].lower(), entry.kind)),
    "version": ("Version", lambda entry: (entry.version or "none", entry.version or "not known")),
}


def _download_group(entry: DatasetEntry) -> tuple[str, str]:
    group = entry.download.code.split(":")[0]
    return group, {"ok": "Downloaded", "stale": "Last good copy in use", "error": "Not available", "unchecked": "Not fetched yet"}[group]


DATASET_SORTS: dict[str, Callable[[DatasetEntry], Any]] = {
    "short_name": lambda e: e.short_name,
    "organisation": lambda e: e.registered.reporting_org_name.casefold(),
    "kind": lambda e: e.kind,
    "download": lambda e: _ORDER_OF_DOWNLOAD[e.download.code.split(":")[0]],
    "validity": lambda e: _ORDER_OF_VALIDITY[e.validity.code],
    "version": lambda e: e.version or "",
    "activities": lambda e: e.activities or 0,
    "size": lambda e: e.size or 0,
    "changed": lambda e: e.changed or LONG_AGO,
}


def _matching(entries: Iterable[Named], q: str) -> list[Named]:
    """The entries whose names hold every word of `q`."""
    wanted = search_words(q)
    return [entry for entry in entries if all(word in entry.search for word in wanted)]


def datasets(catalogue: Catalogue, query: Mapping[str, str], *, whole: bool = False) -> ListView:
    """Datasets filtered and ordered as the address says; `whole` gives all rows with the columns of the CSV instead of one page."""
    q = query.get("q", "").strip()
    chosen = {name: query[name] for name in DATASET_FILTERS if query.get(name)}
    found = _matching(catalogue.datasets.values(), q)
    org = query.get("org", "")
    if org:
        found = [entry for entry in found if entry.registered.reporting_org_short_name == org]
    groups = {name: [value(entry)[0] for entry in found] for name, (_, value) in DATASET_FILTERS.items()}
    kept = [entry for row, entry in enumerate(found) if all(groups[name][row] == wanted for name, wanted in chosen.items())]
    order = Order.read(query, DATASET_SORTS, "short_name")
    kept.sort(key=DATASET_SORTS[order.sort], reverse=order.descending)
    chosen = {"org": org, **chosen} if org else chosen
    parameters = {"q": q, **chosen}
    if whole:
        table = Table("datasets", DATASET_EXPORT, [dataset_export(entry) for entry in kept], len(kept), order, "/datasets", parameters)
        return ListView(table, (), q, chosen)
    page = kept[order.start : order.start + order.per_page]
    table = Table(
        "datasets",
        DATASET_COLUMNS,
        [dataset_row(entry) for entry in page],
        len(kept),
        order,
        "/datasets",
        parameters,
        empty="No dataset matches. Remove a filter or search for another word.",
    )
    facets = []
    for name, (label, value) in DATASET_FILTERS.items():
        others = [
            entry
            for row, entry in enumerate(found)
            if all(groups[other][row] == wanted for other, wanted in chosen.items() if other not in (name, "org"))
        ]
        facets.append(_facet(label, name, Counter(value(entry) for entry in others), parameters, "/datasets"))
    return ListView(table, facets, q, chosen)


def _facet(label: str, name: str, counts: Counter[tuple[str, str]], parameters: Mapping[str, str], path: str) -> Facet:
    chosen = parameters.get(name)
    choices = []
    for (value, label_of), count in sorted(counts.items(), key=lambda item: (-item[1], item[0][1])):
        others = {key: text for key, text in parameters.items() if text and key != name}
        target = others if value == chosen else {**others, name: value}
        choices.append(Choice(label_of, count, f"{path}?{urlencode(target)}" if target else path, value == chosen))
    return Facet(label, choices)


def dataset_row(entry: DatasetEntry) -> list[Cell]:
    one = entry.registered
    return [
        Link(one.short_name, dataset_href(one.short_name), "organisation file" if entry.kind == words.KINDS["organisation"] else ""),
        Link(one.reporting_org_name, organisation_href(one.reporting_org_short_name)),
        entry.download,
        entry.validity,
        entry.version,
        entry.activities,
        Size(entry.size) if entry.size is not None else None,
        entry.changed.date() if entry.changed else None,
    ]


def dataset_export(entry: DatasetEntry) -> list[Cell]:
    one = entry.registered
    return [
        one.short_name,
        one.id,
        one.reporting_org_short_name,
        one.reporting_org_name,
        entry.kind.split()[0].lower(),
        entry.download,
        entry.validity,
        entry.version,
        entry.activities,
        entry.admitted,
        entry.size,
        entry.changed,
        one.licence_id,
        one.url,
    ]


# -- organisations ---------------------------------------------------------------------------------------------------------------

ORGANISATION_SORTS: dict[str, Callable[[OrganisationEntry], Any]] = {
    "name": lambda e: e.registered.human_readable_name.casefold(),
    "identifier": lambda e: e.registered.organisation_identifier or "",
    "type": lambda e: type_name(e.registered.organisation_type) or "",
    "country": lambda e: country_name(e.registered.hq_country) or "",
    "datasets": lambda e: len(e.datasets),
    "activities": lambda e: e.activities,
    "valid": lambda e: e.valid / e.validated if e.validated else -1,
    "failing": lambda e: e.failing,
    "size": lambda e: e.size,
    "changed": lambda e: e.changed or LONG_AGO,
}
ORGANISATION_FILTERS: dict[str, tuple[str, Callable[[OrganisationEntry], tuple[str, str]]]] = {
    "type": ("Type", lambda e: (e.registered.organisation_type or "none", type_name(e.registered.organisation_type) or "not given")),
    "country": ("Country", lambda e: (e.registered.hq_country or "none", country_name(e.registered.hq_country) or "not given")),
}


def organisations(catalogue: Catalogue, query: Mapping[str, str], *, whole: bool = False) -> ListView:
    """Organisations filtered and ordered as the address says."""
    q = query.get("q", "").strip()
    chosen = {name: query[name] for name in ORGANISATION_FILTERS if query.get(name)}
    found = _matching(catalogue.organisations.values(), q)
    groups = {name: [value(entry)[0] for entry in found] for name, (_, value) in ORGANISATION_FILTERS.items()}
    kept = [entry for row, entry in enumerate(found) if all(groups[name][row] == value for name, value in chosen.items())]
    order = Order.read(query, ORGANISATION_SORTS, "name")
    kept.sort(key=ORGANISATION_SORTS[order.sort], reverse=order.descending)
    parameters = {"q": q, **chosen}
    if whole:
        rows = [organisation_export(entry) for entry in kept]
        return ListView(Table("organisations", ORGANISATION_EXPORT, rows, len(kept), order, "/organisations", parameters), (), q, chosen)
    page = kept[order.start : order.start + order.per_page]
    table = Table(
        "organisations",
        ORGANISATION_COLUMNS,
        [organisation_row(entry) for entry in page],
        len(kept),
        order,
        "/organisations",
        parameters,
        empty="No organisation matches. Remove a filter or search for another word.",
    )
    facets = []
    for name, (label, value) in ORGANISATION_FILTERS.items():
        others = [
            entry for row, entry in enumerate(found) if all(groups[other][row] == text for other, text in chosen.items() if other != name)
        ]
        counts = Counter(value(entry) for entry in others)
        shortened = Counter(dict(counts.most_common(12)))
        shortened.update({key: count - shortened.get(key, 0) for key, count in counts.items() if key[0] == chosen.get(name)})
        facets.append(_facet(label, name, shortened, parameters, "/organisations"))
    return ListView(table, facets, q, chosen)


def organisation_row(entry: OrganisationEntry) -> list[Cell]:
    one = entry.registered
    return [
        Link(one.human_readable_name, organisation_href(one.short_name)),
        Code(one.organisation_identifier) if one.organisation_identifier else None,
        type_name(one.organisation_type),
        country_name(one.hq_country),
        len(entry.datasets),
        entry.activities,
        Share(entry.valid, entry.validated) if entry.validated else None,
        entry.failing,
        Size(entry.size),
        entry.changed.date() if entry.changed else None,
    ]


def organisation_export(entry: OrganisationEntry) -> list[Cell]:
    one = entry.registered
    return [
        one.short_name,
        one.id,
        one.human_readable_name,
        one.organisation_identifier,
        one.organisation_type,
        type_name(one.organisation_type),
        one.hq_country,
        country_name(one.hq_country),
        len(entry.datasets),
        entry.activities,
        entry.valid,
        entry.failing,
        entry.size,
        entry.changed,
    ]

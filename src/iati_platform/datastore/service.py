"""What other rooms ask of the Datastore: search, sizes, and what the index knows of one dataset or activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tantivy import Query

from iati_platform.datastore.fields import Collection
from iati_platform.datastore.payload import StoredActivity
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.schema import schema
from iati_platform.datastore.select import read_request, select


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`total` documents match; `documents` are the first of them, with the wanted fields."""

    total: int
    documents: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One activity in a list of a dataset's. `number`: its place in the file, from 0. `admitted`: it is in the three collections."""

    number: int
    identifier: str
    title: str
    status: str
    admitted: bool
    schema_valid: bool


def search(
    reader: IndexReader,
    query: str,
    *,
    collection: str = "activity",
    fl: str = "",
    rows: int = 10,
    start: int = 0,
    sort: str = "",
    scope: str = "admitted",
    default_field: str = "iati_text",
    now: datetime | None = None,
) -> SearchResult:
    """Run a query; bare words are looked for in all narratives. QueryError when it cannot be understood."""
    parameters = [("q", query), ("rows", str(rows)), ("start", str(start)), ("scope", scope), ("df", default_field), ("sort", sort)]
    if fl:
        parameters.append(("fl", fl))
    request = read_request(Collection(collection), parameters, now or datetime.now(UTC))
    result = select(reader, request)
    return SearchResult(result.total, tuple(request.fields.pick(found.document) for found in result.found))


def counts(reader: IndexReader) -> Mapping[str, int]:
    """Sizes of the collections by name, and `held_back`: activities kept but left out of them."""
    sizes = reader.counts()
    return {
        Collection.ACTIVITY.value: sizes.activities,
        Collection.TRANSACTION.value: sizes.transactions,
        Collection.BUDGET.value: sizes.budgets,
        "held_back": sizes.held_back,
    }


def activity(reader: IndexReader, identifier: str) -> StoredActivity | None:
    """The activity with exactly this identifier; admitted ones before held-back ones, None if there is none."""
    query = Query.term_query(schema(Collection.ACTIVITY), "iati_identifier_exact", identifier)
    for wanted in (reader.admitted(Collection.ACTIVITY, query), query):
        hits = reader.searcher(Collection.ACTIVITY).search(wanted, 1).hits
        if hits:
            return reader.activity_at(hits[0][1])
    return None


def activity_of_dataset(reader: IndexReader, dataset_id: str, number: int) -> StoredActivity | None:
    """The activity at this place (from 0) of a dataset's file."""
    _, found = reader.dataset_activities(dataset_id, number, 1)
    return found[0] if found else None


def activities_of_dataset(reader: IndexReader, dataset_id: str, start: int, rows: int) -> tuple[int, list[ActivityLine]]:
    """How many activities the dataset has here, held-back ones too, and a page of them in file order."""
    total, found = reader.dataset_activities(dataset_id, start, rows)
    return total, [_line(start + place, one) for place, one in enumerate(found)]


def _line(number: int, stored: StoredActivity) -> ActivityLine:
    own = stored.own(("iati_identifier", "title_narrative", "activity_status_code"))
    return ActivityLine(
        number,
        _first(own, "iati_identifier"),
        _first(own, "title_narrative"),
        _first(own, "activity_status_code"),
        stored.admitted,
        stored.schema_valid,
    )


def _first(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value)

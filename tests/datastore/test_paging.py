"""Sorted pages: joined together they are the whole result, in order, each document once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iati_platform.datastore.fields import Collection
from iati_platform.datastore.index import IndexWriter
from iati_platform.datastore.query import QueryError
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.select import read_request, select
from tests.datastore.material import Activity, build, dataset, documents, file_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COUNTRIES = ("AF", "KE", "NE", "TZ")


def _activity(n: int) -> Activity:
    return Activity(
        f"X-{n * 7919 % 1000:03}",
        f"Title {n % 5}",
        countries=tuple(COUNTRIES[k] for k in range(n % 4)),
        updated="" if n % 7 == 0 else f"20{n % 20 + 10}-01-{n % 3 + 1:02}T00:00:00Z",
        hierarchy="" if n % 5 == 0 else str(n % 3 + 1),
        humanitarian=("", "0", "1")[n % 3],
        currency=("", "EUR", "USD", "AFN")[n % 4],
        transactions=tuple((str(k % 3 + 1), f"2020-0{k % 9 + 1}-01", str((n * k) % 11 - 4), "t") for k in range(n % 4)),
    )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    directory = tmp_path_factory.mktemp("paging") / "search"
    # Several commits, so that there are several segments whose documents interleave.
    for part in range(4):
        with IndexWriter(directory, memory=0.1) as writer:
            for file in range(3):
                name = f"d{part}{file}"
                writer.replace(dataset(name), documents(file_of(*(_activity(part * 100 + file * 30 + n) for n in range(20)))))
    return IndexReader(directory)


def page(reader: IndexReader, collection: str, sort: str, start: int, rows: int, query: str = "*:*") -> list[dict[str, Any]]:
    parameters = [("q", query), ("sort", sort), ("start", str(start)), ("rows", str(rows)), ("fl", "*"), ("scope", "all")]
    return [one.document for one in select(reader, read_request(Collection(collection), parameters, NOW)).found]


_SORTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["last_updated_datetime", "hierarchy", "humanitarian", "default_currency", "iati_identifier", "id", "recipient_country_code"]
        ),
        st.sampled_from(["asc", "desc"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key[0],
)
_MISSING_FIRST = {"default_currency", "iati_identifier", "recipient_country_code"}


def _key(document: dict[str, Any], name: str, descending: bool) -> tuple[int, Any]:
    """What one key sorts by, ascending; `descending` turns values round."""
    value = document.get(name)
    if isinstance(value, list):
        value = min(value)  # texts with several values sort by the smallest either way
    if name == "hierarchy":
        return (1, -(value or 0) if descending else value or 0)
    if name == "last_updated_datetime":
        moment = datetime.fromisoformat(value).timestamp() if value else 0.0
        return (1, -moment if descending else moment)
    if name == "humanitarian":
        return (2, 0) if value is None else (1, -int(value) if descending else int(value))
    if value is None:
        return (2, ()) if descending or name not in _MISSING_FIRST else (0, ())
    points = [ord(sign) for sign in value] + [-1]
    return (1, [-point for point in points] if descending else points)


@given(_SORTS, st.integers(1, 90))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_join_to_the_whole_result_in_order(reader: IndexReader, sorts: list[tuple[str, str]], rows: int) -> None:
    sort = ", ".join(f"{name} {direction}" for name, direction in sorts)
    pages = [page(reader, "activity", sort, start, rows) for start in range(0, 240, rows)]
    joined = [document for one in pages for document in one]
    everything = page(reader, "activity", sort, 0, 1000)
    assert [document["id"] for document in joined] == [document["id"] for document in everything]
    wanted = sorted(everything, key=lambda d: [*(_key(d, name, direction == "desc") for name, direction in sorts), d["id"]])
    assert [document["id"] for document in everything] == [document["id"] for document in wanted]
    assert len({document["id"] for document in everything}) == 240


@given(
    st.sampled_from(["transaction_value", "transaction_transaction_date_iso_date", "transaction_transaction_type_code"]),
    st.booleans(),
    st.integers(9, 80),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_transactions_by_their_own_values(reader: IndexReader, name: str, descending: bool, rows: int) -> None:
    sort = f"{name} {'desc' if descending else 'asc'}, id asc"
    everything = page(reader, "transaction", sort, 0, 1000)
    joined = [document for start in range(0, len(everything), rows) for document in page(reader, "transaction", sort, start, rows)]
    assert [d["id"] for d in joined] == [d["id"] for d in everything]
    values = [d[name][0] for d in everything]
    assert values == sorted(values, reverse=descending)
    assert len({d["id"] for d in everything}) == len(everything) > 250


def test_transactions_by_a_value_of_their_activity(reader: IndexReader) -> None:
    sort = "iati_identifier desc, transaction_value asc"
    everything = page(reader, "transaction", sort, 0, 1000)
    values = [(d["iati_identifier"], d["transaction_value"][0]) for d in everything]
    assert [one for one, _ in values] == sorted((one for one, _ in values), reverse=True)
    joined = [d["id"] for start in range(0, len(everything), 37) for d in page(reader, "transaction", sort, start, 37)]
    assert joined == [d["id"] for d in everything]


def test_several_numbers_sort_by_smallest_ascending_and_largest_descending(tmp_path: Path) -> None:
    one = [
        Activity("A", transactions=(("3", "2020-01-01", "5", "t"), ("3", "2020-01-01", "50", "t"))),
        Activity("B", transactions=(("3", "2020-01-01", "20", "t"),)),
    ]
    reader = build(tmp_path / "search", [(dataset("one"), file_of(*one))])
    for direction, wanted in (("asc", ["A", "B"]), ("desc", ["A", "B"])):
        assert [d["iati_identifier"] for d in page(reader, "activity", f"transaction_value {direction}", 0, 10)] == wanted


def test_relevance_comes_first_unless_asked_otherwise(reader: IndexReader) -> None:
    parameters = [("q", "title_narrative:(title 3)"), ("rows", "1000"), ("fl", "title_narrative,score")]
    result = select(reader, read_request(Collection.ACTIVITY, parameters, NOW))
    scores = [one.score or 0.0 for one in result.found]
    assert scores == sorted(scores, reverse=True)
    assert result.found[0].document["title_narrative"] == ["Title 3"]
    tied = page(reader, "activity", "score desc, id asc", 10, 50, "title_narrative:(title 3)")
    whole = page(reader, "activity", "score desc, id asc", 0, 1000, "title_narrative:(title 3)")
    assert tied == whole[10:60]


@pytest.mark.parametrize(
    "sort", ["title_narrative asc", "nothing asc", "hierarchy", "hierarchy up", "location_point_latlon asc", "id asc, score desc"]
)
def test_what_cannot_be_sorted_by_is_refused(reader: IndexReader, sort: str) -> None:
    with pytest.raises(QueryError):
        page(reader, "activity", sort, 0, 10)

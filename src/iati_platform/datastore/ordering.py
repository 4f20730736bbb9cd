"""Sorted pages of a result, in memory that depends on the page only, never on how deep it lies.

The engine sorts by one column and knows no ties. Several keys and ties are made from that: the page is fetched by the first key; values
that occur in it more than once form groups, ordered by the next key; only the first and last group can reach over the page's ends, and
for those the engine is asked again, restricted to the group. The last key is always `_order`, which follows `id`.

Missing values: numbers and dates as 0, booleans and whole values last, codes first when ascending (spec/datastore.md §3.5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import tantivy
from tantivy import FieldType as Engine
from tantivy import Occur as Part
from tantivy import Order, Query

from iati_platform.datastore.fields import Collection, Field, FieldType, Scope, field_model, own_scope
from iati_platform.datastore.fragments import key_of, maximum_of
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.terms import both, but
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.schema import schema

#: Most documents with one and the same text that are brought in order by further keys.
MAX_TIES: Final = 20_000
#: Most transactions or budgets that are sorted by a value of their activities.
MAX_INHERITED: Final = 50_000

Address = tantivy.DocAddress


@dataclass(frozen=True, slots=True)
class SortKey:
    """`field` None: the score."""

    field: Field | None
    descending: bool


def sort_keys(text: str) -> tuple[SortKey, ...]:
    """`name asc, name desc, …`; QueryError for what cannot be sorted by."""
    keys: list[SortKey] = []
    for part in text.split(","):
        words = part.split()
        if not words:
            continue
        if len(words) != 2 or words[1].lower() not in ("asc", "desc"):
            raise QueryError(f"Cannot read sort {part.strip()!r}: write a field name and asc or desc, several separated by commas.")
        keys.append(SortKey(None if words[0] == "score" else _sortable(words[0]), words[1].lower() == "desc"))
    return tuple(keys)


def _sortable(name: str) -> Field:
    field = field_model().get(name)
    if field is None:
        raise QueryError(f"Cannot sort by {name!r}: there is no such field.")
    if field.type in (FieldType.TEXT, FieldType.POINT, FieldType.PAYLOAD, FieldType.LONG):
        raise QueryError(f"Cannot sort by {name!r}: it holds texts or places, which have no order.")
    return field


def _field(key: SortKey) -> Field:
    if key.field is None:
        raise QueryError("score can only be the first sort key.")
    return key.field


class Pager:
    """Pages of one query on one collection."""

    def __init__(self, reader: IndexReader, collection: Collection, keys: Sequence[SortKey]) -> None:
        self.reader = reader
        self.collection = collection
        self.searcher = reader.searcher(collection)
        self.schema = schema(collection)
        self.keys = tuple(keys)

    def page(self, query: Query, start: int, rows: int) -> list[tuple[float | None, Address]]:
        """(score, address) of the documents from `start` on; scores only when the first key is the score."""
        if rows <= 0:
            return []
        keys = self.keys
        if not keys or keys == (SortKey(None, True),):
            return list(self.searcher.search(query, rows, count=False, offset=start).hits)
        first = keys[0]
        if first.field is None:
            return self._by_score(query, start, rows)
        if any(key.field is None for key in keys):
            raise QueryError("score can only be the first sort key.")
        if self._inherited(first.field):
            return [(None, address) for address in self._by_inherited(query, start, rows)]
        return [(None, address) for address in self._page(query, keys, start, rows)]

    # -- columns --------------------------------------------------------------------------------------------------

    def _inherited(self, field: Field) -> bool:
        if self.collection is Collection.ACTIVITY or field.name == "id":
            return False
        return field.scope is Scope.PLATFORM or field.scope is not own_scope(self.collection)

    def _column(self, key: SortKey) -> str:
        """The column to sort by: the smallest value of a field, or the largest when descending."""
        field = _field(key)
        if field.name == "id":
            return "_order"
        if field.scope is Scope.PLATFORM:
            return field.name
        if key.descending and self.collection is Collection.ACTIVITY:
            return maximum_of(field) or key_of(field)
        return key_of(field)

    def _search(self, query: Query, column: str, descending: bool, start: int, rows: int) -> list[tuple[Any, Address]]:
        order = Order.Desc if descending else Order.Asc
        return list(self.searcher.search(query, rows, count=False, order_by_field=column, offset=start, order=order).hits)

    def _count(self, query: Query) -> int:
        return self.reader.count(self.collection, query)

    # -- numbers ----------------------------------------------------------------------------------------------------

    def _page(self, query: Query, keys: tuple[SortKey, ...], start: int, rows: int) -> list[Address]:
        if rows <= 0:
            return []
        if not keys:
            return [address for _, address in self._search(query, "_order", False, start, rows)]
        key, rest = keys[0], keys[1:]
        found: list[Address] = []
        for part, fetch in self._partitions(query, key, rest):
            size = self._count(part)
            if start >= size:
                start -= size
                continue
            found += fetch(part, start, min(rows - len(found), size - start))
            start = 0
            if len(found) >= rows:
                break
        return found

    def _partitions(
        self, query: Query, key: SortKey, rest: tuple[SortKey, ...]
    ) -> list[tuple[Query, Callable[[Query, int, int], list[Address]]]]:
        """The result cut into pieces that follow each other under `key`, each with the way to fetch from it."""
        field = _field(key)
        column = self._column(key)

        def tied(part: Query, start: int, rows: int) -> list[Address]:
            return self._page(part, rest, start, rows)

        def ranked(part: Query, start: int, rows: int) -> list[Address]:
            return self._ranked(part, key, rest, start, rows)

        def scanned(part: Query, start: int, rows: int) -> list[Address]:
            return self._scanned(part, lambda at, many: self._search(part, column, key.descending, at, many), rest, start, rows)

        if column == "_order":
            return [(query, lambda part, start, rows: [a for _, a in self._search(part, "_order", key.descending, start, rows)])]
        present = Query.exists_query(column)
        match field.type:
            case FieldType.BOOLEAN:
                values = (True, False) if key.descending else (False, True)
                pieces = [(both([query, Query.term_query(self.schema, column, value)]), tied) for value in values]
                return [*pieces, (but(query, present), tied)]
            case FieldType.CODE | FieldType.EXACT:
                missing, there = (but(query, present), tied), (both([query, present]), scanned)
                return [missing, there] if field.type is FieldType.CODE and not key.descending else [there, missing]
            case _:
                zero: float | int = 0.0 if field.type is FieldType.DOUBLE else 0
                below = (both([query, self._range(field, column, None, zero, False, False)]), ranked)
                above = (both([query, self._range(field, column, zero, None, False, False)]), ranked)
                signed = Query.boolean_query(
                    [(Part.Should, part) for part in (self._below(field, column, zero), self._above(field, column, zero))]
                )
                middle = (but(query, signed), tied)
                return [above, middle, below] if key.descending else [below, middle, above]

    def _range(self, field: Field, column: str, low: Any, high: Any, with_low: bool, with_high: bool) -> Query:
        engine = Engine.Float if field.type is FieldType.DOUBLE else Engine.Integer
        return Query.range_query(self.schema, column, engine, low, high, with_low or low is None, with_high or high is None)

    def _below(self, field: Field, column: str, value: Any) -> Query:
        return self._range(field, column, None, value, False, False)

    def _above(self, field: Field, column: str, value: Any) -> Query:
        return self._range(field, column, value, None, False, False)

    def _ranked(self, query: Query, key: SortKey, rest: tuple[SortKey, ...], start: int, rows: int) -> list[Address]:
        """A page by a number column; groups of equal values by the other keys."""
        field, column = _field(key), self._column(key)
        found: list[Address] = []
        hits = self._search(query, column, key.descending, start, rows)
        groups = [(value, [address for _, address in members]) for value, members in groupby(hits, key=lambda hit: hit[0])]
        for place, (value, members) in enumerate(groups):
            if 0 < place < len(groups) - 1:
                found += members if len(members) == 1 else self._whole_group(query, field, column, value, rest, members)
                continue
            same = both([query, self._range(field, column, value, value, True, True)])
            offset = 0
            if place == 0:
                before = self._above(field, column, value) if key.descending else self._below(field, column, value)
                offset = start - self._count(both([query, before]))
            found += self._page(same, rest, offset, len(members))
        return found

    def _whole_group(
        self, query: Query, field: Field, column: str, value: Any, rest: tuple[SortKey, ...], members: list[Address]
    ) -> list[Address]:
        if rest:
            return self._page(both([query, self._range(field, column, value, value, True, True)]), rest, 0, len(members))
        return self._by_order(members)

    def _by_order(self, members: list[Address]) -> list[Address]:
        orders = self.reader.column(self.collection, "_order", members)
        return [address for _, address in sorted(zip(orders, members, strict=True), key=lambda pair: pair[0])]

    # -- texts and scores ---------------------------------------------------------------------------------------------

    def _by_score(self, query: Query, start: int, rows: int) -> list[tuple[float | None, Address]]:
        if not self.keys[0].descending:
            raise QueryError("score can only be sorted by in descending order.")

        def fetch(at: int, many: int) -> list[tuple[Any, Address]]:
            return list(self.searcher.search(query, many, count=False, offset=at).hits)

        scores = {(address.segment_ord, address.doc): score for score, address in fetch(start, rows)}
        found = self._scanned(query, fetch, self.keys[1:], start, rows)
        return [(scores.get((address.segment_ord, address.doc)), address) for address in found]

    def _scanned(
        self, query: Query, fetch: Callable[[int, int], list[tuple[Any, Address]]], rest: tuple[SortKey, ...], start: int, rows: int
    ) -> list[Address]:
        """A page of an order whose values cannot be filtered by: groups that reach over the page's ends are read whole."""
        hits = fetch(start, rows)
        if not hits:
            return []
        first, last = start, start + len(hits)
        head, tail = hits[0][0], hits[-1][0]
        while first > 0:
            many = min(500, first)
            before = fetch(first - many, many)
            same = [hit for hit in before if hit[0] == head]
            hits = same + hits
            first -= len(same)
            if len(same) < many or start - first > MAX_TIES:
                break
        while True:
            after = fetch(last, 500)
            same = [hit for hit in after if hit[0] == tail]
            hits += same
            last += len(same)
            if len(same) < 500 or last - start > MAX_TIES + rows:
                break
        if last - first > MAX_TIES + rows:
            if rest:
                raise QueryError(f"More than {MAX_TIES} documents share one value here: sort by a number or date first, or add a filter.")
            return [address for _, address in fetch(start, rows)]  # the engine's own order is stable within a generation
        found: list[Address] = []
        for _, members in groupby(hits, key=lambda hit: hit[0]):
            addresses = [address for _, address in members]
            found += addresses if len(addresses) == 1 else self._sorted(addresses, rest)
        return found[start - first : start - first + rows]

    def _sorted(self, addresses: list[Address], rest: tuple[SortKey, ...]) -> list[Address]:
        """A group held in memory, by the remaining keys."""
        if not rest:
            return self._by_order(addresses)
        orders = self.reader.column(self.collection, "_order", addresses)
        return self._page(Query.term_set_query(self.schema, "_order", orders), rest, 0, len(addresses))

    # -- values of the activity ------------------------------------------------------------------------------------------

    def _by_inherited(self, query: Query, start: int, rows: int) -> list[Address]:
        """Transactions or budgets in the order of their activities; the other keys then order those of one activity and of equal
        activities."""
        total = self._count(query)
        if total > MAX_INHERITED:
            raise QueryError(
                f"Sorting by a value of the activity is possible for up to {MAX_INHERITED} results, these are {total}: add a filter, "
                f"or sort by a field of the {self.collection.value} itself."
            )
        addresses = [address for _, address in self.searcher.search(query, max(total, 1), count=False).hits]
        keys = self.reader.column(self.collection, "_key", addresses)
        outer = tuple(key for key in self.keys if key.field is not None and self._inherited(key.field))
        inner = tuple(key for key in self.keys if key not in outer)
        activities = Pager(self.reader, Collection.ACTIVITY, outer)
        wanted = sorted(set(keys))
        ordered = activities._page(Query.term_set_query(activities.schema, "_key", wanted), outer, 0, len(wanted)) if wanted else []
        ranks = {key: rank for rank, key in enumerate(self.reader.column(Collection.ACTIVITY, "_key", ordered))}
        own = self._page(query, inner, 0, total)
        own_keys = self.reader.column(self.collection, "_key", own)
        paired = sorted(zip(own_keys, own, strict=True), key=lambda pair: ranks.get(pair[0], len(ranks)))
        return [address for _, address in paired][start : start + rows]

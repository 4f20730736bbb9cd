"""Reading the search index of one generation. Opened once per generation; nothing in it changes, so results of joins are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import tantivy
from tantivy import FieldType as Engine
from tantivy import Occur as Part
from tantivy import Query

from iati_platform.datastore.fields import Collection
from iati_platform.datastore.layout import dataset_key, is_current
from iati_platform.datastore.payload import StoredActivity, parse_payload
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.schema import open_index, schema
from iati_platform.datastore.values import instant_text

#: Keys collected at once: the engine's hits cost about 200 bytes each in Python.
_CHUNK: Final = 100_000
#: Most activities an inherited filter may select (or leave out, whichever is less).
MAX_JOIN: Final = 1_000_000
_JOINS_KEPT: Final = 64
#: Most activities with several points that are looked at one by one for a rectangle.
MAX_POINTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Documents in the index; `held_back` activities are kept but not part of the collections."""

    activities: int
    held_back: int
    transactions: int
    budgets: int


class IndexReader:
    """An open generation of the index. Safe for use by several threads (searches release the interpreter)."""

    def __init__(self, directory: Path) -> None:
        """`directory`: the generation's `search` folder; a missing or older index is like an empty one."""
        self.directory = directory
        self._searchers: dict[Collection, tantivy.Searcher] = {}
        usable = is_current(directory)
        for collection in Collection:
            index = open_index(directory, collection, create=False) if usable else tantivy.Index(schema(collection))
            self._searchers[collection] = index.searcher()
        self._joins: OrderedDict[tuple[Collection, str], Query | None] = OrderedDict()
        self._lock = Lock()
        held = Query.term_query(schema(Collection.ACTIVITY), "_held", True)
        self.held_back = self.count(Collection.ACTIVITY, held)

    def searcher(self, collection: Collection) -> tantivy.Searcher:
        return self._searchers[collection]

    def count(self, collection: Collection, query: Query) -> int:
        """How many documents match."""
        return int(self._searchers[collection].search(query, 1).count)  # type: ignore[attr-defined]  # the stub forgets it

    def counts(self) -> Counts:
        """Sizes of the three collections, held-back activities and their parts left out."""
        shown = {collection: self.count(collection, self.admitted(collection, Query.all_query())) for collection in Collection}
        return Counts(shown[Collection.ACTIVITY], self.held_back, shown[Collection.TRANSACTION], shown[Collection.BUDGET])

    def admitted(self, collection: Collection, query: Query) -> Query:
        """The query without what is held back."""
        if not self.held_back:
            return query
        return Query.boolean_query([(Part.Must, query), (Part.MustNot, Query.term_query(schema(collection), "_held", True))])

    # -- documents ------------------------------------------------------------------------------------------------

    def activity_at(self, address: tantivy.DocAddress) -> StoredActivity:
        stored = self._searchers[Collection.ACTIVITY].doc(address)
        return StoredActivity(
            id=_text(stored, "id"),
            dataset=orjson.loads(_text(stored, "_source")),
            indexed=instant_text(int(stored.get_first("indexed_datetime") or 0)),
            admitted=not stored.get_first("_out"),
            payload=parse_payload(_text(stored, "_doc")),
        )

    def activities_by_key(self, keys: Sequence[int]) -> dict[int, StoredActivity]:
        """Activities by their 64-bit keys."""
        addresses = self._addresses_by_key(keys)
        return {key: self.activity_at(address) for key, address in addresses.items()}

    def _addresses_by_key(self, keys: Sequence[int]) -> dict[int, tantivy.DocAddress]:
        wanted = list(set(keys))
        if not wanted:
            return {}
        searcher = self._searchers[Collection.ACTIVITY]
        hits = searcher.search(Query.term_set_query(schema(Collection.ACTIVITY), "_key", wanted), len(wanted), count=False).hits
        addresses = [address for _, address in hits]
        return dict(zip(self.column(Collection.ACTIVITY, "_key", addresses), addresses, strict=True))

    def column(self, collection: Collection, key: str, addresses: list[tantivy.DocAddress]) -> list[Any]:
        """Values of a number column (the first of each document), None where there is none."""
        return list(self._searchers[collection].fast_field_values(key, addresses)) if addresses else []

    def dataset_activities(self, dataset_id: str, start: int, rows: int) -> tuple[int, list[StoredActivity]]:
        """How many activities a dataset has in the index, held-back ones too, and a page of them in file order."""
        query = Query.term_query(schema(Collection.ACTIVITY), "_dataset", dataset_key(dataset_id))
        searcher = self._searchers[Collection.ACTIVITY]
        result = searcher.search(query, max(rows, 1), offset=start, order_by_field="_i", order=tantivy.Order.Asc)
        total = self.count(Collection.ACTIVITY, query)
        return total, [self.activity_at(address) for _, address in result.hits][:rows]

    # -- joins ------------------------------------------------------------------------------------------------------

    def children_of(self, collection: Collection, name: str, find: Callable[[], Query | None]) -> Query | None:
        """The transactions or budgets of the activities that `find()` matches. `name` stands for the same query in this generation."""
        with self._lock:
            if (collection, name) in self._joins:
                self._joins.move_to_end((collection, name))
                return self._joins[collection, name]
        query = find()
        joined = None if query is None else self._join(collection, query)
        with self._lock:
            self._joins[collection, name] = joined
            while len(self._joins) > _JOINS_KEPT:
                self._joins.popitem(last=False)
        return joined

    def _join(self, collection: Collection, query: Query) -> Query:
        total, matching = self._searchers[Collection.ACTIVITY].num_docs, self.count(Collection.ACTIVITY, query)
        if matching == 0:
            return Query.empty_query()
        if matching == total:
            return Query.all_query()
        if min(matching, total - matching) > MAX_JOIN:
            raise QueryError("This filter on activities selects too many of them to be combined here: add a narrower filter.")
        if matching <= total // 2 or matching < 1_000:
            keys = [key for chunk in self._keys(query, matching) for key in chunk]
            return Query.const_score_query(Query.term_set_query(schema(collection), "_key", keys), 1.0)
        others = Query.boolean_query([(Part.Must, Query.all_query()), (Part.MustNot, query)])
        keys = [key for chunk in self._keys(others, total - matching) for key in chunk]
        return Query.boolean_query([(Part.Must, Query.all_query()), (Part.MustNot, Query.term_set_query(schema(collection), "_key", keys))])

    def _keys(self, query: Query, matching: int) -> Iterator[list[int]]:
        """Keys of all matching activities; more than a chunk of them by ranges of the (evenly spread) keys."""
        searcher = self._searchers[Collection.ACTIVITY]
        parts = matching // _CHUNK + 1
        step = 2**64 // parts + 1
        for part in range(parts):
            within = query
            if parts > 1:
                low, high = part * step, min((part + 1) * step, 2**64) - 1
                bounds = Query.range_query(schema(Collection.ACTIVITY), "_key", Engine.Unsigned, low, high)
                within = Query.boolean_query([(Part.Must, query), (Part.Must, bounds)])
            found = matching if parts == 1 else self.count(Collection.ACTIVITY, within)
            if found:
                hits = searcher.search(within, found, count=False).hits
                yield self.column(Collection.ACTIVITY, "_key", [address for _, address in hits])

    def keys_with_point(self, query: Query, inside: Callable[[str], bool]) -> list[int]:
        """Keys of the matching activities that have a point for which `inside("lat,lon")` holds."""
        searcher = self._searchers[Collection.ACTIVITY]
        matching = self.count(Collection.ACTIVITY, query)
        if matching > MAX_POINTS:
            raise QueryError("Too many activities with several places lie in this rectangle: make it smaller or add a filter.")
        if matching == 0:
            return []
        addresses = [
            address
            for _, address in searcher.search(query, matching, count=False).hits
            if any(inside(text) for text in self.activity_at(address).own(["location_point_latlon"]).get("location_point_latlon", ()))
        ]
        return self.column(Collection.ACTIVITY, "_key", addresses)


def _text(stored: tantivy.Document, name: str) -> str:
    return str(stored.get_first(name))

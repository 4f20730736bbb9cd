"""From syntax tree to engine query, for one collection.

Transactions and budgets hold their own fields only. A clause on an inherited field is answered in the activity index first; the
activities it matches become a set of keys that their transactions and budgets carry too. Neighbouring inherited clauses are answered
together. This is exact under AND, OR and NOT, because an inherited value is the same for all children of an activity.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from tantivy import FieldType as Engine
from tantivy import Occur as Part
from tantivy import Query

from iati_platform.datastore.analysis import tokens
from iati_platform.datastore.fields import Collection, Field, FieldType, Scope, field_model, narrative_fields, own_scope
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.parser import Operator
from iati_platform.datastore.query.syntax import (
    Boost,
    Clause,
    Everything,
    Exists,
    Fuzzy,
    Group,
    Node,
    Occur,
    Phrase,
    Range,
    Term,
    Wildcard,
    render,
)
from iati_platform.datastore.query.terms import Leaf, Terms, both, but, either
from iati_platform.datastore.schema import schema
from iati_platform.datastore.values import number

if TYPE_CHECKING:
    from iati_platform.datastore.reader import IndexReader

_PARTS: Final = {Occur.MUST: Part.Must, Occur.SHOULD: Part.Should, Occur.MUST_NOT: Part.MustNot}
_LEAVES: Final = (Term, Phrase, Wildcard, Fuzzy, Range, Exists)


class Planner:
    """Plans queries on one collection of an open index."""

    def __init__(self, reader: IndexReader, collection: Collection, *, operator: Operator, now: datetime) -> None:
        self.reader = reader
        self.collection = collection
        self.operator: Operator = operator
        self.now = now
        self.terms = Terms(schema(collection), reader.searcher(collection), all_words=operator == "AND", now=now)

    def plan(self, node: Node | None) -> Query:
        """The query of a whole `q` or `fq`: nothing written matches nothing; purely negative means everything but."""
        if node is None:
            return Query.empty_query()
        if isinstance(node, Group) and node.purely_negative:
            node = Group((*node.clauses, Clause(Occur.MUST, Everything())))
        return self._node(node) or Query.empty_query()

    def _node(self, node: Node) -> Query | None:
        if self.collection is not Collection.ACTIVITY and self._inherited(node):
            return self._join(node)
        match node:
            case Everything():
                return Query.all_query()
            case Boost(inner, factor):
                query = self._node(inner)
                return None if query is None else Query.boost_query(query, factor)
            case Group():
                return self._group(node)
            case _:
                return self._leaf(node)

    def _group(self, group: Group) -> Query | None:
        if group.purely_negative:
            return Query.empty_query()
        clauses = group.clauses if self.collection is Collection.ACTIVITY else self._bundled(group.clauses)
        parts = [(_PARTS[clause.occur], query) for clause in clauses if (query := self._node(clause.node)) is not None]
        if not parts:
            return None
        if all(part is Part.MustNot for part, _ in parts):
            return Query.empty_query()
        return Query.boolean_query(parts)

    def _leaf(self, leaf: Leaf) -> Query | None:
        name = leaf.field or ""
        field = field_model().get(name)
        if field is None:
            return Query.empty_query()  # an unknown name is no error, it matches nothing (spec §3.6)
        if name == "iati_text":
            return self._all_narratives(leaf)
        if field.type is FieldType.POINT:
            return self._points(leaf)
        if name == "id" and self.collection is not Collection.ACTIVITY:
            return self._part_id(leaf)
        return self.terms.leaf(field, leaf)

    # -- inherited clauses ----------------------------------------------------------------------------------------

    def _inherited(self, node: Node) -> bool:
        """Whether the node asks for nothing but values of the activity."""
        match node:
            case Everything():
                return False
            case Boost(inner, _):
                return self._inherited(inner)
            case Group(clauses):
                return all(self._inherited(clause.node) or isinstance(clause.node, Everything) for clause in clauses) and any(
                    self._inherited(clause.node) for clause in clauses
                )
            case _:
                return self._inherited_field(field_model().get(node.field or ""))

    def _inherited_field(self, field: Field | None) -> bool:
        if field is None:
            return False
        if field.scope is Scope.PLATFORM:
            return field.name not in ("id", "iati_text", "_version_", "iati_xml", "iati_json")
        return field.scope is not own_scope(self.collection)

    def _bundled(self, clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
        """Inherited clauses of the same kind as one: one set of keys instead of several, and a smaller one."""
        kept: list[Clause] = []
        bundles: dict[Occur, list[Clause]] = {occur: [] for occur in Occur}
        for clause in clauses:
            (bundles[clause.occur] if self._inherited(clause.node) else kept).append(clause)
        for occur, found in bundles.items():
            if len(found) == 1:
                kept.append(found[0])
            elif found:
                inner = Occur.MUST if occur is Occur.MUST else Occur.SHOULD
                kept.append(Clause(occur, Group(tuple(Clause(inner, clause.node) for clause in found))))
        return tuple(kept)

    def _join(self, node: Node) -> Query | None:
        def find() -> Query | None:
            return Planner(self.reader, Collection.ACTIVITY, operator=self.operator, now=self.now)._node(node)

        return self.reader.children_of(self.collection, f"{self.operator} {self.now.isoformat()} {render(node)}", find)

    # -- fields that are more than one column -----------------------------------------------------------------------

    def _all_narratives(self, leaf: Leaf) -> Query | None:
        """`iati_text`: every narrative of the document. Not indexed a second time; a word is looked up in each narrative field."""
        if self.collection is Collection.ACTIVITY:
            return self._any_of(narrative_fields(), leaf)
        own = self._any_of(narrative_fields(own_scope(self.collection)), leaf)

        def find() -> Query | None:
            activities = Planner(self.reader, Collection.ACTIVITY, operator=self.operator, now=self.now)
            wanted = tuple(field for field in narrative_fields() if field.scope is not own_scope(self.collection))
            return activities._any_of(wanted, leaf)

        key = f"iati_text {self.operator} {self.now.isoformat()} {render(leaf)}"
        inherited = self.reader.children_of(self.collection, key, find)
        found = [query for query in (own, inherited) if query is not None]
        return either(found) if found else None

    def _any_of(self, fields: tuple[Field, ...], leaf: Leaf) -> Query | None:
        """The leaf in any of these fields, word by word: two words may stand in two fields (as in one field that holds all texts)."""
        if isinstance(leaf, Term):
            words = [either([self.terms.word(field, token) for field in fields]) for token in tokens(leaf.text)]
            if not words:
                return None
            return both(words) if self.operator == "AND" else either(words)
        found = [query for field in fields if (query := self.terms.leaf(field, leaf)) is not None]
        return either(found) if found else None

    def _part_id(self, leaf: Leaf) -> Query:
        """Ids of transactions and budgets are 160 bits of which the index keeps 64."""
        if isinstance(leaf, Exists):
            return Query.all_query()
        if not isinstance(leaf, Term | Phrase):
            raise QueryError("The id of a transaction or budget can only be searched whole.")
        try:
            order = int(leaf.text[:16], 16) if len(leaf.text) == 40 else -1
        except ValueError:
            order = -1
        return Query.term_query(self.terms.schema, "_order", order) if order >= 0 else Query.empty_query()

    def _points(self, leaf: Leaf) -> Query:
        """A rectangle. Columns know all latitudes and all longitudes of an activity; with several points the pairs are looked at one by
        one."""
        terms = self.terms
        if isinstance(leaf, Exists):
            return Query.exists_query("_points")
        if isinstance(leaf, Range):
            if leaf.low is None or leaf.high is None:
                raise QueryError("A rectangle has two corners: location_point_latlon:[south,west TO north,east].")
            south, west = _corner(leaf.low)
            north, east = _corner(leaf.high)
        elif isinstance(leaf, Term | Phrase):
            south, west = north, east = _corner(leaf.text)
        else:
            raise QueryError("location_point_latlon is searched by point or rectangle: [south,west TO north,east].")
        latitude = terms.between("_lat", Engine.Float, south, north)
        # A rectangle whose west is east of its east crosses the 180th meridian.
        if west <= east:
            longitude = terms.between("_lon", Engine.Float, west, east)
        else:
            longitude = either([terms.between("_lon", Engine.Float, west, 180.0), terms.between("_lon", Engine.Float, -180.0, east)])
        candidates = both([latitude, longitude])
        single = Query.term_query(terms.schema, "_points", 1)

        def inside(text: str) -> bool:
            lat, _, lon = text.partition(",")
            at = float(lon)
            return south <= float(lat) <= north and (west <= at <= east if west <= east else at >= west or at <= east)

        several = self.reader.keys_with_point(but(candidates, single), inside)
        found = [both([candidates, single])]
        if several:
            found.append(Query.term_set_query(terms.schema, "_key", several))
        return either(found)


def _corner(text: str) -> tuple[float, float]:
    latitude, _, longitude = text.partition(",")
    lat, lon = number(latitude.strip()), number(longitude.strip())
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        raise QueryError(f"{text!r} is not a point: write latitude,longitude in degrees, for example 12.5,-1.5.")
    return lat, lon

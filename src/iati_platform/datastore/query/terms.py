"""Leaves of a query against one index: a field and a value become an engine query. Analysis as for documents (spec/datastore.md §3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import tantivy
from tantivy import FieldType as Engine
from tantivy import Occur as Part
from tantivy import Query

from iati_platform.datastore.analysis import tokens
from iati_platform.datastore.fields import Field, FieldType
from iati_platform.datastore.fragments import key_of
from iati_platform.datastore.query.dates import span
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.syntax import Exists, Fuzzy, Phrase, Range, Sign, Term, Wildcard
from iati_platform.datastore.values import boolean, integer, number

Leaf = Term | Phrase | Wildcard | Fuzzy | Range | Exists

#: Most words a range over words may cover; wider ones are refused, not cut.
MAX_RANGE_WORDS: Final = 50_000
_LARGEST: Final = 2**63 - 1
#: Characters no word holds (analysis.py): a star does not pass over them, so that whole codes in the index look like their words.
_SPLITTING: Final = r"""!"#$%&()*+\-/<=>?@\[\\\]^`{|}~"""
_SPLITS: Final = re.compile(rf"[{_SPLITTING}\s]")


def either(queries: Sequence[Query]) -> Query:
    """Any of these."""
    if not queries:
        return Query.empty_query()
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Part.Should, query) for query in queries])


def both(queries: Sequence[Query]) -> Query:
    """All of these."""
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Part.Must, query) for query in queries])


def but(query: Query, without: Query) -> Query:
    return Query.boolean_query([(Part.Must, query), (Part.MustNot, without)])


class Terms:
    """Makes leaf queries for one index. `all_words`: the words of an unquoted value must all match (q.op=AND) instead of any."""

    def __init__(self, index_schema: tantivy.Schema, searcher: tantivy.Searcher, *, all_words: bool, now: datetime) -> None:
        self.schema = index_schema
        self.searcher = searcher
        self.all_words = all_words
        self.now = now

    def leaf(self, field: Field, leaf: Leaf) -> Query | None:
        """The query for a field this index holds; None when the value has no words (such a clause is left out, as in the peer)."""
        match field.type:
            case FieldType.TEXT | FieldType.CODE:
                return self._words(field, leaf)
            case FieldType.EXACT:
                return self._exact(field.name, leaf)
            case FieldType.POINT:
                raise AssertionError("points are planned by the planner")
            case FieldType.PAYLOAD | FieldType.LONG:
                return Query.empty_query()
            case _:
                return self._number(field, leaf)

    # -- words ----------------------------------------------------------------------------------------------------

    def _words(self, field: Field, leaf: Leaf) -> Query | None:
        match leaf:
            case Term(_, text):
                found = [self.word(field, token) for token in tokens(text)]
                if not found:
                    return None
                return both(found) if self.all_words else either(found)
            case Phrase(_, text, slop):
                found_tokens = tokens(text)
                if not found_tokens:
                    return None
                return self.word(field, found_tokens[0]) if len(found_tokens) == 1 else self._phrase(field, found_tokens, slop)
            case Wildcard(_, parts):
                return self._wildcard(field, parts)
            case Fuzzy(_, text, distance):
                word = text.lower()
                if distance == 0:
                    return self.word(field, word)
                return Query.fuzzy_term_query(self.schema, key_of(field), word, distance)
            case Range():
                return self._word_range(field, leaf)
            case Exists():
                if field.type is FieldType.TEXT:
                    return Query.term_query(self.schema, "_has", field.number)
                return Query.exists_query(key_of(field))

    def word(self, field: Field, token: str) -> Query:
        """Documents with this word; for codes also among the words of longer codes, kept in `_t`."""
        whole = Query.term_query(self.schema, key_of(field), token)
        if field.type is FieldType.TEXT:
            return whole
        return either([whole, Query.term_query(self.schema, "_t", f"{field.number}:{token}")])

    def _phrase(self, field: Field, words: list[str], slop: int) -> Query:
        whole = Query.phrase_query(self.schema, key_of(field), list(words), slop)
        if field.type is FieldType.TEXT:
            return whole
        return either([whole, Query.phrase_query(self.schema, "_t", [f"{field.number}:{word}" for word in words], slop)])

    def _wildcard(self, field: Field, parts: tuple[str | Sign, ...]) -> Query:
        if any(isinstance(part, str) and not isinstance(part, Sign) and _SPLITS.search(part) for part in parts):
            return Query.empty_query()  # no word holds a hyphen, slash or blank
        pattern = self._pattern(parts, any_sign=f"[^{_SPLITTING}]")
        whole = self._regex(key_of(field), pattern)
        if field.type is FieldType.TEXT:
            return whole
        return either([whole, self._regex("_t", f"{field.number}:{pattern}")])

    def _pattern(self, parts: Iterable[str | Sign], any_sign: str = ".", *, lower: bool = True) -> str:
        pieces = []
        for part in parts:
            if part is Sign.ANY:
                pieces.append(any_sign + "*")
            elif part is Sign.ONE:
                pieces.append(any_sign)
            else:
                literal = str(part).lower() if lower else str(part)
                pieces.append(re.sub(r"([^\w])", r"\\\1", literal, flags=re.ASCII) if literal.isascii() else _protected(literal))
        return "".join(pieces)

    def _regex(self, key: str, pattern: str) -> Query:
        try:
            return Query.regex_query(self.schema, key, pattern)
        except ValueError as error:
            raise QueryError("This wildcard pattern is too complicated: use fewer signs.") from error

    def _word_range(self, field: Field, leaf: Range) -> Query:
        low = None if leaf.low is None else leaf.low.lower()
        high = None if leaf.high is None else leaf.high.lower()
        found = [Query.term_set_query(self.schema, key_of(field), self._between(key_of(field), "", low, high, leaf))]
        if field.type is FieldType.CODE:
            words = self._between("_t", f"{field.number}:", low, high, leaf)
            found.append(Query.term_set_query(self.schema, "_t", words))
        return either(found)

    def _between(self, key: str, prefix: str, low: str | None, high: str | None, leaf: Range) -> list[str]:
        """The words of a field between two ends, in code-point order."""
        common = ""
        if low is not None and high is not None:
            for one, other in zip(low, high, strict=False):
                if one != other:
                    break
                common += one
        terms = self.searcher.terms_with_prefix(key, prefix + common, None, MAX_RANGE_WORDS + 1)
        if len(terms) > MAX_RANGE_WORDS:
            raise QueryError(f"This range covers too many different words (more than {MAX_RANGE_WORDS}): bring its ends closer together.")
        found = []
        for term, _ in terms:
            word = term.removeprefix(prefix)
            if low is not None and (word < low or (word == low and not leaf.with_low)):
                continue
            if high is not None and (word > high or (word == high and not leaf.with_high)):
                continue
            found.append(term)
        return found

    # -- whole values ---------------------------------------------------------------------------------------------

    def _exact(self, name: str, leaf: Leaf) -> Query:
        match leaf:
            case Term(_, text) | Phrase(_, text):
                return Query.term_query(self.schema, name, text)
            case Fuzzy(_, text, distance):
                return Query.fuzzy_term_query(self.schema, name, text, distance) if distance else Query.term_query(self.schema, name, text)
            case Wildcard(_, parts):
                return self._regex(name, self._pattern(parts, lower=False))
            case Range(_, low, high):
                return Query.term_set_query(self.schema, name, self._between(name, "", low, high, leaf))
            case Exists():
                return Query.exists_query(name)

    # -- numbers, dates, booleans -----------------------------------------------------------------------------------

    def _number(self, field: Field, leaf: Leaf) -> Query:
        key = "indexed_datetime" if field.name == "indexed_datetime" else key_of(field)
        match leaf:
            case Exists():
                return Query.exists_query(key)
            case Wildcard() | Fuzzy():
                raise QueryError(f"{field.name} holds {_NOUNS[field.type]}: search it by value or range, not with * ? or ~.")
            case Term(_, text) | Phrase(_, text):
                if field.type is FieldType.BOOLEAN:
                    return Query.term_query(self.schema, key, boolean(text))
                if field.type is FieldType.DATE:
                    first, last = span(text, self.now)
                    return self.between(key, Engine.Integer, first, last - 1)
                value = self._value(field, text)
                return self.between(key, Engine.Float if field.type is FieldType.DOUBLE else Engine.Integer, value, value)
            case Range(_, low, high):
                return self._number_range(field, key, low, high, leaf)

    def _number_range(self, field: Field, key: str, low: str | None, high: str | None, leaf: Range) -> Query:
        if field.type is FieldType.BOOLEAN:
            wanted = [
                value for value in (False, True) if (low is None or value >= boolean(low)) and (high is None or value <= boolean(high))
            ]
            return either([Query.term_query(self.schema, key, value) for value in wanted])
        if field.type is FieldType.DATE:
            first = None if low is None else span(low, self.now)[0 if leaf.with_low else 1]
            last = None if high is None else span(high, self.now)[1 if leaf.with_high else 0] - 1
            return self.between(key, Engine.Integer, first, last)
        engine = Engine.Float if field.type is FieldType.DOUBLE else Engine.Integer
        return self.between(
            key,
            engine,
            None if low is None else self._value(field, low),
            None if high is None else self._value(field, high),
            with_low=leaf.with_low,
            with_high=leaf.with_high,
        )

    def between(self, key: str, engine: Engine, low: Any, high: Any, *, with_low: bool = True, with_high: bool = True) -> Query:
        """A range over a column; None is open. An empty range matches nothing."""
        if low is not None and high is not None and (low > high or (low == high and not (with_low and with_high))):
            return Query.empty_query()
        if low is None and high is None:
            return Query.exists_query(key)
        return Query.range_query(self.schema, key, engine, low, high, with_low or low is None, with_high or high is None)

    def _value(self, field: Field, text: str) -> float | int:
        read: Callable[[str], float | int | None] = number if field.type is FieldType.DOUBLE else integer
        value = read(text.strip())
        if value is None:
            raise QueryError(f"{text!r} is not a number, but {field.name} holds {_NOUNS[field.type]}.")
        return value


_NOUNS: Final = {
    FieldType.DOUBLE: "numbers",
    FieldType.INT: "whole numbers",
    FieldType.DATE: "dates",
    FieldType.BOOLEAN: "true or false",
}


def _protected(text: str) -> str:
    return "".join(f"\\{sign}" if sign.isascii() and not sign.isalnum() and sign != "_" else sign for sign in text)

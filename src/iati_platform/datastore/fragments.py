"""What one text becomes in the lines of the index: pieces of JSON, made once per field and text, then only joined.

Most values of a file repeat (codes, currencies, dates, organisation names), so each field keeps what it made. Joining ready pieces is
what makes
documents cheap: building dictionaries and serialising them twice (searched, returned) took three times as long.

Short names: field 158 is `f158` in index and payload, its largest value `m158`; an extension is `+name`, returned but not searched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import orjson

from iati_platform.datastore.analysis import segmented
from iati_platform.datastore.fields import Field, FieldType, Scope, field_model
from iati_platform.datastore.values import boolean, instant, instant_text, integer, number

_KEPT_IN_ALL: Final = 60_000


#: One value of one field: (returned, searched, returned value, searched value, words, order). The first two are JSON with the key, the
#: next two
#: without, "" when there is none; the returned ones are escaped once more, because the payload is a string within the line. `words`:
#: the tokens
#: of a code as JSON; `order`: what distinct values are sorted by. A plain tuple: the hot loop unpacks millions.
Piece = tuple[str, str, str, str, str, Any]

NOTHING: Final[Piece] = ("", "", "", "", "", None)


def _inner(json: str) -> str:
    """JSON as it stands inside a JSON string."""
    return orjson.dumps(json).decode()[1:-1]


class _Pieces(dict[str, Piece]):
    """Pieces of one field by text, made when first asked for; a hit costs one dictionary look-up and no call."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], Piece]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> Piece:
        global _kept
        _kept += 1 + len(text) // 100
        if _kept > _KEPT_IN_ALL:
            _forget()
        found = self[text] = self._make(text)
        return found


class Shape:
    """A field as documents are made of it. `pieces[text]`: what a trimmed text becomes; `key`: its name in index and payload; `maximum`:
    the column of its largest value ("" if it has none); `presence`: its number as JSON for text fields, else "".
    """

    __slots__ = ("key", "maximum", "multi", "pieces", "prefix", "presence", "returned_key", "type")

    def __init__(self, key: str, kind: FieldType | None, multi: bool, number_: int) -> None:
        self.key = key
        self.returned_key = _inner(orjson.dumps(key).decode() + ":")
        self.type = kind
        self.multi = multi
        self.prefix = f"{number_}:"
        self.maximum = f"m{number_}" if multi and kind in (FieldType.DATE, FieldType.DOUBLE, FieldType.INT) else ""
        self.presence = str(number_) if kind is FieldType.TEXT else ""
        self.pieces = _Pieces(self._make)

    def _make(self, text: str) -> Piece:
        """NOTHING for a date or number that cannot be read."""
        kind = self.type
        if kind is FieldType.CODE:
            if text.isascii() and text.isalnum():
                return self._piece(f'\\"{text}\\"', f'"{text}"', "", text)
            json = orjson.dumps(text).decode()
            return self._piece(_inner(json), json if text else "", self._words(text), text)
        if kind is FieldType.TEXT:
            cut = segmented(text)
            return self._piece(_inner(orjson.dumps(text).decode()), orjson.dumps(cut).decode() if text else "", "", cut)
        if kind is None:
            return self._piece(_inner(orjson.dumps(text).decode()), "", "", text)
        if kind is FieldType.DATE:
            moment = _date(text)
            return self._piece(moment[0], moment[1], "", moment[2]) if moment else NOTHING
        if kind is FieldType.BOOLEAN:
            truth = "true" if boolean(text) else "false"
            return self._piece(truth, truth, "", truth) if text else NOTHING
        value = integer(text) if kind is FieldType.INT else number(text)
        return NOTHING if value is None else self._piece(repr(value), repr(value), "", value)

    def _piece(self, returned: str, searched: str, words: str, order: Any) -> Piece:
        return (self.returned_key + returned, f'"{self.key}":{searched}' if searched else "", returned, searched, words, order)

    def _words(self, text: str) -> str:
        """The tokens of a code, each with the field's number, as JSON; "" when they are simply its blank-separated words."""
        cut = segmented(text)
        if cut == "" or cut == " ".join(text.lower().split()):
            return ""
        return orjson.dumps(self.prefix + cut.replace(" ", " " + self.prefix)).decode()


@lru_cache(10_000)
def _date(text: str) -> tuple[str, str, int] | None:
    moment = instant(text)
    return None if moment is None else (f'\\"{instant_text(moment)}\\"', str(moment), moment)


_kept = 0


def _forget() -> None:
    global _kept
    _kept = 0
    for known in (*_shapes().values(), *_extensions.values()):
        known.pieces.clear()


@cache
def _shapes() -> dict[str, Shape]:
    return {name: Shape(key_of(field), field.type, field.multi, field.number) for name, field in field_model().items()}


_extensions: dict[str, Shape] = {}


def key_of(field: Field) -> str:
    """The name of a field in index and payload."""
    return f"f{field.number}"


def maximum_of(field: Field) -> str:
    """The column with the largest value of an activity's field, "" for fields that have none."""
    return _shapes()[field.name].maximum


def shape(name: str) -> Shape:
    """The shape of a field of the model, or of an extension by that name."""
    known = _shapes().get(name)
    if known is not None and field_model()[name].scope is not Scope.PLATFORM:
        return known
    extension = _extensions.get(name)
    if extension is None:
        if len(_extensions) > _KEPT_IN_ALL:
            _extensions.clear()
        extension = _extensions[name] = Shape("+" + name, None, True, 0)
    return extension


@cache
def names_by_key() -> dict[str, str]:
    """Payload key -> field name, for the fields of the model."""
    return {key_of(field): name for name, field in field_model().items()}

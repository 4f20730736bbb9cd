"""What one text becomes in the lines of the index: pieces of JSON, made once per field and text, then only joined.

Most values of a file repeat (codes, currencies, dates, organisation names), so each field keeps what it made. Joining ready pieces is
what makes documents cheap: building dictionaries and serialising them twice (searched, returned) took three times as long.

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

#: Enough for what repeats within a few files; more would only fall out of the processor's cache.
_KEPT_IN_ALL: Final = 60_000
_KEPT_LENGTH: Final = 60


def _inner(json: str) -> str:
    """JSON as it stands inside a JSON string."""
    return orjson.dumps(json).decode()[1:-1]


#: One value of one field: (shape, returned, searched, returned value, searched value, words, order, presence).
#: `returned` and `searched` are JSON with the key, the value forms without, "" when there is none; the returned ones are escaped once
#: more, because the payload is a string within the line. `words`: the tokens of a code as JSON; `order`: what distinct values are sorted
#: by; `presence`: JSON of the field's number for texts. A plain tuple, which is made ten times faster than an object.
Piece = tuple["Shape", str, str, str, str, str, Any, str]


class Pieces(dict[str, Piece]):
    """Pieces of one field by trimmed text, made when first asked for; a hit costs one dictionary look-up and no call."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], Piece]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> Piece:
        global _kept
        found = self._make(text)
        if len(text) < _KEPT_LENGTH:
            _kept += 1
            if _kept > _KEPT_IN_ALL:
                _forget()
            self[text] = found
        return found


class Shape:
    """A field as documents are made of it. `pieces[text]`: what a trimmed text becomes; `key`: its name in index and payload; `maximum`:
    the column of its largest value ("" if it has none); `presence`: its number as JSON for text fields, else "".
    """

    __slots__ = ("key", "maximum", "nothing", "pieces", "prefix", "presence", "returned_key", "searched_key", "type")

    def __init__(self, key: str, kind: FieldType | None, multi: bool, number_: int) -> None:
        self.key = key
        self.searched_key = f'"{key}":'
        self.returned_key = _inner(orjson.dumps(key).decode() + ":")
        self.type = kind
        self.prefix = f"{number_}:"
        self.maximum = f"m{number_}" if multi and kind in (FieldType.DATE, FieldType.DOUBLE, FieldType.INT) else ""
        self.presence = str(number_) if kind is FieldType.TEXT else ""
        self.nothing: Piece = (self, "", "", "", "", "", None, "")
        makers: dict[FieldType | None, Callable[[str], Piece]] = {
            FieldType.CODE: self._code,
            FieldType.TEXT: self._text,
            FieldType.DATE: self._date,
            FieldType.DOUBLE: self._double,
            FieldType.INT: self._int,
            FieldType.BOOLEAN: self._boolean,
        }
        self.pieces = Pieces(makers.get(kind, self._extension))

    def _code(self, text: str) -> Piece:
        if text.isalnum() and text.isascii():
            returned, searched, words = f'\\"{text}\\"', f'"{text}"', ""
        elif not text:
            return (self, self.returned_key + '\\"\\"', "", '\\"\\"', "", "", "", "")
        else:
            returned = _returned(text)
            searched = orjson.dumps(text).decode()
            words = self._words(text)
        return (self, self.returned_key + returned, self.searched_key + searched, returned, searched, words, text, "")

    def _text(self, text: str) -> Piece:
        returned = _returned(text)
        if not text:
            return (self, self.returned_key + returned, "", returned, "", "", "", "")
        # Words hold no quotes, backslashes or control signs.
        searched = f'"{segmented(text)}"'
        return (self, self.returned_key + returned, self.searched_key + searched, returned, searched, "", searched, self.presence)

    def _extension(self, text: str) -> Piece:
        returned = _returned(text)
        return (self, self.returned_key + returned, "", returned, "", "", text, "")

    def _date(self, text: str) -> Piece:
        moment = _moment(text)
        return self._typed(moment[0], moment[1], moment[2]) if moment else self.nothing

    def _double(self, text: str) -> Piece:
        value = number(text)
        if value is None:
            return self.nothing
        json = repr(value)
        return (self, self.returned_key + json, self.searched_key + json, json, json, "", value, "")

    def _int(self, text: str) -> Piece:
        value = integer(text)
        return self.nothing if value is None else self._typed(str(value), str(value), value)

    def _boolean(self, text: str) -> Piece:
        truth = "true" if boolean(text) else "false"
        return self._typed(truth, truth, truth) if text else self.nothing

    def _typed(self, returned: str, searched: str, order: object) -> Piece:
        return (self, self.returned_key + returned, self.searched_key + searched, returned, searched, "", order, "")

    def _words(self, text: str) -> str:
        """The tokens of a code, each with the field's number, as JSON; "" when they are simply its blank-separated words."""
        cut = segmented(text)
        if cut == "" or cut == " ".join(text.lower().split()):
            return ""
        prefix = self.prefix
        return f'"{prefix}{cut.replace(" ", " " + prefix)}"'


def _returned(text: str) -> str:
    """A text as JSON inside a JSON string."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'\\"{text}\\"'
    return _inner(orjson.dumps(text).decode())


@lru_cache(10_000)
def _moment(text: str) -> tuple[str, str, int] | None:
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
    shapes = {name: Shape(key_of(field), field.type, field.multi, field.number) for name, field in field_model().items()}
    identifier = shapes["iati_identifier"]
    # Line ends inside identifiers go away (spec §5.4 rule 3).
    identifier.pieces = Pieces(lambda text: identifier._code(text.replace("\r", "").replace("\n", "")))
    return shapes


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

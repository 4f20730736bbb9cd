"""The syntax tree of a query and its way back to text. No meaning lives here: fields and values are as the caller wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Occur(Enum):
    """What a clause means for a match."""

    SHOULD = ""
    MUST = "+"
    MUST_NOT = "-"


class Sign(Enum):
    """The two wildcards: any number of characters, exactly one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Term:
    """One unquoted word, escapes resolved. `field` None: the default field."""

    field: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    field: str | None
    text: str
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Literal pieces and signs in order; more than a lone `*`, which is Exists or Everything."""

    field: str | None
    parts: tuple[str | Sign, ...]


@dataclass(frozen=True, slots=True)
class Fuzzy:
    field: str | None
    text: str
    distance: int = 2


@dataclass(frozen=True, slots=True)
class Range:
    """`low` and `high` None: open at that end. Both open is Exists."""

    field: str | None
    low: str | None
    high: str | None
    with_low: bool = True
    with_high: bool = True


@dataclass(frozen=True, slots=True)
class Exists:
    """The field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class Everything:
    """`*:*`."""


@dataclass(frozen=True, slots=True)
class Clause:
    occur: Occur
    node: Node


@dataclass(frozen=True, slots=True)
class Group:
    """A document matches when all MUST match, no MUST_NOT does and, without any MUST, at least one SHOULD does."""

    clauses: tuple[Clause, ...]

    @property
    def purely_negative(self) -> bool:
        return all(clause.occur is Occur.MUST_NOT for clause in self.clauses)


@dataclass(frozen=True, slots=True)
class Boost:
    node: Node
    factor: float


Node: TypeAlias = Term | Phrase | Wildcard | Fuzzy | Range | Exists | Everything | Group | Boost

_SPECIAL: Final = re.compile(r'([+\-&|!(){}\[\]^"~*?:\\/\s])')
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})


def escape(text: str) -> str:
    """A text as one unquoted word."""
    escaped = _SPECIAL.sub(r"\\\1", text)
    return "\\" + escaped if text in _KEYWORDS else escaped


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _end(text: str | None) -> str:
    if text is None:
        return "*"
    return _quoted(text) if text in ("*", "TO", "") or re.search(r'[\s\]}"\\]', text) else text


def _prefix(field: str | None) -> str:
    return "" if field is None else escape(field) + ":"


def render(node: Node) -> str:
    """The tree as query text; parsing it gives the same tree."""
    match node:
        case Term(field, text):
            return _prefix(field) + (escape(text) if text else '""')
        case Phrase(field, text, slop):
            return _prefix(field) + _quoted(text) + (f"~{slop}" if slop else "")
        case Wildcard(field, parts):
            return _prefix(field) + "".join(part.value if isinstance(part, Sign) else escape_inside(part) for part in parts)
        case Fuzzy(field, text, distance):
            return f"{_prefix(field)}{escape(text)}~{distance}"
        case Range(field, low, high, with_low, with_high):
            return f"{_prefix(field)}{'[' if with_low else '{'}{_end(low)} TO {_end(high)}{']' if with_high else '}'}"
        case Exists(field):
            return f"{escape(field)}:*"
        case Everything():
            return "*:*"
        case Boost(inner, factor):
            return f"{render(inner)}^{factor!r}"
        case Group(clauses):
            return "(" + " ".join(clause.occur.value + render(clause.node) for clause in clauses) + ")"


def escape_inside(text: str) -> str:
    """A literal piece of a wildcard word."""
    return _SPECIAL.sub(r"\\\1", text)

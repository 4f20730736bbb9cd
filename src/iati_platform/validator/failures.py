"""What a failed check hands over: texts with marks in place of positions, which are looked up for reported findings only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from iati_platform.reading import Node


class Mark(NamedTuple):
    """A place in the file: an element of the record by ordinal, or the value of one of its attributes."""

    ordinal: int
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One context. Marks in `parts` become "line: L, column: C". `until`: it holds only on days before this one."""

    parts: tuple[str | Mark, ...]
    at: Mark
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case fails for one context element. `unless`: it does not if one of these values is a registered publisher's identifier
    (`prefix`: or begins with one and a hyphen instead)."""

    entries: tuple[Entry, ...]
    unless: tuple[str, ...] = ()
    prefix: bool = False


def mark(node: Node, attribute: str | None = None) -> Mark:
    return Mark(node[4], attribute)

"""Values behind the visible parts: what a page says, before any HTML. Each has a macro of the same name in `templates/components`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from .cells import Cell, Link, State, Tone


@dataclass(frozen=True)
class Crumb:
    """One step of the breadcrumb; the last one has no address."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Figure:
    """A key figure: one number with its name; `href` leads to what is counted."""

    label: str
    value: Cell
    note: str = ""
    href: str = ""
    spark: Markup | str = ""


@dataclass(frozen=True)
class Fact:
    """One line of a description list."""

    label: str
    value: Cell
    hint: str = ""
    copy: bool = False


@dataclass(frozen=True)
class Change:
    """One changed field of an event."""

    field: str
    old: Cell
    new: Cell


@dataclass(frozen=True)
class Happening:
    """One entry of a timeline, newest first."""

    at: datetime
    title: str
    tone: Tone = Tone.INFO
    text: str = ""
    changes: Sequence[Change] = ()


@dataclass(frozen=True)
class Choice:
    """One value of a facet with its count and the address that applies or removes it."""

    label: str
    count: int | None
    href: str
    chosen: bool = False


@dataclass(frozen=True)
class Facet:
    """A named list of choices that narrow a list."""

    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True)
class CodeLine:
    """One line of a source excerpt; `marked` is the line the finding is about."""

    number: int
    text: str
    marked: bool = False


@dataclass(frozen=True)
class Place:
    """Where a finding was met: words, element path, position in the file, and the lines around it."""

    text: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: Sequence[CodeLine] = ()


@dataclass(frozen=True)
class FindingView:
    """One finding (rule and message) with the places where it was met; `count` may be larger than the places shown."""

    rule: str
    severity: State
    category: str
    message: str
    places: Sequence[Place]
    count: int
    subject: str = ""
    subject_title: str = ""
    codelist: str = ""
    href: str = ""


@dataclass(frozen=True)
class Notice:
    """A box that says what happened, why, and what to do next."""

    tone: Tone
    title: str
    text: str = ""
    actions: Sequence[Link] = ()


@dataclass(frozen=True)
class Progress:
    """How far a job is; `done` of `total`, and the address that answers the same as JSON for live pages."""

    label: str
    done: int
    total: int
    note: str = ""
    source: str = ""

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total > 0 else 0

"""Values a table cell, a fact list or a figure may hold, and how each is written as HTML, CSV text and JSON.

One description of a row serves the page, the CSV and the JSON, so the three can never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from . import formats


class Tone(StrEnum):
    """What a state means for the reader; each has its own icon and colour, and always a word beside it."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    IDLE = "idle"
    BUSY = "busy"


ICON_PATHS: dict[Tone, str] = {
    Tone.GOOD: (
        "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.6 5.2-4.2 4.6a.8.8 0 0 1-1.1 0L4.4 8.9a.8.8 0 1 1 1.1-1.1l1.3 1.3 3.6-4a.8.8 0 1 1 1.2 1.1Z"
    ),
    Tone.WARN: (
        "M8.9 1.9a1 1 0 0 0-1.8 0l-6 11.1a1 1 0 0 0 .9 1.5h12a1 1 0 0 0 .9-1.5l-6-11.1ZM7.2 6h1.6v4H7.2V6Zm0 5.2h1.6v1.6H7.2v-1.6Z"
    ),
    Tone.BAD: (
        "M5 1 1 5v6l4 4h6l4-4V5l-4-4H5Zm.9 3.8L8 6.9l2.1-2.1 1.1 1.1L9.1 8l2.1 2.1-1.1 1.1L8 9.1l-2.1 2.1-1.1-1.1L6.9 8 4.8 5.9l1.1-1.1Z"
    ),
    Tone.INFO: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-.8 3h1.6v1.6H7.2V4Zm0 3h1.6v5H7.2V7Z",
    Tone.IDLE: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM5 7.2h6v1.6H5V7.2Z",
    Tone.BUSY: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM7.2 4h1.6v3.7l2.5 1.5-.8 1.3-3.3-2V4Z",
}


@dataclass(frozen=True)
class State:
    """A state badge: icon, word and colour; `note` says more on the page, `code` is what machines get."""

    tone: Tone
    word: str
    note: str = ""
    code: str = ""


@dataclass(frozen=True)
class Link:
    """A link inside the platform."""

    text: str
    href: str
    note: str = ""


@dataclass(frozen=True)
class OutLink:
    """A link found in data: shown with its host, never followed by search engines, only http and https."""

    url: str
    text: str = ""

    @property
    def host(self) -> str:
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    @property
    def safe(self) -> bool:
        return bool(self.host) and self.url.lower().startswith(("http://", "https://"))


@dataclass(frozen=True)
class Size:
    """An amount of bytes."""

    octets: int


@dataclass(frozen=True)
class Code:
    """An identifier, hash or path: monospaced, may break anywhere."""

    text: str


@dataclass(frozen=True)
class Share:
    """Part of a whole, shown as a percentage."""

    part: int
    whole: int


@dataclass(frozen=True)
class Money:
    """An amount with its currency; an empty currency is said, not guessed."""

    amount: Decimal
    currency: str


Cell = str | int | float | Decimal | bool | date | datetime | State | Link | OutLink | Size | Code | Share | Money | None
NOTHING = Markup('<span class="nothing" title="not given">–</span>')


def icon(tone: Tone) -> Markup:
    return Markup(
        '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(ICON_PATHS[tone])


def html(value: Cell, today: date | None = None) -> Markup:
    """The cell as safe HTML; dates get a hint relative to `today` when it is given."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return Markup("yes") if value else Markup("no")
        case int() | float() | Decimal():
            return escape(formats.number(value))
        case State():
            note = Markup(' <span class="note">{}</span>').format(value.note) if value.note else Markup("")
            return Markup('<span class="state {}">{}{}</span>{}').format(value.tone.value, icon(value.tone), value.word, note)
        case Link():
            note = Markup(' <span class="note">{}</span>').format(value.note) if value.note else Markup("")
            return Markup('<a href="{}">{}</a>{}').format(value.href, value.text, note)
        case OutLink():
            if not value.safe:
                return Markup('<span class="code">{}</span>').format(value.url)
            host = Markup(' <span class="note">{}</span>').format(value.host) if value.text and value.text != value.host else Markup("")
            return Markup('<a class="out" href="{}" rel="nofollow noopener external">{}</a>{}').format(
                value.url, value.text or value.url, host
            )
        case Size():
            return Markup('<span title="{} bytes">{}</span>').format(formats.number(value.octets), formats.size(value.octets))
        case Code():
            return Markup('<span class="code">{}</span>').format(value.text)
        case Share():
            return escape(formats.share(value.part, value.whole))
        case Money():
            return Markup('{} <abbr class="currency">{}</abbr>').format(formats.number(value.amount), value.currency or "no currency")
        case datetime():
            return _time(formats.wire(value), formats.minute(value), value, today)
        case date():
            return _time(value.isoformat(), value.isoformat(), value, today)
        case str():
            return escape(value)


def _time(machine: str, person: str, moment: date | datetime, today: date | None) -> Markup:
    stamp = Markup('<time datetime="{}">{}</time>').format(machine, person)
    return stamp if today is None else stamp + Markup(' <span class="note">{}</span>').format(formats.distance(moment, today))


def plain(value: Cell) -> str | int | float | bool | None:
    """The cell for JSON: numbers stay numbers, states give their code, links their text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case State():
            return value.code or value.word
        case Link() | Code():
            return value.text
        case OutLink():
            return value.url
        case Size():
            return value.octets
        case Share():
            return round(value.part / value.whole, 6) if value.whole else None
        case Money():
            return f"{value.amount:f} {value.currency}".strip()
        case datetime():
            return formats.wire(value)
        case date():
            return value.isoformat()


def csv_text(value: Cell) -> str:
    """The cell for CSV. Text a spreadsheet would run as a formula gets a leading apostrophe (CWE-1236); numbers are left alone."""
    bare = plain(value)
    if bare is None:
        return ""
    if isinstance(bare, bool):
        return "true" if bare else "false"
    if not isinstance(bare, str):
        return str(bare)
    if bare[:1] in "=@\t\r" or (bare[:1] in "+-" and not bare[1:2].isdigit()):
        return "'" + bare if bare else bare
    return bare


def numeric(value: Cell) -> bool:
    return isinstance(value, int | float | Decimal | Size | Share | Money) and not isinstance(value, bool)

"""The page frame's content: entries of the header, and what the footer says about freshness and version.

The entries are a table. An entry is shown only when the system behind it answers, so the header never leads nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from iati_platform import __version__

from .platform import Platform


@dataclass(frozen=True)
class Entry:
    """One place the header or the front page leads to; `needs` is the system that must answer, `area` marks the current entry."""

    label: str
    href: str
    needs: str
    area: str


ENTRIES: tuple[Entry, ...] = (
    Entry("Explore data", "/search", "portal", "explore"),
    Entry("Publish", "/account", "account", "publish"),
    Entry("Organisations", "/organisations", "portal", "organisations"),
    Entry("Files", "/datasets", "portal", "files"),
    Entry("For developers", "/docs", "portal", "developers"),
)


@dataclass(frozen=True)
class Frame:
    """What every page shows around its content."""

    entries: tuple[Entry, ...]
    refreshed: datetime | None
    generation: int | None
    version: str
    code_version: str
    today: date


def frame(platform: Platform) -> Frame:
    generation = platform.generation()
    return Frame(
        entries=tuple(entry for entry in ENTRIES if entry.needs in platform.systems),
        refreshed=generation.created if generation else None,
        generation=generation.number if generation else None,
        version=__version__,
        code_version=platform.code_version,
        today=platform.today(),
    )

"""One activity as a simple page: its main facts, its transactions and budgets, in the words of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iati_platform.web.cells import Cell
from iati_platform.web.parts import Fact, Notice
from iati_platform.web.tables import Column


@dataclass(frozen=True)
class PartTable:
    """Transactions, budgets, organisations: a short table with a word about what was left out."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    more: str = ""


@dataclass(frozen=True)
class ActivityView:
    identifier: str
    title: str
    description: str
    facts: Sequence[Fact]
    sections: Sequence[PartTable]
    notice: Notice | None = None

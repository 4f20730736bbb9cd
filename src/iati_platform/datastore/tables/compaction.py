"""Which parts to rewrite: few enough files to be fast to read, few enough dead rows, and never more work than what changed deserves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from iati_platform.datastore.tables.parts import PART_ROWS, Part

#: A part with a larger share of rows that no longer count is rewritten.
DEAD_SHARE: Final = 0.25
#: Parts of one table within a factor of 4 in size form a tier; a tier of 4 is merged into one part of the next tier.
TIER: Final = 4
_SMALLEST: Final = 4_096
#: Rows that commits may rewrite: each row brought in gives credit for this many, so that a change of 1 % costs in proportion even on the
#: day when all parts of a table reach a limit at once. What does not fit waits; unused credit is kept (in the manifest). A row is merged
#: once per tier and once when its part is a quarter dead, so this is enough in the long run.
CREDIT_PER_ROW: Final = 8
CREDIT_FLOOR: Final = 250_000


@dataclass(frozen=True, slots=True)
class Merge:
    """Parts of one table to become one; `live` rows are what it costs."""

    table: str
    parts: tuple[Part, ...]
    live: int


def choose(tables: Mapping[str, Sequence[Part]], live: set[int], credit: int) -> list[Merge]:
    """Merges for this commit, the most rewarding first, of at most `credit` rows. Parts without live rows must be gone already."""
    wanted: list[tuple[float, Merge]] = []
    for table, parts in tables.items():
        wanted += _merges(table, parts, live)
    chosen = []
    for _, merge in sorted(wanted, key=lambda each: (-each[0], each[1].table, each[1].live)):
        if merge.live <= credit:
            chosen.append(merge)
            credit -= merge.live
    return chosen


def _merges(table: str, parts: Sequence[Part], live: set[int]) -> list[tuple[float, Merge]]:
    counted = {part.path: part.live(live) for part in parts}
    tiers: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        rows = counted[part.path]
        if rows < PART_ROWS // 2:
            tiers[max(0, int(log(max(rows, 1) / _SMALLEST, TIER)))].append(part)
    merges: list[tuple[float, Merge]] = []
    taken: set[object] = set()
    for tier in tiers.values():
        if len(tier) >= TIER:
            taken.update(part.path for part in tier)
            merges.append((1.0, Merge(table, tuple(tier), sum(counted[part.path] for part in tier))))
    for part in parts:
        dead = 1 - counted[part.path] / part.rows
        if dead > DEAD_SHARE and part.path not in taken:
            merges.append((dead, Merge(table, (part,), counted[part.path])))
    return merges

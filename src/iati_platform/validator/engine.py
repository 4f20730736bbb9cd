"""The rules of one version and kind of file, compiled once, and how a record is held against them.

Checks about elements go over columns (all nodes of a spec in a record). Rules about the record itself run only where the elements
that are there leave them a chance to fail. Nothing is looked up by name while files are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iati_platform.reading import Node, Record
from iati_platform.validator.columns import Column, Found, Rule
from iati_platform.validator.expressions import Families, Path
from iati_platform.validator.primitives import Check

__all__ = ["Column", "Engine", "Found", "RecordCheck", "Rule", "run_loop"]

_PLANS: Final = 20_000


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """A rule about the record. It can fail only if of each set of `needs` something is present and nothing of `blocks` is; sets are bits.
    `loop`: it is asked once for each value found there."""

    rule: Rule
    check: Check
    loop: Path | None
    needs: tuple[int, ...]
    blocks: int

    def possible(self, present: int) -> bool:
        return not present & self.blocks and all(present & need for need in self.needs)


#: Bits of a spec, and what is asked of its elements.
AtSpec = tuple[int, tuple[Column, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The record checks that can fail for some set of specs."""

    checks: tuple[tuple[Rule, Check], ...]
    loops: tuple[tuple[Path, tuple[tuple[Rule, Check], ...]], ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """`check(record)` gives every failed rule of a record, in the order of the report."""

    by_spec: tuple[AtSpec | None, ...]  # index -1 (foreign elements) is the last entry, always None
    at_record: tuple[Column, ...]
    record_checks: tuple[RecordCheck, ...]
    plans: dict[int, Plan]

    def check(self, record: Record) -> list[Found]:
        node, families = record.node, Families(record)
        found: list[Found] = []
        present = 0
        table = self.by_spec
        for spec, nodes in record.by_spec.items():
            at = table[spec.index]
            if at is not None:
                present |= at[0]
                for column in at[1]:
                    column(nodes, families, found)
        for column in self.at_record:
            column((node,), families, found)
        plan = self.plans.get(present) or self.plan(present)
        for rule, check in plan.checks:
            failure = check(node, families, None, "")
            if failure is not None:
                found.append(Found(rule, failure, 0))
        for values, checks in plan.loops:
            owners = values.owners(node, families, None, "")
            if owners:
                run_loop(values, owners, checks, node, families, found)
        if len(found) > 1:
            found.sort(key=_order)
        return found

    def plan(self, present: int) -> Plan:
        """The choice is made once for each set that occurs; few do."""
        loops: dict[str, tuple[Path, list[tuple[Rule, Check]]]] = {}
        checks = []
        for one in self.record_checks:
            if not one.possible(present):
                continue
            if one.loop is None:
                checks.append((one.rule, one.check))
            else:
                loops.setdefault(one.loop.written, (one.loop, []))[1].append((one.rule, one.check))
        plan = Plan(tuple(checks), tuple((path, tuple(members)) for path, members in loops.values()))
        if len(self.plans) < _PLANS:
            self.plans[present] = plan
        return plan


def _order(item: Found) -> tuple[int, int]:
    return item.rule.order, item.ordinal


def run_loop(
    values: Path,
    owners: Sequence[Node],
    checks: Sequence[tuple[Rule, Check]],
    node: Node,
    families: Families | None,
    found: list[Found],
) -> None:
    """Ask the checks once for each value of the owners."""
    for value in dict.fromkeys([values.value(owner) for owner in owners]):
        if value:  # an empty vocabulary is the default one and has a case of its own
            for rule, check in checks:
                failure = check(node, families, None, value)
                if failure is not None:
                    found.append(Found(rule, failure, node[4]))

"""What the mere presence of elements tells about an expression, so that whole rules are left out where they cannot fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: Names of the steps down from the context element.
Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """When an expression can have one of its two truth values: only if of each set in `needs` something is there, and only if nothing
    of `blocks` is. Both may know less than there is to know, never more."""

    needs: tuple[frozenset[Steps], ...] = ()
    blocks: frozenset[Steps] = frozenset()

    def also(self, other: Side) -> Side:
        """Both must be possible."""
        return Side(self.needs + other.needs, self.blocks | other.blocks)

    def instead(self, other: Side) -> Side:
        """One must be possible."""
        needs = (self.needs[0] | other.needs[0],) if self.needs and other.needs else ()
        return Side(needs, self.blocks & other.blocks)


@dataclass(frozen=True, slots=True)
class Presence:
    """When an expression can be true and when it can be false."""

    true: Side = Side()
    false: Side = Side()

    def negated(self) -> Presence:
        return Presence(self.false, self.true)

    def both(self, other: Presence) -> Presence:
        """`and`"""
        return Presence(self.true.also(other.true), self.false.instead(other.false))

    def either(self, other: Presence) -> Presence:
        """`or`"""
        return Presence(self.true.instead(other.true), self.false.also(other.false))


UNKNOWN: Final = Presence()


def of_path(steps: Steps, plain: bool) -> Presence:
    """A path as a truth value. `plain`: nothing but names, so that an element that is there is a match."""
    found = frozenset([steps])
    return Presence(Side((found,)), Side(blocks=found if plain else frozenset()))


def of_count(counted: Iterable[tuple[Steps, bool]], operator: str, number: float) -> Presence:
    """A sum of counts of paths against a number."""
    paths = list(counted)
    found = frozenset(steps for steps, _ in paths)
    if (operator == ">" and number >= 0) or (operator in (">=", "=") and number > 0):
        return Presence(true=Side((found,)))
    if operator == "<" and 0 < number <= 1:
        return Presence(true=Side(blocks=frozenset(steps for steps, plain in paths if plain)), false=Side((found,)))
    return UNKNOWN


def of_equal_counts(left: Iterable[tuple[Steps, bool]], right: Iterable[tuple[Steps, bool]]) -> Presence:
    """Counts of paths that should be the same: they are where there is nothing."""
    return Presence(false=Side((frozenset(steps for steps, _ in (*left, *right)),)))

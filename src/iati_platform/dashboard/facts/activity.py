"""One activity, seen once: what the tests of comprehensiveness and the other measures ask about. Gathers; judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from iati_platform.dashboard.facts.transactions import Summary, Transaction
from iati_platform.dashboard.facts.vocabulary import DATE_TYPES, DATES, EXTENDING, FUNDING, IMPLEMENTING, TRUE

if TYPE_CHECKING:
    from iati_platform.reading import Node, Record

_NONE: Final[Sequence[Node]] = ()


class Activity:
    """`second` is True for 2.x files. `dates`: parsed dates by type (planned start, actual start, planned end, actual end)."""

    __slots__ = (
        "attributes", "budget_not_provided", "budgets", "dates", "donor", "groups", "hierarchy", "identifier", "record", "reporting_ref",
        "second", "secondary", "summary", "transactions", "version",
    )  # fmt: skip

    def __init__(self, record: Record, version: str) -> None:
        self.record = record
        self.version = version
        self.second = version.startswith("2.")
        self.attributes = attributes = record.node[1]
        self.groups = groups = record.groups
        self.identifier = record.identifier.strip()
        self.hierarchy = attributes.get("hierarchy") or "1"
        reporting = groups.get("reporting-org", _NONE)
        self.reporting_ref = reporting[0][1].get("ref", "") if reporting else ""
        self.secondary = bool(reporting) and reporting[0][1].get("secondary-reporter") in TRUE
        self.budgets = groups.get("budget", _NONE)
        self.budget_not_provided = attributes.get("budget-not-provided", "")
        self.transactions = [Transaction(node) for node in groups.get("transaction", _NONE)]
        self.summary = Summary(self.transactions, attributes.get("default-currency", ""))
        self.dates = _dates(groups.get("activity-date", _NONE))
        self.donor = self._is_donor()

    def all(self, name: str) -> Sequence[Node]:
        """Child elements of this name."""
        return self.groups.get(name, _NONE)

    def has_text(self, name: str) -> bool:
        """Some child of this name says something: its own text in 1.x, a narrative in 2.x."""
        for node in self.groups.get(name, _NONE):  # noqa: SIM110 (a generator costs twice as much)
            if says(node, self.second):
                return True
        return False

    def _is_donor(self) -> bool:
        """The reporting organisation funds or extends, and does not implement (spec section 2, donor publisher)."""
        ref = self.reporting_ref
        roles = [node[1].get("role", "") for node in self.groups.get("participating-org", _NONE) if ref and node[1].get("ref") == ref]
        return any(role in FUNDING or role in EXTENDING for role in roles) and not any(role in IMPLEMENTING for role in roles)


def says(node: Node, second: bool) -> bool:
    """Whether an element has text: a narrative with text in 2.x, its own in 1.x."""
    if not second:
        return bool(node[2].strip())
    for below in node[3]:  # noqa: SIM110 (a generator costs twice as much)
        if below[0].name == "narrative" and below[2].strip():
            return True
    return False


def iso_date(node: Node) -> str:
    """@iso-date, else the text, as a date; "" for none (spec section 2)."""
    return DATES[node[1].get("iso-date") or node[2]]


def child(node: Node, name: str) -> Node | None:
    """The first child of this name."""
    return next((each for each in node[3] if each[0].name == name), None)


def _dates(nodes: Sequence[Node]) -> tuple[list[str], list[str], list[str], list[str]]:
    found: tuple[list[str], list[str], list[str], list[str]] = ([], [], [], [])
    for node in nodes:
        kind = DATE_TYPES.get(node[1].get("type", ""))
        day = iso_date(node) if kind is not None else ""
        if kind is not None and day:
            found[kind].append(day)
    return found

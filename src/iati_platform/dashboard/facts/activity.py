"""One activity, seen once: what the tests of comprehensiveness and the other measures ask about. Gathers; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from iati_platform.dashboard.facts.transactions import Transactions
from iati_platform.dashboard.facts.vocabulary import DATE_TYPES, DATES, EXTENDING, FUNDING, IMPLEMENTING, TRUE

if TYPE_CHECKING:
    from iati_platform.reading import Node, Record
    from iati_platform.standard import ElementSpec

_NONE: Final[Sequence[Node]] = ()
_DONORS: Final = FUNDING | EXTENDING


class Activity:
    """`second` is True for 2.x files. `dates`: parsed dates by type (planned start, actual start, planned end, actual end)."""

    __slots__ = (
        "attributes", "budget_not_provided", "budgets", "dates", "days", "donor", "groups", "hierarchy", "identifier", "record",
        "reporting_ref", "second", "secondary", "transactions", "version",
    )  # fmt: skip

    def __init__(self, record: Record, version: str, specs: Mapping[str, ElementSpec]) -> None:
        """`specs`: the children of a transaction by name."""
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
        self.budgets = [Budget(node) for node in groups["budget"]] if "budget" in groups else []
        self.budget_not_provided = attributes.get("budget-not-provided", "")
        self.transactions = Transactions(groups.get("transaction", _NONE), record, specs, attributes.get("default-currency", ""))
        #: (type, date) of every activity-date that has one.
        self.days = [
            (node[1].get("type", ""), day)
            for node in groups.get("activity-date", _NONE)
            if (day := DATES[node[1].get("iso-date") or node[2]])
        ]
        self.dates: tuple[list[str], list[str], list[str], list[str]] = ([], [], [], [])
        for type_, day in self.days:
            if type_ in DATE_TYPES:
                self.dates[DATE_TYPES[type_]].append(day)
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
        if not ref or "participating-org" not in self.groups:
            return False
        roles = {node[1].get("role", "") for node in self.groups["participating-org"] if node[1].get("ref") == ref}
        return not roles.isdisjoint(_DONORS) and roles.isdisjoint(IMPLEMENTING)


class Budget:
    """The first of each of a budget's parts; None where absent."""

    __slots__ = ("end", "start", "type", "value")

    def __init__(self, node: Node) -> None:
        self.type = node[1].get("type", "")
        self.start: Node | None = None
        self.end: Node | None = None
        self.value: Node | None = None
        for each in reversed(node[3]):
            name = each[0].name
            if name == "value":
                self.value = each
            elif name == "period-end":
                self.end = each
            elif name == "period-start":
                self.start = each


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
    for each in node[3]:
        if each[0].name == name:
            return each
    return None

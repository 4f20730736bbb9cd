"""The fourteen questions a ruleset can ask. Each maker turns the parameters of a case into a check that gives a Failure or None.

Semantics: the Validator's own strict ones (docs/validator.md says where they differ from the reference engine and why).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import Any, Final, cast

from iati_platform.reading import Node
from iati_platform.standard import registration_agencies
from iati_platform.standard.elements import XML_NAMESPACE
from iati_platform.validator import expressions
from iati_platform.validator.dates import day
from iati_platform.validator.expressions import Groups, Path, number
from iati_platform.validator.failures import Entry, Failure, mark

Check = Callable[[Node, Groups, Node | None, str], Failure | None]
#: Primitives that find nothing wrong where their paths match nothing.
NEEDS_A_MATCH: Final = frozenset(
    {"no_more_than_one", "unique", "regex_matches", "no_spaces", "range", "startswith", "strict_sum"}
    | {"date_now", "date_order", "time_limit", "between_dates"}
)

LONGEST_PERIOD: Final = 365  # days from start to end
_DATE_FIELDS: Final = {
    "budget": ("period-start", "period-end"),
    "planned-disbursement": ("period-start", "period-end"),
    "transaction": ("transaction-date",),
}


@dataclass(frozen=True, slots=True)
class Case:
    """What a maker needs: the primitive's parameters, the context as written (for texts), the day date rules see."""

    parameters: Mapping[str, Any]
    context: str
    today: date

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(expressions.path(text) for text in self.parameters["paths"])

    def path(self, name: str) -> Path:
        return expressions.path(self.parameters[name])


def make(primitive: str, case: Case) -> Check:
    """The check of a case, with its condition. ValueError for a primitive that is not known."""
    maker = _MAKERS.get(primitive)
    if maker is None:
        raise ValueError(f"unknown rule primitive {primitive!r}")
    check = maker(case)
    if "condition" not in case.parameters:
        return check
    applies = expressions.condition(case.parameters["condition"])

    def conditional(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        return check(node, groups, parent, value) if applies(node, groups, parent, value) else None

    return conditional


def _piece(case: Case, path: Path, node: Node) -> tuple[str | Any, ...]:
    return (f"{case.context}/{path.written} = '{path.value(node)}' at ", mark(node, path.attribute))


def _each(case: Case, found: list[tuple[Path, Node]]) -> tuple[Entry, ...]:
    """A context per match."""
    return tuple(Entry(("For ", *_piece(case, path, node)), mark(node, path.attribute)) for path, node in found)


def _together(case: Case, context: Node, paths: tuple[Path, ...], groups: Groups, parent: Node | None, value: str) -> tuple[Entry, ...]:
    """One context that names every match; the context element itself if there is none."""
    parts: list[Any] = []
    first = None
    for path in paths:
        for node in path.owners(context, groups, parent, value):
            parts.extend([" and " if parts else "For ", *_piece(case, path, node)])
            first = first or mark(node, path.attribute)
    if first is None:
        return _itself(context)
    return (Entry(tuple(parts), first),)


def _itself(context: Node) -> tuple[Entry, ...]:
    return (Entry((f"For {context[0].label} at ", mark(context)), mark(context)),)


def _atleast_one(case: Case) -> Check:
    paths = case.paths
    own = paths[0].attribute if paths[0].child == "" else None

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        if own in node[1]:
            return None
        for path in paths:
            if path.owners(node, groups, parent, value):
                return None
        if parent is not None and case.context.startswith("//"):
            return Failure((Entry((f"For {parent[0].label}/{node[0].label} at ", mark(node)), mark(node)),))
        return Failure(_itself(node))

    return check


def _no_more_than_one(case: Case) -> Check:
    paths = case.paths

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        found = 0
        for path in paths:
            found += len(path.owners(node, groups, parent, value))
        return Failure(_together(case, node, paths, groups, parent, value)) if found > 1 else None

    return check


def _unique(case: Case) -> Check:
    paths = case.paths

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        values = [path.value(found) for path in paths for found in path.owners(node, groups, parent, value)]
        return Failure(_together(case, node, paths, groups, parent, value)) if len(set(values)) < len(values) else None

    return check


def _if_then(case: Case) -> Check:
    paths = case.paths
    given, wanted = expressions.condition(case.parameters["if"]), expressions.condition(case.parameters["then"])

    def given_first(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        if not given(node, groups, parent, value) or wanted(node, groups, parent, value):
            return None
        return Failure(_together(case, node, paths, groups, parent, value))

    def wanted_first(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        if wanted(node, groups, parent, value) or not given(node, groups, parent, value):
            return None
        return Failure(_together(case, node, paths, groups, parent, value))

    # One of the two settles it most of the time: begin with the one that has less to look at.
    return given_first if len(case.parameters["if"]) <= len(case.parameters["then"]) else wanted_first


def _every(case: Case, right: Callable[[str], bool]) -> Check:
    """Every matched text must be right; one context per wrong one."""
    paths = case.paths
    id_condition = case.parameters.get("idCondition")
    prefix = id_condition == "NOT_EXISTING_ORG_ID_PREFIX"

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        wrong = [(path, found) for path in paths for found in path.owners(node, groups, parent, value) if not right(path.value(found))]
        if not wrong:
            return None
        unless: tuple[str, ...] = ()
        if id_condition:
            unless = tuple(path.value(found) for path in paths for found in path.owners(node, groups, parent, value))
        return Failure(_each(case, wrong), unless, prefix)

    return check


def _matching(case: Case) -> Callable[[str], bool]:
    # The rulesets are written for JavaScript, where $ is the very end.
    search = re.compile(re.sub(r"\$\Z", r"\\Z", case.parameters["regex"])).search
    return lambda text: not text or search(text) is not None


def _trimmed(case: Case) -> Callable[[str], bool]:
    return lambda text: text == text.strip()


def _within(case: Case) -> Callable[[str], bool]:
    least, most = float(case.parameters.get("min", "-inf")), float(case.parameters.get("max", "inf"))

    def right(text: str) -> bool:
        value = number(text)
        return isnan(value) or least <= value <= most  # what is no number at all is the schema's business

    return right


def _regex_matches(case: Case) -> Check:
    return _every(case, _matching(case))


def _no_spaces(case: Case) -> Check:
    return _every(case, _trimmed(case))


def _range(case: Case) -> Check:
    return _every(case, _within(case))


#: Primitives that ask the same of every value by itself.
TEXT_TESTS: Final[dict[str, Callable[[Case], Callable[[str], bool]]]] = {
    "regex_matches": _matching,
    "no_spaces": _trimmed,
    "range": _within,
}


#: Stands for the codes of all registration agencies.
AGENCIES: Final = ("ORG-ID-PREFIX",)


def agency(text: str) -> bool:
    """Whether an organisation identifier begins with the code of a registration agency."""
    return "-".join(text.split("-")[:2]) in registration_agencies()


def _startswith(case: Case) -> Check:
    if case.parameters["prefix"] == AGENCIES:
        return _every(case, agency)
    paths, prefixes = case.paths, tuple(expressions.path(text) for text in case.parameters["prefix"])
    separator = case.parameters["separator"]

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        begins = [(path, found) for path in prefixes for found in path.owners(node, groups, parent, value)]
        if not begins:
            return None  # nothing to compare with: the schema asks for the missing reference
        allowed = tuple(path.value(found) + separator for path, found in begins)
        wrong = [
            (path, found)
            for path in paths
            for found in path.owners(node, groups, parent, value)
            if not path.value(found).startswith(allowed)
        ]
        if not wrong:
            return None
        return Failure(
            tuple(
                Entry(("For prefix: ", *_piece(case, one, begin), " and ", *_piece(case, path, found)), mark(found, path.attribute))
                for one, begin in begins
                for path, found in wrong
            )
        )

    return check


def _strict_sum(case: Case) -> Check:
    paths, wanted = case.paths, float(case.parameters["sum"])

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        found = [(path, owner) for path in paths for owner in path.owners(node, groups, parent, value)]
        total = sum(number(path.value(owner)) for path, owner in found)
        if not found or isnan(total) or round(total, 4) == wanted:
            return None
        elements = ", ".join(dict.fromkeys(owner[0].label for _, owner in found))
        vocabularies = ", ".join(dict.fromkeys(owner[1]["vocabulary"] for _, owner in found if "vocabulary" in owner[1]))
        text = f"The sum is {round(total, 4):g} for {elements} in vocabulary {vocabularies}"
        return Failure((Entry((text,), mark(found[0][1], found[0][0].attribute)),))

    return check


def _now(case: Case) -> Callable[[Path, Node], Entry | None]:
    """Whether a date is after today; the finding holds until that day comes."""
    today = case.today

    def later(path: Path, owner: Node) -> Entry | None:
        when = day(path.value(owner))
        if when is None or when <= today:
            return None
        if case.parameters.get("more") == "NOW":
            parts: tuple[Any, ...] = (f"less = '{when.isoformat()}' at ", mark(owner, path.attribute), " is later than more = 'today'")
        else:
            parts = (f"For date {when.isoformat()} at ", mark(owner, path.attribute))
        return Entry(parts, mark(owner, path.attribute), when)

    return later


def _date_now(case: Case, name: str = "date") -> Check:
    path, later, bound = case.path(name), _now(case), case.today.isoformat()
    attribute = path.attribute
    if attribute is None:
        raise ValueError(f"{path.written} is no attribute")

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        # Compared as text first: also true of the same day with a time; other spellings that compare so are no dates.
        late = [owner for owner in path.owners(node, groups, parent, value) if owner[1][attribute] > bound]
        entries = [entry for owner in late if (entry := later(path, owner))]
        return Failure(tuple(entries)) if entries else None

    return check


def _date_order(case: Case) -> Check:
    if case.parameters["more"] == "NOW":
        return _date_now(case, "less")
    less, more = case.path("less"), case.path("more")

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        one = less.first(node, groups, parent, value)
        two = more.first(node, groups, parent, value) if one else None
        if one is None or two is None or less.value(one) <= more.value(two):
            return None
        start, end = day(less.value(one)), day(more.value(two))
        if start is None or end is None or start <= end:
            return None
        parts = (f"less = '{start}' at ", mark(one, less.attribute), f" is later than more = '{end}' at ", mark(two, more.attribute))
        return Failure((Entry(parts, mark(one, less.attribute)),))

    return check


def _time_limit(case: Case) -> Check:
    first, last = case.path("start"), case.path("end")

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        one = first.first(node, groups, parent, value)
        two = last.first(node, groups, parent, value) if one else None
        if one is None or two is None:
            return None
        start, end = day(first.value(one)), day(last.value(two))
        if start is None or end is None or (end - start).days <= LONGEST_PERIOD:
            return None
        head, tail = (f"end = '{end}' at ", mark(two, last.attribute)), (f"start = '{start}' at ", mark(one, first.attribute))
        return Failure((Entry((*head, " is more than a year later than ", *tail), mark(two, last.attribute)),))

    return check


def _between_dates(case: Case) -> Check:
    dates, first, last = case.path("date"), case.path("start"), case.path("end")

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        owners = dates.owners(node, groups, parent, value)
        one = first.first(node, groups, parent, value) if owners else None
        two = last.first(node, groups, parent, value) if one else None
        if one is None or two is None:
            return None
        start, end = day(first.value(one)), day(last.value(two))
        if start is None or end is None:
            return None
        entries = []
        for owner in owners:
            when = day(dates.value(owner))
            if when is not None and not start <= when <= end:
                text = f"In the {node[0].label} of {start} to {end}: {dates.name} = '{when}' at "
                entries.append(Entry((text, mark(owner, dates.attribute)), mark(owner, dates.attribute)))
        return Failure(tuple(entries)) if entries else None

    return check


_ALL: Final[dict[str, tuple[frozenset[str], str]]] = {
    "lang": (frozenset(["narrative"]), f"{{{XML_NAMESPACE}}}lang"),
    "currency": (frozenset(["value", "forecast", "loan-status"]), "currency"),
}


def _one_or_all(case: Case) -> Check:
    one, wanted = case.path("one"), case.parameters["all"]
    if wanted == "sector":
        paths = (expressions.path("transaction[not(sector)]"),)

        def check_sectors(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
            if one.owners(node, groups, parent, value):
                return None
            lacking = [(found, node) for found in paths[0].owners(node, groups, parent, value)]
            return Failure(tuple(_lacking(found, above) for found, above in lacking)) if lacking else None

        return check_sectors
    names, attribute = _ALL[wanted]

    def check(node: Node, groups: Groups, parent: Node | None, value: str) -> Failure | None:
        if one.owners(node, groups, parent, value):
            return None
        if groups is not None and not any(
            attribute not in found[1] for spec, column in groups.record.by_spec.items() if spec.name in names for found in column
        ):
            return None
        entries = tuple(
            _lacking(found, above) for found, above in _descendants(node) if found[0].name in names and attribute not in found[1]
        )
        return Failure(entries) if entries else None

    return check


def _descendants(node: Node) -> Iterator[tuple[Node, Node]]:
    for child in node[3]:
        yield child, node
        yield from _descendants(child)


def _lacking(node: Node, parent: Node) -> Entry:
    """A context that says where an element stands in words people use: by the dates of its budget or transaction."""
    holder = node if node[0].name in _DATE_FIELDS else parent
    fields = _DATE_FIELDS.get(holder[0].name)
    if fields:
        days = [next((child[1].get("iso-date", "") for child in holder[3] if child[0].name == name), "") for name in fields]
        return Entry((f"In the {holder[0].label} of {' to '.join(days)} at ", mark(node)), mark(node))
    return Entry((f"For {node[0].label} '{node[2].strip()[:80]}' at ", mark(node)), mark(node))


_MAKERS: Final[dict[str, Callable[[Case], Check]]] = {
    "atleast_one": _atleast_one,
    "no_more_than_one": _no_more_than_one,
    "unique": _unique,
    "if_then": _if_then,
    "regex_matches": _regex_matches,
    "no_spaces": _no_spaces,
    "range": _range,
    "startswith": _startswith,
    "strict_sum": _strict_sum,
    "date_now": cast(Callable[[Case], Check], _date_now),
    "date_order": _date_order,
    "time_limit": _time_limit,
    "between_dates": _between_dates,
    "one_or_all": _one_or_all,
}

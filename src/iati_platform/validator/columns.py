"""Checks over all elements of a kind in a record at once: a column is a list of nodes of one spec, in document order.

Right values cost a look into a set; everything else happens only for what is, or may be, wrong. Values repeat a lot, so what has been
found right once is remembered, within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from iati_platform.reading import Node
from iati_platform.standard import ElementSpec
from iati_platform.validator import messages
from iati_platform.validator.expressions import Families, Path
from iati_platform.validator.failures import Entry, Failure, mark
from iati_platform.validator.primitives import Check


@dataclass(frozen=True, slots=True)
class Rule:
    """What findings say about the rule behind them. `order`: place in the report."""

    id: str
    severity: str
    category: str
    message: str
    order: int
    codelist: str | None = None


class Found(NamedTuple):
    """A failure and the ordinal of the element at which it was met: failures of a rule come in document order."""

    rule: Rule
    failure: Failure
    ordinal: int


#: (elements of one kind, the record they are from, where to put what fails)
Column = Callable[[Sequence[Node], Families, list[Found]], None]


#: (an element where something may be wrong, its record, where to put what fails)
Fail = Callable[[Node, Families, list[Found]], None]


@dataclass(frozen=True, slots=True)
class Question:
    """Something asked of a text. `right`: surely nothing wrong; else `fail` looks closer."""

    right: Callable[[str], bool]
    fail: Fail


#: Values remembered per column; identifiers repeat, but not for ever.
_REMEMBERED: Final = 20_000
#: Longer ones are not kept: engines live as long as the process.
_SHORT: Final = 200


def of_attribute(attribute: str, known: set[str | None], questions: Sequence[Question]) -> Column:
    """All questions about the values of one attribute. `known`: values that are right; grows."""
    known.add(None)

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            if node[1].get(attribute) not in known:
                value = node[1][attribute]
                if _ask(questions, value, node, families, found) and len(known) < _REMEMBERED and len(value) <= _SHORT:
                    known.add(value)

    return look


def of_text(questions: Sequence[Question]) -> Column:
    """All questions about the elements' own text."""

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            _ask(questions, node[2], node, families, found)

    return look


def _ask(questions: Sequence[Question], value: str, node: Node, families: Families, found: list[Found]) -> bool:
    right = True
    for question in questions:
        if not question.right(value):
            question.fail(node, families, found)
            right = False
    return right


def once(rule: Rule, check: Check) -> Fail:
    """For a rule about the record as a whole: one wrong value makes its check run, once."""

    def fail(node: Node, families: Families, found: list[Found]) -> None:
        if all(earlier.rule is not rule for earlier in found):
            failure = check(families.record.node, families, None, "")
            if failure is not None:
                found.append(Found(rule, failure, 0))

    return fail


def at_element(rule: Rule, check: Check) -> Fail:
    """For a rule about the element itself."""

    def fail(node: Node, families: Families, found: list[Found]) -> None:
        failure = check(node, None, None, "")
        if failure is not None:
            found.append(Found(rule, check(node, None, _parent(node, families.record.node), "") or failure, node[4]))

    return fail


def wrong_code(rule: Rule, attribute: str | None) -> Fail:
    def fail(node: Node, families: Families, found: list[Found]) -> None:
        found.append(Found(rule, _wrong_code(node, attribute, None), node[4]))

    return fail


def _wrong_code(node: Node, attribute: str | None, vocabulary: str | None) -> Failure:
    value = node[2] if attribute is None else node[1][attribute]
    place = f"attribute @{messages.label(attribute)}, in element <{node[0].label}>" if attribute else f"element <{node[0].label}>"
    link = f" and linked @vocabulary = {vocabulary}" if vocabulary is not None else ""
    return Failure((Entry((f'"{value}" is not a valid value for {place}{link}',), mark(node, attribute)),))


#: vocabulary -> (rule, codes)
Lists = Mapping[str | None, tuple[Rule, frozenset[str]]]


def of_chosen_codelist(attribute: str, where: str, lists: Lists, default: str | None) -> Column:
    """The list depends on a vocabulary at the same element; absent or empty means the default one; one without a list is not checked."""
    right: dict[str | None, frozenset[str | None]] = {vocabulary: codes | {None} for vocabulary, (_, codes) in lists.items()}
    if default in right:
        right[None] = right[""] = right[default]

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            codes = right.get(node[1].get(where))
            if codes is not None and node[1].get(attribute) not in codes:
                vocabulary = node[1].get(where) or default
                found.append(Found(lists[vocabulary][0], _wrong_code(node, attribute, vocabulary), node[4]))

    return look


def of_codelist_chosen_above(spec: ElementSpec, attribute: str | None, where: str, lists: Lists, default: str | None) -> Column:
    """The same with the vocabulary at the parent, or for an element's text."""
    above = where.startswith("../")
    name = where.removeprefix("../")

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for parent in holders(spec, families):
            for node in parent[3]:
                if node[0] is not spec:
                    continue
                value = node[2] if attribute is None else node[1].get(attribute)
                vocabulary = (parent if above else node)[1].get(name) or default
                if value is not None and vocabulary in lists and value not in lists[vocabulary][1]:
                    found.append(Found(lists[vocabulary][0], _wrong_code(node, attribute, vocabulary), node[4]))

    return look


def holders(spec: ElementSpec, families: Families) -> Sequence[Node]:
    """The elements whose children are of this spec."""
    record = families.record
    above = spec.parent
    if above is None or above is record.node[0]:
        return (record.node,)
    return record.by_spec.get(above, ())


def of_rule(rule: Rule, check: Check, lacking: str | None) -> Column:
    """A rule about each element; `lacking`: an attribute without which only it can fail."""
    fail = at_element(rule, check)

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            fail(node, families, found)

    def look_where_lacking(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            if lacking not in node[1]:
                fail(node, families, found)

    return look if lacking is None else look_where_lacking


def of_spoken(rule: Rule, check: Check, name: str) -> Column:
    """A rule that cannot fail for an element with a child of this name that has a text."""
    fail = at_element(rule, check)

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            for child in node[3]:
                if child[2] and child[0].name == name and not child[2].isspace():
                    break
            else:
                fail(node, families, found)

    return look


def with_parents(spec: ElementSpec, rule: Rule, check: Check, needed: Sequence[ElementSpec] | None) -> Column:
    """A rule that looks upward; `needed`: specs of which the record must have one for it to fail."""

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        by_spec = families.record.by_spec
        if needed is not None and not any(one in by_spec for one in needed):
            return
        for parent in holders(spec, families):
            for node in parent[3]:
                if node[0] is spec:
                    failure = check(node, None, parent, "")
                    if failure is not None:
                        found.append(Found(rule, failure, node[4]))

    return look


def of_limit(attribute: str, bound: str, fail: Fail) -> Column:
    """A rule about values that come after `bound` as text; `fail` speaks for all of the record."""

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            value = node[1].get(attribute)
            if value is not None and value > bound:
                fail(node, families, found)
                return

    return look


def of_pair(first: Path, last: Path, checks: Sequence[tuple[Callable[[str, str], bool], Rule, Check]]) -> Column:
    """Rules about the first value of one attribute and the first of another, each of children by name: the two ends of a period."""
    one_name, one_attribute, two_name, two_attribute = first.child, first.attribute or "", last.child, last.attribute or ""

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        for node in nodes:
            one = two = None
            for child in node[3]:
                name = child[0].name
                if name == one_name:
                    if one is None:
                        one = child[1].get(one_attribute)
                elif name == two_name and two is None:
                    two = child[1].get(two_attribute)
                    if one is not None:
                        break
            if one is None or two is None:
                continue
            for right, rule, check in checks:
                if not right(one, two):
                    failure = check(node, None, None, "")
                    if failure is not None:
                        found.append(Found(rule, failure, node[4]))

    return look


#: (values of the mark for which the rule is asked, whether a value is surely right, the rule, its check)
Marked = tuple[frozenset[str | None], Callable[[str | None], bool], Rule, Check]


def of_marked(holder: ElementSpec, tested: str, attribute: str, checks: Sequence[Marked]) -> Column:
    """Rules about one attribute of elements, each for some values of another attribute at the `holder` further up."""
    cases: dict[str | None, list[Marked]] = {}
    for case in checks:
        for value in case[0]:
            cases.setdefault(value, []).append(case)

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        marks = families.record.by_spec[holder]
        at, last = 0, len(marks) - 1
        asked = cases.get(marks[0][1].get(tested), ())
        for node in nodes:
            while at < last and marks[at + 1][4] < node[4]:  # both in document order
                at += 1
                asked = cases.get(marks[at][1].get(tested), ())
            value = node[1].get(attribute)
            for _, right, rule, check in asked:
                failure = None if right(value) else check(node, None, None, "")
                if failure is not None:
                    found.append(Found(rule, failure, node[4]))

    return look


def with_siblings(spec: ElementSpec, column: Column) -> Column:
    """A column about the parents of elements, where only those with two or more of them matter."""

    def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
        if len(nodes) < 2:
            return
        parents = holders(spec, families)
        at, last, before = 0, len(parents) - 1, -1
        several: list[Node] = []
        for node in nodes:
            while at < last and parents[at + 1][4] < node[4]:
                at += 1
            if at == before and not (several and several[-1] is parents[at]):
                several.append(parents[at])
            before = at
        if several:
            column(several, families, found)

    return look


def _parent(node: Node, top: Node) -> Node:
    """The parent of an element of the record `top`."""
    above = top
    while True:
        below = None
        for child in above[3]:
            if child[4] > node[4]:
                break
            below = child
        if below is None or below is node:
            return above
        above = below

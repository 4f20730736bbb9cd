"""How a location path is walked: steps down by name, predicates, the last attribute or text. Each step is a function over light nodes."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, Final, cast

from iati_platform.reading import Node, Record

_NOTHING: Final[Sequence[Node]] = ()
#: Values remembered per predicate, and how long they may be.
_VERDICTS: Final = 1_000
_SHORT: Final = 200


class Families:
    """The children of a record by tag and, where somebody asks, grandchildren by both tags."""

    __slots__ = ("children", "record")

    def __init__(self, record: Record) -> None:
        self.children = record.groups
        self.record = record

    def below(self, tag: str, name: str) -> Sequence[Node]:
        """All children called `name` of all children called `tag`, in document order."""
        record = self.record
        above = record.node[0].children.get(tag)
        spec = above.children.get(name) if above else None
        if spec is not None:
            return record.by_spec.get(spec, _NOTHING)
        return [child for middle in self.children.get(tag, _NOTHING) for child in middle[3] if child[0].name == name]


#: The families of the context element, if somebody has them at hand (records do); else None and children are searched.
Groups = Families | None
#: (context element, its groups, its parent, the loop's value)
Evaluate = Callable[[Node, Groups, Node | None, str], Any]


class Judged:
    """The values of one attribute (None: absent) for which a predicate holds. Values repeat: few are ever judged."""

    __slots__ = ("_judge", "_known")

    def __init__(self, judge: Callable[[str | None], bool]) -> None:
        self._judge = judge
        self._known: dict[object, bool] = {}

    def __contains__(self, value: object) -> bool:
        verdict = self._known.get(value)
        if verdict is None:
            verdict = self._judge(cast("str | None", value))
            if len(self._known) < _VERDICTS and len(str(value)) <= _SHORT:
                self._known[value] = verdict
        return verdict


#: A test of a candidate: one of its attributes is among values, its position, or a function of it and the loop's value.
Predicate = tuple[str, Container[str | None]] | int | Callable[[Node, str], bool]


def owners(
    steps: list[tuple[str, list[Predicate]]], attribute: str | None, of_text: bool, upward: bool, top: bool
) -> Callable[[Node, Groups, Node | None, str], Sequence[Node]]:
    if top and not upward and not of_text and len(steps) == 1:
        direct = _one_step(*steps[0], attribute)
        if direct is not None:
            return direct
    find = _start(steps[0][0] if steps else None, upward, top)
    for position, (name, predicates) in enumerate(steps):
        if position == 1 and top and not upward and not steps[0][1]:
            find = _grandchildren(find, steps[0][0], name)
        elif position:
            find = _below(find, name)
        for predicate in predicates:
            find = _filtered(find, predicate)
    if attribute is not None:
        return _carrying(find, attribute)
    return _speaking(find) if of_text else find


def _one_step(name: str, predicates: list[Predicate], attribute: str | None) -> Evaluate | None:
    """The commonest paths in one function each: children by name, some of them, those with an attribute."""
    if not predicates and attribute is not None:

        def carrying(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
            if groups is None:
                return [child for child in node[3] if child[0].name == name and attribute in child[1]]
            return [child for child in groups.children.get(name, _NOTHING) if attribute in child[1]]

        return carrying
    if len(predicates) != 1 or not isinstance(predicates[0], tuple):
        return None
    tested, values = predicates[0]
    if attribute is None:

        def chosen(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
            if groups is None:
                return [child for child in node[3] if child[0].name == name and child[1].get(tested) in values]
            return [child for child in groups.children.get(name, _NOTHING) if child[1].get(tested) in values]

        return chosen

    def both(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
        if groups is None:
            return [child for child in node[3] if child[0].name == name and child[1].get(tested) in values and attribute in child[1]]
        return [child for child in groups.children.get(name, _NOTHING) if child[1].get(tested) in values and attribute in child[1]]

    return both


def _start(name: str | None, upward: bool, top: bool) -> Callable[[Node, Groups, Node | None, str], Sequence[Node]]:
    if name is None:
        return lambda node, groups, parent, value: (node,)
    if upward:
        return lambda node, groups, parent, value: [child for child in parent[3] if child[0].name == name] if parent else _NOTHING
    if not top:
        return lambda node, groups, parent, value: [child for child in node[3] if child[0].name == name]

    def grouped(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
        if groups is None:
            return [child for child in node[3] if child[0].name == name]
        return groups.children.get(name, _NOTHING)

    return grouped


def _below(find: Evaluate, name: str) -> Evaluate:
    return lambda node, groups, parent, value: [
        child for above in find(node, groups, parent, value) for child in above[3] if child[0].name == name
    ]


def _grandchildren(find: Evaluate, above: str, name: str) -> Evaluate:
    def found(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
        if groups is None:
            return [child for middle in find(node, groups, parent, value) for child in middle[3] if child[0].name == name]
        return groups.below(above, name) if above in groups.children else _NOTHING

    return found


def _filtered(find: Evaluate, predicate: Predicate) -> Evaluate:
    if isinstance(predicate, int):
        # A position counts among siblings; rules use it on the first step only, where all candidates are siblings.
        first, last = predicate - 1, predicate
        return lambda node, groups, parent, value: find(node, groups, parent, value)[first:last]
    if isinstance(predicate, tuple):
        attribute, values = predicate

        def members(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
            candidates = find(node, groups, parent, value)
            return [found for found in candidates if found[1].get(attribute) in values] if candidates else candidates

        return members

    def chosen(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
        candidates = find(node, groups, parent, value)
        return [found for found in candidates if predicate(found, value)] if candidates else candidates

    return chosen


def _carrying(find: Evaluate, attribute: str) -> Evaluate:
    def carriers(node: Node, groups: Groups, parent: Node | None, value: str) -> Sequence[Node]:
        candidates = find(node, groups, parent, value)
        return [found for found in candidates if attribute in found[1]] if candidates else candidates

    return carriers


def _speaking(find: Evaluate) -> Evaluate:
    return lambda node, groups, parent, value: [found for found in find(node, groups, parent, value) if found[2].strip()]

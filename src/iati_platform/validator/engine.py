"""The rules of one version and kind of file, compiled once: tables by element index, closures over light nodes.

A record is looked at in one walk. At each element the table gives the checks whose context (or codelist) it is; rules about the
record itself run on its children by tag. Nothing is looked up by name while files are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from iati_platform.reading import Node, Record
from iati_platform.standard import CodelistRule, ElementSpec, FileKind, RuleCase, codelist, codelist_rules, element_tree, rules, tree_size
from iati_platform.standard.mappings import EVERYWHERE
from iati_platform.validator import expressions, messages, primitives
from iati_platform.validator.amendments import amended
from iati_platform.validator.expressions import Families, Groups, Path
from iati_platform.validator.failures import Entry, Failure, mark
from iati_platform.validator.primitives import Check, TextTest

#: Versions of the Standard whose rules come from a ruleset; older files are held against schema and complete codelists.
_STEP: Final = re.compile(r"/([^/\[\]]+)((?:\[[^\]]*\])*)")


@dataclass(frozen=True, slots=True)
class Rule:
    """What findings say about the rule behind them. `order`: place in the report."""

    id: str
    severity: str
    category: str
    message: str
    order: int
    codelist: str | None = None


Found = list[tuple[Rule, Failure]]
#: (element, its parent, where to put what fails)
ElementCheck = Callable[[Node, Node, Found], None]

#: (attribute, texts known to be right, what to do with another one)
TextCheck = tuple[str, Collection[str], Callable[[Node, Node, str, Found], None]]
#: What is asked at an element: single attributes, rules about it, and what goes its own way.
AtElement = tuple[tuple[TextCheck, ...], tuple[tuple[Rule, Check], ...], tuple[ElementCheck, ...]]
#: (tags of which the record must have one for the check to find anything, None: it may always; the rule; the check)
RecordCheck = tuple[frozenset[str] | None, Rule, Check]
#: Texts a test remembers as right; identifiers of organisations repeat a lot, but not for ever.
_REMEMBERED: Final = 20_000
_PLANS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Engine:
    """`check(record)` gives every failed rule of a record, in the order of the report."""

    record_checks: tuple[RecordCheck, ...]
    record_loops: tuple[tuple[Path, tuple[tuple[Rule, Check], ...]], ...]
    by_element: tuple[AtElement | None, ...]  # index -1 (foreign elements) is the last entry, always None
    _plans: dict[frozenset[str], tuple[tuple[Rule, Check], ...]]

    def plan(self, groups: Families) -> tuple[tuple[Rule, Check], ...]:
        """The record checks that can fail for a record with these children: few sets of tags occur, so the choice is made once."""
        tags = frozenset(groups)
        plan = self._plans.get(tags)
        if plan is None:
            plan = tuple((rule, check) for needed, rule, check in self.record_checks if needed is None or not needed.isdisjoint(tags))
            if len(self._plans) < _PLANS:
                self._plans[tags] = plan
        return plan

    def check(self, record: Record) -> Found:
        node, groups = record.node, Families(record.groups)
        found: Found = []
        for rule, check in self.plan(groups):
            failure = check(node, groups, None, "")
            if failure is not None:
                found.append((rule, failure))
        for values, checks in self.record_loops:
            owners = values.owners(node, groups, None, "")
            if owners:
                _run_loop(values, owners, checks, node, groups, None, found)
        _visit_one(node, node, self.by_element, found)
        _visit(node, self.by_element, found)
        found.sort(key=_order)
        return found


def _order(item: tuple[Rule, Failure]) -> int:
    return item[0].order


def _visit(parent: Node, table: Sequence[AtElement | None], found: Found) -> None:
    for node in parent[3]:
        spec, attributes, _, children, _ = node
        at = table[spec.index]
        if at is not None:
            lists, rules_here, checks = at
            if attributes:
                for attribute, right, otherwise in lists:
                    value = attributes.get(attribute)
                    if value is not None and value not in right:
                        otherwise(node, parent, value, found)
            for rule, check in rules_here:
                failure = check(node, None, parent, "")
                if failure is not None:
                    found.append((rule, failure))
            for special in checks:
                special(node, parent, found)
        if children:
            _visit(node, table, found)


def _visit_one(node: Node, parent: Node, table: Sequence[AtElement | None], found: Found) -> None:
    alone: Node = (parent[0], parent[1], "", [(node[0], node[1], node[2], (), node[4])], -1)
    _visit(alone, table, found)


def _run_loop(
    values: Path,
    owners: Sequence[Node],
    checks: Sequence[tuple[Rule, Check]],
    node: Node,
    groups: Groups,
    parent: Node | None,
    found: Found,
) -> None:
    for value in dict.fromkeys(values.value(owner) for owner in owners):
        if value:  # an empty vocabulary is the default one and has a case of its own
            for rule, check in checks:
                failure = check(node, groups, parent, value)
                if failure is not None:
                    found.append((rule, failure))


@lru_cache(maxsize=32)
def engine(version: str, kind: FileKind, today: date) -> Engine:
    """The compiled rules (about 20 ms for the first of a version). `today` is what date rules compare with."""
    return _Compiler(version, kind, today).compile()


class _Compiler:
    def __init__(self, version: str, kind: FileKind, today: date) -> None:
        self.version, self.kind, self.today = version, kind, today
        self.root = element_tree(version, kind)
        (self.record,) = self.root.children.values()
        self.elements = list(self.root.walk())
        places = range(tree_size(version, kind) + 1)
        self.table: list[list[ElementCheck]] = [[] for _ in places]
        self.lists: list[list[TextCheck]] = [[] for _ in places]
        self.rules_here: list[list[tuple[Rule, Check]]] = [[] for _ in places]
        self.record_checks: list[RecordCheck] = []
        self.record_loops: dict[str, list[tuple[Rule, Check]]] = {}

    def compile(self) -> Engine:
        order = self._codelists()
        for order, rule in enumerate(amended(rules(self.version)), order + 1):  # noqa: B020 - goes on counting
            for context in rule.contexts:
                self._rule(rule, context, order)
        return Engine(
            tuple(self.record_checks),
            tuple((expressions.path(text), tuple(checks)) for text, checks in self.record_loops.items()),
            tuple(
                (tuple(lists), tuple(plain), tuple(checks)) if lists or plain or checks else None
                for lists, plain, checks in zip(self.lists, self.rules_here, self.table, strict=True)
            ),
            {},
        )

    def _rule(self, case: RuleCase, context: str, order: int) -> None:
        rule = Rule(case.id, case.severity, case.category, messages.of_rule(case.id), order)
        asked = primitives.Case(case.parameters, context, self.today)
        check = primitives.make(case.primitive, asked)
        test = primitives.text_test(case.primitive, asked) if not case.foreach else None
        loop = expressions.path(case.foreach) if case.foreach else None
        for spec, inner in self._places(context):
            if spec is self.record and inner is None:
                if loop is None:
                    self.record_checks.append((_needed(case), rule, check))
                else:
                    self.record_loops.setdefault(loop.written, []).append((rule, check))
            elif test is not None and inner is None:
                self.lists[spec.index].append(_remembering(rule, check, test))
            elif inner is not None:
                self.table[spec.index].append(_below_predicate(rule, check, inner))
            elif loop is not None:
                self.table[spec.index].append(_looped(rule, check, loop))
            else:
                self.rules_here[spec.index].append((rule, check))

    def _places(self, context: str) -> Iterator[tuple[ElementSpec, _Inner | None]]:
        """Elements at which a context is met, and how to go on from there to the context elements themselves."""
        if context.startswith("//"):
            yield from ((spec, None) for spec in self.elements if spec.name == context[2:])
            return
        steps = _STEP.findall(context)
        if "".join(f"/{name}{predicate}" for name, predicate in steps) != context:
            raise ValueError(f"cannot read the context {context!r}")
        if steps[0][0] != self.kind.value:
            return
        # Predicates are tested where they stand; the walk goes down by tag from the last one.
        last = max((position for position, (_, predicate) in enumerate(steps) if predicate), default=len(steps) - 1)
        spec = self.root
        for name, predicate in steps[1 : last + 1]:
            if predicate and name != steps[last][0]:
                raise ValueError(f"more than one predicate in the context {context!r}")
            if name not in spec.children:
                return
            spec = spec.children[name]
        predicate = steps[last][1]
        if not predicate:
            yield spec, None
            return
        yield spec, _Inner(expressions.condition(predicate[1:-1]), tuple(name for name, _ in steps[last + 1 :]))

    def _codelists(self) -> int:
        order = 0
        everywhere: list[CodelistRule] = []
        by_place: dict[tuple[str, str | None], list[CodelistRule]] = {}
        for rule in codelist_rules(self.version):
            if rule.kind not in (None, self.kind) or rule.path == "":
                continue  # the root's @version is 0.6.1's business
            if self.version.startswith("1.") and not codelist(self.version, rule.codelist).complete:
                continue
            if rule.path == EVERYWHERE:
                everywhere.append(rule)
            else:
                by_place.setdefault((rule.path, rule.attribute), []).append(rule)
        for spec in self.elements[1:]:
            for rule in everywhere:
                if rule.attribute in spec.attributes:
                    order += 1
                    self._language_check(rule, spec, order)
            for (path, _), group in by_place.items():
                if path == spec.path:
                    order += 1
                    self._codelist_check(group, spec, order)
        return order

    def _language_check(self, codelist_rule: CodelistRule, spec: ElementSpec, order: int) -> None:
        """xml:lang holds a language tag (BCP 47): case does not matter, and the language may be followed by a region or script."""
        codes = frozenset(codelist(self.version, codelist_rule.codelist).codes)
        known = codes | {code.upper() for code in codes} | {""}  # an empty tag takes a language back (XML 1.0 §2.12)
        message = messages.of_codelist(codelist_rule, spec.label)
        rule = Rule(codelist_rule.id, codelist_rule.severity, codelist_rule.category, message, order, codelist_rule.codelist)
        attribute = codelist_rule.attribute or ""

        def other(node: Node, parent: Node, value: str, found: Found) -> None:
            if value.partition("-")[0].lower() not in codes:
                found.append((rule, _wrong_code(node, attribute, value, None)))

        self.lists[spec.index].append((attribute, known, other))

    def _codelist_check(self, group: list[CodelistRule], spec: ElementSpec, order: int) -> None:
        """One check for all rules about the same attribute (or text) of the same element."""
        attribute, where = group[0].attribute, group[0].vocabulary_attribute
        lists: dict[str | None, tuple[Rule, frozenset[str]]] = {}
        default = None
        for rule in group:
            codes = frozenset(codelist(self.version, rule.codelist).codes)
            message = messages.of_codelist(rule, spec.label)
            lists[rule.vocabulary] = (Rule(rule.id, rule.severity, rule.category, message, order, rule.codelist), codes)
            if rule.vocabulary_default:
                default = rule.vocabulary
        if where is not None:
            self.table[spec.index].append(_chosen_codelist(attribute, where, lists, default))
        elif attribute is None:
            self.table[spec.index].append(_text_codelist(*lists[None]))
        else:
            self.lists[spec.index].append(_plain_codelist(attribute, *lists[None]))


@dataclass(frozen=True, slots=True)
class _Inner:
    """From an element that fulfils a predicate down to the context elements."""

    holds: Callable[[Node, Groups, Node | None, str], bool]
    steps: tuple[str, ...]

    def contexts(self, node: Node, parent: Node) -> Iterator[tuple[Node, Node]]:
        if self.holds(node, None, parent, ""):
            level = [(node, parent)]
            for name in self.steps:
                level = [(child, above) for above, _ in level for child in above[3] if child[0].name == name]
            yield from level


def _below_predicate(rule: Rule, check: Check, inner: _Inner) -> ElementCheck:
    def below(node: Node, parent: Node, found: Found) -> None:
        for context, above in inner.contexts(node, parent):
            failure = check(context, None, above, "")
            if failure is not None:
                found.append((rule, failure))

    return below


def _looped(rule: Rule, check: Check, loop: Path) -> ElementCheck:
    checks = ((rule, check),)

    def looped(node: Node, parent: Node, found: Found) -> None:
        owners = loop.owners(node, None, parent, "")
        if owners:
            _run_loop(loop, owners, checks, node, None, parent, found)

    return looped


def _wrong_code(node: Node, attribute: str | None, value: str, vocabulary: str | None) -> Failure:
    place = f"attribute @{messages.label(attribute)}, in element <{node[0].label}>" if attribute else f"element <{node[0].label}>"
    link = f" and linked @vocabulary = {vocabulary}" if vocabulary is not None else ""
    at = mark(node, attribute)
    return Failure((Entry((f'"{value}" is not a valid value for {place}{link}',), at),))


def _plain_codelist(attribute: str, rule: Rule, codes: frozenset[str]) -> TextCheck:
    def wrong(node: Node, parent: Node, value: str, found: Found) -> None:
        found.append((rule, _wrong_code(node, attribute, value, None)))

    return attribute, codes, wrong


def _remembering(rule: Rule, check: Check, test: TextTest) -> TextCheck:
    known: set[str] = set()

    def other(node: Node, parent: Node, value: str, found: Found) -> None:
        if test.right(value):
            if len(known) < _REMEMBERED:
                known.add(value)
            return
        failure = check(node, None, parent, "")
        if failure is not None:
            found.append((rule, failure))

    return test.attribute, known, other


def _needed(case: RuleCase) -> frozenset[str] | None:
    """Tags of which a record must have one for a case about the record to fail; None if it may fail without."""
    if case.primitive not in primitives.NEEDS_A_MATCH:
        return None
    parameters = case.parameters
    paths = parameters.get("paths") or [parameters[name] for name in ("date", "less", "end") if name in parameters][:1]
    tags = frozenset(re.split(r"[/\[]", text)[0] for text in paths)
    return None if any(tag.startswith(("@", ".")) for tag in tags) else tags


def _text_codelist(rule: Rule, codes: frozenset[str]) -> ElementCheck:
    def check(node: Node, parent: Node, found: Found) -> None:
        if node[2] and node[2] not in codes:
            found.append((rule, _wrong_code(node, None, node[2], None)))

    return check


def _chosen_codelist(
    attribute: str | None, where: str, lists: dict[str | None, tuple[Rule, frozenset[str]]], default: str | None
) -> ElementCheck:
    """The list depends on a vocabulary; absent or empty means the default one; a vocabulary without a list is not checked."""
    above = where.startswith("../")
    name = where.removeprefix("../")

    def check(node: Node, parent: Node, found: Found) -> None:
        value = node[2] if attribute is None else node[1].get(attribute)
        if value is None:
            return
        vocabulary = (parent if above else node)[1].get(name) or default
        choice = lists.get(vocabulary)
        if choice is not None and value not in choice[1]:
            found.append((choice[0], _wrong_code(node, attribute, value, vocabulary)))

    return check

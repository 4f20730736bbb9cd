"""From the Standard's rules (data) to an engine: which column or record check each of them becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from iati_platform.reading import Node
from iati_platform.standard import CodelistRule, ElementSpec, FileKind, RuleCase, codelist, codelist_rules, element_tree, rules, tree_size
from iati_platform.standard.mappings import EVERYWHERE
from iati_platform.validator import columns, expressions, messages, primitives, shortcuts
from iati_platform.validator.amendments import amended
from iati_platform.validator.columns import Column, Found, Question, Rule
from iati_platform.validator.engine import Engine, RecordCheck, run_loop
from iati_platform.validator.expressions import Families, Path
from iati_platform.validator.presence import Steps
from iati_platform.validator.primitives import Case, Check

_STEP: Final = re.compile(r"/([^/\[\]]+)((?:\[[^\]]*\])*)")


@lru_cache(maxsize=32)
def engine(version: str, kind: FileKind, today: date) -> Engine:
    """The compiled rules (about 20 ms for the first of a version). `today` is what date rules compare with."""
    return _Compiler(version, kind, today).compile()


@dataclass(slots=True)
class _Values:
    """What is asked of one attribute (or the text) of one spec."""

    known: set[str | None] = field(default_factory=set)
    questions: list[Question] = field(default_factory=list)


class _Compiler:
    def __init__(self, version: str, kind: FileKind, today: date) -> None:
        self.version, self.kind, self.today = version, kind, today
        self.root = element_tree(version, kind)
        (self.record,) = self.root.children.values()
        self.elements = list(self.root.walk())
        self.columns: list[list[Column]] = [[] for _ in range(tree_size(version, kind) + 1)]
        self.values: dict[tuple[int, str | None], _Values] = {}
        self.pairs: dict[tuple[int, str, str], list[tuple[Callable[[str, str], bool], Rule, Check]]] = {}
        self.marked: dict[tuple[int, int, str, str], list[columns.Marked]] = {}
        self.record_checks: list[RecordCheck] = []
        self.bits: dict[int, int] = {}

    def compile(self) -> Engine:
        order = self._codelists()
        for order, rule in enumerate(amended(rules(self.version)), order + 1):  # noqa: B020 - goes on counting
            for context in rule.contexts:
                self._rule(rule, context, order)
        for (index, attribute), asked in self.values.items():
            text = attribute is None
            column = columns.of_text(asked.questions) if text else columns.of_attribute(attribute or "", asked.known, asked.questions)
            self.columns[index].append(column)
        for (index, first, last), checks in self.pairs.items():
            self.columns[index].append(columns.of_pair(expressions.path(first), expressions.path(last), checks))
        for (index, holder, tested, attribute), marked in self.marked.items():
            self.columns[index].append(columns.of_marked(self.elements[holder], tested, attribute, marked))
        bits = self.bits
        table = [(bits.get(at, 0), tuple(asked)) if asked or at in bits else None for at, asked in enumerate(self.columns)]
        return Engine(tuple(table), tuple(self.columns[self.record.index]), tuple(self.record_checks), {})

    def _rule(self, case: RuleCase, context: str, order: int) -> None:
        rule = Rule(case.id, case.severity, case.category, messages.of_rule(case.id), order)
        asked = Case(case.parameters, context, self.today)
        check = primitives.make(case.primitive, asked)
        loop = expressions.path(case.foreach) if case.foreach else None
        for spec, inner in self._places(context):
            if spec is self.record and inner is None:
                if loop is not None or not self._value_tests(case, asked, spec, columns.once(rule, check)):
                    self._about_record(case, rule, check, loop)
            elif inner is not None:
                self._below_predicate(case, spec, inner, rule, check)
            elif loop is not None:
                self._looped(case, spec, loop, rule, check)
            elif not self._value_tests(case, asked, spec, columns.at_element(rule, check), own=True):
                self._about_element(case, asked, spec, rule, check)

    def _about_record(self, case: RuleCase, rule: Rule, check: Check, loop: Path | None) -> None:
        side = shortcuts.chance_to_fail(case.primitive, case.parameters, loop)
        needs = [self._mask(need) for need in side.needs]
        blocks = self._mask(side.blocks & self._known_steps(side.blocks)) or 0
        self.record_checks.append(RecordCheck(rule, check, loop, tuple(need for need in needs if need is not None), blocks))

    def _about_element(self, case: RuleCase, asked: Case, spec: ElementSpec, rule: Rule, check: Check) -> None:
        add = self.columns[spec.index].append
        paths = asked.paths if "paths" in case.parameters else ()
        pair = shortcuts.pair_test(case.primitive, asked)
        if pair is not None:
            self.pairs.setdefault((spec.index, pair.first.written, pair.last.written), []).append((pair.right, rule, check))
        elif any(path.steps is None for path in paths):
            needed = None
            if case.primitive in primitives.NEEDS_A_MATCH and spec.parent is not None:
                needed = [one for path in paths for one in self._all_below(spec.parent if path.steps is None else spec, path)]
            add(columns.with_parents(spec, rule, check, needed))
        elif case.primitive == "atleast_one" and len(paths) == 1 and paths[0].of_text and paths[0].steps and len(paths[0].steps) == 1:
            add(columns.of_spoken(rule, check, paths[0].steps[0]))
        elif case.primitive in primitives.NEEDS_A_MATCH and len(paths) == 1 and paths[0].steps and self._specs(spec, paths[0].steps):
            self._where_present(spec, paths[0].steps, columns.of_rule(rule, check, None), several=case.primitive == "no_more_than_one")
        else:
            own = paths[0].attribute if case.primitive == "atleast_one" and paths[0].child == "" else None
            add(columns.of_rule(rule, check, own))

    def _where_present(self, spec: ElementSpec, steps: Steps, column: Column, several: bool = False) -> None:
        """A column over elements of `spec`, asked only if there is something at `steps` below one of them, or `several`."""

        def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
            column(families.record.by_spec.get(spec, ()), families, found)

        (below,) = self._specs(spec, steps)
        several = several and below.parent is spec
        self.columns[below.index].append(columns.with_siblings(below, column) if several else look)

    def _looped(self, case: RuleCase, spec: ElementSpec, loop: Path, rule: Rule, check: Check) -> None:
        checks = ((rule, check),)

        def look(nodes: Sequence[Node], families: Families, found: list[Found]) -> None:
            for node in nodes:
                owners = loop.owners(node, None, None, "")
                if owners:
                    run_loop(loop, owners, checks, node, None, found)

        if loop.steps and self._specs(spec, loop.steps):
            same = case.primitive == "no_more_than_one" and [expressions.path(text).steps for text in case.parameters["paths"]] == [
                loop.steps
            ]
            self._where_present(spec, loop.steps, look, several=same)
        else:
            self.columns[spec.index].append(look)

    def _below_predicate(self, case: RuleCase, spec: ElementSpec, inner: _Inner, rule: Rule, check: Check) -> None:
        tested = expressions.tested(inner.written)
        attribute = shortcuts.depends_on(case.parameters)
        if tested is None or attribute is None or not inner.steps:
            raise ValueError(f"cannot compile the context of {case.id}")
        right = shortcuts.own_test(case.primitive, case.parameters, attribute)
        for below in self._specs(spec, inner.steps):
            self.marked.setdefault((below.index, spec.index, tested[0], attribute), []).append((tested[1], right, rule, check))

    def _value_tests(self, case: RuleCase, asked: Case, spec: ElementSpec, fail: columns.Fail, own: bool = False) -> bool:
        """Turn a case that tests single values into questions about columns; False if it is another kind of case. `own`: only if the
        values are attributes of the context element itself."""
        if "condition" in case.parameters:
            return False
        limit = shortcuts.limit_test(case.primitive, asked)
        if limit is not None and not own and limit.path.steps is not None and limit.path.attribute:
            for below in self._specs(spec, limit.path.steps):
                self.columns[below.index].append(columns.of_limit(limit.path.attribute, limit.bound, fail))
                return True
        test = shortcuts.text_test(case.primitive, asked)
        if test is None:
            return False
        places = []
        for path in test.paths:
            specs = self._specs(spec, path.steps) if path.steps is not None else ()
            if not specs or path.of_text or (own and path.steps):
                return False
            places.append((specs[0].index, path.attribute))
        for place in places:
            self._ask_values(place, (), Question(test.right, fail))
        return True

    def _specs(self, spec: ElementSpec, steps: Iterable[str]) -> tuple[ElementSpec, ...]:
        """The spec some steps below another, if this version has it."""
        for name in steps:
            if name not in spec.children:
                return ()
            spec = spec.children[name]
        return (spec,)

    def _all_below(self, spec: ElementSpec, path: Path) -> tuple[ElementSpec, ...]:
        names = path.steps if path.steps is not None else tuple(re.sub(r"\[.*?\]", "", path.written).split("/")[1:])
        return self._specs(spec, names)

    def _known_steps(self, places: frozenset[Steps]) -> frozenset[Steps]:
        return frozenset(steps for steps in places if self._specs(self.record, steps))

    def _mask(self, places: frozenset[Steps]) -> int | None:
        """Bits of the specs at these places; None if this version lacks one of them: a foreign element may stand there."""
        mask = 0
        for steps in places:
            specs = self._specs(self.record, steps)
            if not specs:
                return None
            mask |= self.bits.setdefault(specs[0].index, 1 << len(self.bits))
        return mask

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
        yield spec, _Inner(predicate[1:-1], tuple(name for name, _ in steps[last + 1 :])) if predicate else None

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
        rule = _codelist_rule(codelist_rule, spec, order)
        fail = columns.wrong_code(rule, codelist_rule.attribute)
        question = Question(lambda tag: tag in known or tag.partition("-")[0].lower() in codes, fail)
        self._ask_values((spec.index, codelist_rule.attribute), known, question)

    def _codelist_check(self, group: list[CodelistRule], spec: ElementSpec, order: int) -> None:
        """One check for all rules about the same attribute (or text) of the same element."""
        attribute, where = group[0].attribute, group[0].vocabulary_attribute
        lists = {
            rule.vocabulary: (_codelist_rule(rule, spec, order), frozenset(codelist(self.version, rule.codelist).codes)) for rule in group
        }
        default = next((rule.vocabulary for rule in group if rule.vocabulary_default), None)
        if where is None:
            rule, codes = lists[None]
            right = codes if attribute is not None else codes | {""}
            self._ask_values((spec.index, attribute), codes, Question(right.__contains__, columns.wrong_code(rule, attribute)))
        elif attribute is None or where.startswith("../"):
            self.columns[spec.index].append(columns.of_codelist_chosen_above(spec, attribute, where, lists, default))
        else:
            self.columns[spec.index].append(columns.of_chosen_codelist(attribute, where, lists, default))

    def _ask_values(self, place: tuple[int, str | None], known: Iterable[str], question: Question) -> None:
        """`known`: values that are right as far as this question goes."""
        asked = self.values.setdefault(place, _Values())
        if asked.questions:
            asked.known.clear()  # right by all questions: found out while reading
        else:
            asked.known.update(known)
        asked.questions.append(question)


@dataclass(frozen=True, slots=True)
class _Inner:
    """The predicate of a context, and the names of the steps after it."""

    written: str
    steps: Steps


def _codelist_rule(rule: CodelistRule, spec: ElementSpec, order: int) -> Rule:
    return Rule(rule.id, rule.severity, rule.category, messages.of_codelist(rule, spec.label), order, rule.codelist)

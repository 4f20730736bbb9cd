"""The part of XPath 1.0 that rulesets use, compiled into Python functions over light nodes. No XPath engine runs per file.

Supported: or, and, = != < <= > >=, +, not(), count(), number(), strings, numbers, relative paths of child steps with predicates
(boolean or a position), a leading `..`, and a last step `@name` or `text()`. `'$1'` stands for the value of a loop.
Node-sets are true when they hold something (XPath 1.0 §4.3). `text()` counts only text that is not blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from iati_platform.reading import Node
from iati_platform.standard.elements import XML_NAMESPACE
from iati_platform.validator import presence
from iati_platform.validator.operators import COMPARE, FUNCTIONS, added, as_number, comparison, is_number, number, numeric, truth
from iati_platform.validator.presence import UNKNOWN, Presence, Steps
from iati_platform.validator.steps import Evaluate, Families, Groups, Judged, Predicate
from iati_platform.validator.steps import owners as step_owners

__all__ = ["Families", "Groups", "Path", "attribute_of", "condition", "judge", "number", "path", "presence_of", "tested"]


_TOKEN: Final = re.compile(
    r"\s*(?:('[^']*'|\"[^\"]*\")|(\d+(?:\.\d+)?)|(\.\.|!=|<=|>=|[()\[\]@/=<>+])"
    r"|([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?))"
)
_LOOP: Final = "$1"
_CALL: Final = re.compile(r"'[^']*'|(?:not|count|number)\s*\(")
_WORD: Final = re.compile(r"(@?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?|\.\.)")


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled location path. `owners` gives the elements found, or those that carry the wanted attribute or text."""

    written: str
    owners: Callable[[Node, Groups, Node | None, str], Sequence[Node]]
    attribute: str | None
    of_text: bool
    #: For a path that is one attribute of the context element or of a child by name: that child's name ("" for the element itself).
    child: str | None = None
    #: Names of the steps down, None for a path that goes up; `plain`: none of them has a predicate.
    steps: Steps | None = None
    plain: bool = True

    def value(self, node: Node) -> str:
        """The string value of one match."""
        return node[2] if self.attribute is None else node[1][self.attribute]

    def first(self, node: Node, groups: Groups, parent: Node | None, value: str) -> Node | None:
        """The first match."""
        if groups is None and self.child:
            name, attribute = self.child, self.attribute
            for child in node[3]:
                if child[0].name == name and attribute in child[1]:
                    return child
            return None
        found = self.owners(node, groups, parent, value)
        return found[0] if found else None

    @property
    def name(self) -> str:
        """The last step as people write it."""
        return self.written.rpartition("/")[2]


@cache
def path(text: str) -> Path:
    """Compile a location path. ValueError for anything outside the supported part of XPath."""
    parser = _Parser(text)
    compiled = parser.path(top=True)
    parser.end()
    return compiled


@cache
def condition(text: str) -> Callable[[Node, Groups, Node | None, str], bool]:
    """Compile an expression to a truth value. ValueError for anything outside the supported part of XPath."""
    return _condition(text)[0]


def presence_of(text: str) -> Presence:
    """When an expression can be true or false at all, by the elements that are there."""
    return _condition(text)[1]


def attribute_of(text: str) -> str | None:
    """The attribute that is all an expression looks at, None if there is more or nothing."""
    bare = _CALL.sub("(", text)
    names = {match[2] for match in _WORD.finditer(bare) if match[2] not in ("and", "or")}
    attributes = {match[2] for match in _WORD.finditer(bare) if match[1]}
    return _attribute_name(attributes.pop()) if len(attributes) == 1 and names == attributes else None


def judge(text: str, attribute: str) -> Callable[[str | None], bool] | None:
    """The truth of an expression by the value of one attribute (None: absent), if it is one of the commonest about it."""
    label = attribute.replace(f"{{{XML_NAMESPACE}}}", "xml:")
    if text == f"@{label}":
        return lambda value: value is not None
    if text == f"not(@{label})":
        return lambda value: value is None
    if text == f"number(@{label}) = @{label}":
        return lambda value: value is not None and is_number(value)
    return None


@cache
def tested(text: str) -> tuple[str, frozenset[str | None]] | None:
    """The attribute and its values for which an expression is true, if that is all it asks."""
    parser = _Parser(text)
    _, evaluate = parser.disjunction(top=False)
    return parser.members.get(evaluate)


@cache
def _condition(text: str) -> tuple[Callable[[Node, Groups, Node | None, str], bool], Presence]:
    parser = _Parser(text)
    kind, evaluate = parser.disjunction(top=True)
    parser.end()
    return truth(kind, evaluate), parser.presence.get(evaluate, UNKNOWN)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None:
                raise ValueError(f"cannot read {text!r} at {stripped[at:]!r}")
            self.tokens.append(match[0].strip())
            at = match.end()
        self.at = 0
        #: For tests of one attribute against fixed values (None: absent): what they test. Such tests are most of what rulesets do.
        self.members: dict[Evaluate, tuple[str, frozenset[str | None]]] = {}
        #: Paths behind node-sets: to count matches or to know that there are some, nobody needs their values.
        self.locations: dict[Evaluate, Path] = {}
        #: What presence tells about truth values; the paths behind a sum of counts (steps, plain).
        self.presence: dict[Evaluate, Presence] = {}
        self.counts: dict[Evaluate, tuple[tuple[Steps, bool], ...]] = {}

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token != expected):
            raise ValueError(f"expected {expected or 'more'} in {self.text!r}, found {token or 'the end'!r}")
        self.at += 1
        return token

    def end(self) -> None:
        if self.peek():
            raise ValueError(f"unexpected {self.peek()!r} in {self.text!r}")

    def disjunction(self, top: bool) -> tuple[str, Evaluate]:
        kind, evaluate = self.conjunction(top)
        while self.peek() == "or":
            self.take()
            other = self.conjunction(top)
            known = self._known(evaluate).either(self._known(other[1]))
            evaluate = self._either(truth(kind, evaluate), truth(*other))
            self.presence[evaluate] = known
            kind = "boolean"
        return kind, evaluate

    def _known(self, evaluate: Evaluate) -> Presence:
        return self.presence.get(evaluate, UNKNOWN)

    def _either(self, left: Evaluate, right: Evaluate) -> Evaluate:
        one, two = self.members.get(left), self.members.get(right)
        if one and two and one[0] == two[0]:
            return self._member(one[0], one[1] | two[1])
        return lambda n, g, p, a: left(n, g, p, a) or right(n, g, p, a)

    def _member(self, attribute: str, values: frozenset[str | None]) -> Evaluate:
        def test(node: Node, groups: Groups, parent: Node | None, value: str) -> bool:
            return node[1].get(attribute) in values

        self.members[test] = (attribute, values)
        return test

    def conjunction(self, top: bool) -> tuple[str, Evaluate]:
        kind, evaluate = self.comparison(top)
        while self.peek() == "and":
            self.take()
            other = self.comparison(top)
            known = self._known(evaluate).both(self._known(other[1]))
            evaluate = _both(truth(kind, evaluate), truth(*other))
            self.presence[evaluate] = known
            kind = "boolean"
        return kind, evaluate

    def comparison(self, top: bool) -> tuple[str, Evaluate]:
        begin = self.at
        kind, left = self.sum(top)
        operator = self.peek()
        if operator not in COMPARE:
            return kind, left
        self.take()
        right = self.sum(top)
        tokens = self.tokens[begin : self.at]
        if len(tokens) == 4 and tokens[0] == "@" and right[0] == "number":
            return "boolean", numeric(_attribute_name(tokens[1]), COMPARE[operator], float(tokens[3]))
        if len(tokens) == 4 and tokens[0] == "@" and operator == "=" and right[0] == "string":
            attribute, literal = _attribute_name(tokens[1]), tokens[3][1:-1]
            if literal == _LOOP:
                return "boolean", lambda n, g, p, a: n[1].get(attribute) == a
            return "boolean", self._member(attribute, frozenset([literal]))
        compared = comparison(operator, (kind, left), right)
        counted, others = self.counts.get(left), self.counts.get(right[1])
        if counted and others and operator == "=":
            self.presence[compared] = presence.of_equal_counts(counted, others)
        elif counted and right[0] == "number" and tokens[-1][:1].isdigit() and tokens[-2] == operator:
            self.presence[compared] = presence.of_count(counted, operator, float(tokens[-1]))
        return "boolean", compared

    def sum(self, top: bool) -> tuple[str, Evaluate]:
        kind, evaluate = self.operand(top)
        while self.peek() == "+":
            self.take()
            other = self.operand(top)
            one, two = self.counts.get(evaluate), self.counts.get(other[1])
            evaluate = added(as_number(kind, evaluate), as_number(*other))
            if one and two:
                self.counts[evaluate] = one + two
            kind = "number"
        return kind, evaluate

    def operand(self, top: bool) -> tuple[str, Evaluate]:
        word = self.peek()
        if word == "(":
            self.take()
            inner = self.disjunction(top)
            self.take(")")
            return inner
        if word[:1] in ("'", '"'):
            literal = self.take()[1:-1]
            return "string", (lambda n, g, p, a: a) if literal == _LOOP else (lambda n, g, p, a: literal)
        if word[:1].isdigit():
            value = float(self.take())
            return "number", lambda n, g, p, a: value
        if word in ("not", "count", "number") and self.peek(1) == "(":
            self.take()
            self.take("(")
            begin = self.at
            inner = self.disjunction(top)
            tokens = self.tokens[begin : self.at]
            self.take(")")
            if word == "not" and len(tokens) == 2 and tokens[0] == "@":
                return "boolean", self._member(_attribute_name(tokens[1]), frozenset([None]))
            location = self.locations.get(inner[1])
            if location and word in ("not", "count"):
                inner = ("set", location.owners)
            result = FUNCTIONS[word](*inner)
            before = self._known(inner[1])
            if location and location.steps:
                before = presence.of_path(location.steps, location.plain and location.attribute is None and not location.of_text)
                if word == "count":
                    self.counts[result[1]] = ((location.steps, location.plain and location.attribute is None),)
            if word == "not":
                self.presence[result[1]] = before.negated()
            return result
        location = self.path(top)
        values = _values(location)
        self.locations[values] = location
        if location.steps:
            whole = location.plain and location.attribute is None and not location.of_text
            self.presence[values] = presence.of_path(location.steps, whole)
        return "set", values

    def _predicate(self, begin: int, kind: str, evaluate: Evaluate) -> Predicate:
        member = self.members.get(evaluate)
        if member:
            return member
        true = truth(kind, evaluate)
        tokens = self.tokens[begin : self.at]
        attribute = attribute_of(" ".join(tokens).replace("@ ", "@"))
        if attribute is None or f"'{_LOOP}'" in tokens:
            return lambda node, value: true(node, None, None, value)
        name = attribute
        nowhere: Any = None  # nobody asks where an attribute is

        def judge(value: str | None) -> bool:
            return bool(true((nowhere, {} if value is None else {name: value}, "", (), 0), None, None, ""))

        return name, Judged(judge)

    def path(self, top: bool) -> Path:
        begin = self.at
        steps: list[tuple[str, list[Predicate]]] = []
        upward = False
        attribute, of_text = None, False
        if self.peek() == "..":
            self.take()
            self.take("/")
            upward = True
        while True:
            if self.peek() == "@":
                self.take()
                attribute = _attribute_name(self.take())
                break
            name = self.take()
            if name == "text" and self.peek() == "(":
                self.take("(")
                self.take(")")
                of_text = True
                break
            predicates: list[Predicate] = []
            while self.peek() == "[":
                self.take()
                if self.peek().isdigit() and self.peek(1) == "]":
                    predicates.append(int(self.take()))
                else:
                    predicates.append(self._predicate(self.at, *self.disjunction(top=False)))
                self.take("]")
            steps.append((name, predicates))
            if self.peek() != "/":
                break
            self.take()
        written = self.text if begin == 0 else "".join(self.tokens[begin : self.at])
        simple = attribute is not None and not upward and len(steps) <= 1 and not any(predicates for _, predicates in steps)
        child = (steps[0][0] if steps else "") if simple else None
        owners = step_owners(steps, attribute, of_text, upward, top)
        names = None if upward else tuple(name for name, _ in steps)
        return Path(written, owners, attribute, of_text, child, names, not any(predicates for _, predicates in steps))


def _attribute_name(label: str) -> str:
    return label.replace("xml:", f"{{{XML_NAMESPACE}}}")


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda n, g, p, a: left(n, g, p, a) and right(n, g, p, a)


def _values(location: Path) -> Evaluate:
    """A node-set as the list of its string values."""
    owners, attribute = location.owners, location.attribute
    if attribute is None:
        return lambda n, g, p, a: [found[2] for found in owners(n, g, p, a)]
    return lambda n, g, p, a: [found[1][attribute] for found in owners(n, g, p, a)]

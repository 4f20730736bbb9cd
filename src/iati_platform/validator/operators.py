"""What XPath 1.0 does with values: truth, numbers, comparisons, the few functions rulesets use."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import isnan, nan
from typing import Any, Final

from iati_platform.reading import Node
from iati_platform.validator.steps import Evaluate, Groups

_NUMBER: Final = re.compile(r"[ \t\r\n]*-?(?:\d+(?:\.\d*)?|\.\d+)[ \t\r\n]*\Z", re.ASCII)


@lru_cache(maxsize=4_096)
def number(text: str) -> float:
    """XPath's number(): NaN for what is not a plain decimal number."""
    return float(text) if _NUMBER.match(text) else nan


def is_number(text: str) -> bool:
    """Whether number() makes something of a text."""
    return _NUMBER.match(text) is not None


def truth(kind: str, evaluate: Evaluate) -> Evaluate:
    if kind == "number":
        return lambda n, g, p, a: (value := evaluate(n, g, p, a)) != 0 and not isnan(value)
    return evaluate if kind == "boolean" else lambda n, g, p, a: bool(evaluate(n, g, p, a))


def as_number(kind: str, evaluate: Evaluate) -> Evaluate:
    if kind == "number":
        return evaluate
    if kind == "set":
        return lambda n, g, p, a: number(values[0]) if (values := evaluate(n, g, p, a)) else nan
    if kind == "string":
        return lambda n, g, p, a: number(evaluate(n, g, p, a))
    return lambda n, g, p, a: float(evaluate(n, g, p, a))


def _not(kind: str, evaluate: Evaluate) -> tuple[str, Evaluate]:
    return "boolean", lambda n, g, p, a: not evaluate(n, g, p, a)


def _count(kind: str, evaluate: Evaluate) -> tuple[str, Evaluate]:
    if kind != "set":
        raise ValueError("count() takes a path")
    return "number", lambda n, g, p, a: len(evaluate(n, g, p, a))


def _number_function(kind: str, evaluate: Evaluate) -> tuple[str, Evaluate]:
    return "number", as_number(kind, evaluate)


def added(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda n, g, p, a: left(n, g, p, a) + right(n, g, p, a)


FUNCTIONS: Final[dict[str, Callable[[str, Evaluate], tuple[str, Evaluate]]]] = {
    "not": _not,
    "count": _count,
    "number": _number_function,
}
COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def numeric(attribute: str, compare: Callable[[Any, Any], bool], wanted: float) -> Evaluate:
    def test(node: Node, groups: Groups, parent: Node | None, value: str) -> bool:
        text = node[1].get(attribute)
        return text is not None and compare(number(text), wanted)

    return test


def comparison(operator: str, left: tuple[str, Evaluate], right: tuple[str, Evaluate]) -> Evaluate:
    """XPath 1.0 §3.4: a node-set stands for any of its values; against a number, values are compared as numbers."""
    compare = COMPARE[operator]
    if left[0] == "set" and right[0] == "set":
        a_set, other_set = left[1], right[1]
        return lambda n, g, p, a: any(compare(x, y) for x in a_set(n, g, p, a) for y in other_set(n, g, p, a))
    if right[0] == "set":
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
        return comparison(mirrored, right, left)
    if left[0] == "set":
        values, other = left[1], right[1]
        if right[0] == "number" or operator not in ("=", "!="):
            wanted = as_number(*right)
            return lambda n, g, p, a: any(compare(number(value), wanted(n, g, p, a)) for value in values(n, g, p, a))
        return lambda n, g, p, a: any(compare(value, other(n, g, p, a)) for value in values(n, g, p, a))
    if left[0] == right[0] == "string" and operator in ("=", "!="):
        one, two = left[1], right[1]
    else:
        one, two = as_number(*left), as_number(*right)
    return lambda n, g, p, a: compare(one(n, g, p, a), two(n, g, p, a))

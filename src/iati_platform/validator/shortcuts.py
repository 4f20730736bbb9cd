"""Cases put in a simpler way, for columns: single values, two ends of a period, a limit; and which elements a case needs to fail at all.

None of these decides that something is wrong: they say where nothing can be, and the case's own check looks at the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from iati_platform.validator import expressions, primitives
from iati_platform.validator.dates import day
from iati_platform.validator.expressions import Path
from iati_platform.validator.presence import Side
from iati_platform.validator.primitives import Case


@dataclass(frozen=True, slots=True)
class TextTest:
    """A case that finds nothing where every value of these paths is `right` by itself."""

    paths: tuple[Path, ...]
    right: Callable[[str], bool]


def text_test(primitive: str, case: Case) -> TextTest | None:
    """The case as a test of single values, if it can be put so."""
    maker = primitives.TEXT_TESTS.get(primitive)
    if maker is not None:
        return TextTest(case.paths, maker(case))
    if primitive == "startswith" and case.parameters["prefix"] == primitives.AGENCIES:
        return TextTest(case.paths, primitives.agency)
    return None


@dataclass(frozen=True, slots=True)
class LimitTest:
    """A case that finds nothing where no value of a path comes after `bound` as text."""

    path: Path
    bound: str


def limit_test(primitive: str, case: Case) -> LimitTest | None:
    """The case as a question of what comes after today, if it is one (see `_date_now`)."""
    name = {"date_now": "date", "date_order": "less"}.get(primitive)
    if name is None or case.parameters.get("more", "NOW") != "NOW":
        return None
    return LimitTest(case.path(name), case.today.isoformat())


@dataclass(frozen=True, slots=True)
class PairTest:
    """A case that finds nothing where the first values of two attributes of children are `right` together."""

    first: Path
    last: Path
    right: Callable[[str, str], bool]


def pair_test(primitive: str, case: Case) -> PairTest | None:
    """The case as a question about the two ends of a period, if it is one."""
    names = {"date_order": ("less", "more"), "time_limit": ("start", "end")}.get(primitive)
    if names is None or "condition" in case.parameters or case.parameters[names[1]] == "NOW":
        return None
    first, last = case.path(names[0]), case.path(names[1])
    if not first.child or not last.child:
        return None
    return PairTest(first, last, _in_order if primitive == "date_order" else _short)


def _in_order(start: str, end: str) -> bool:
    return start <= end


def _short(start: str, end: str) -> bool:
    if len(start) == 10 == len(end) and start[:4] == end[:4]:  # in one year
        return True
    one, two = day(start), day(end)
    return one is None or two is None or (two - one).days <= primitives.LONGEST_PERIOD


def own_test(primitive: str, parameters: Mapping[str, Any], attribute: str) -> Callable[[str | None], bool]:
    """For a case that looks at one attribute of its context only: whether a value (None: absent) is surely right."""
    if "condition" not in parameters:
        if primitive == "atleast_one":
            return lambda value: value is not None
        if primitive == "if_then":
            given, wanted = (expressions.judge(parameters[name], attribute) for name in ("if", "then"))
            if given and wanted:
                return lambda value: wanted(value) or not given(value)
    return lambda value: False


def depends_on(parameters: Mapping[str, Any]) -> str | None:
    """The attribute of the context element that is all a case looks at, None if there is more."""
    found: set[str | None] = set()
    for name, value in parameters.items():
        if name == "paths":
            found.update(path.attribute if (path := expressions.path(text)).child == "" else None for text in value)
        elif name in ("if", "then", "condition"):
            found.add(expressions.attribute_of(value))
        else:
            return None
    return found.pop() if len(found) == 1 else None


def chance_to_fail(primitive: str, parameters: Mapping[str, Any], loop: Path | None) -> Side:
    """Which elements must be there, and which must not, for a case to fail at all."""
    side = Side()
    if "condition" in parameters:
        side = side.also(expressions.presence_of(parameters["condition"]).true)
    if loop is not None:
        side = side.also(_there(loop))
    if primitive == "if_then":
        side = side.also(expressions.presence_of(parameters["if"]).true).also(expressions.presence_of(parameters["then"]).false)
    elif primitive == "atleast_one":
        side = side.also(_missing(*parameters["paths"]))
    elif primitive == "one_or_all":
        side = side.also(_missing(parameters["one"]))
        if parameters["all"] == "sector":
            side = side.also(_there(expressions.path("transaction")))
    elif primitive in primitives.NEEDS_A_MATCH:
        if "paths" in parameters:
            side = side.also(_there(*(expressions.path(text) for text in parameters["paths"])))
        for name in ("date", "less", "more", "start", "end"):
            if parameters.get(name, "NOW") != "NOW":
                side = side.also(_there(expressions.path(parameters[name])))
        if primitive == "startswith" and parameters["prefix"] != primitives.AGENCIES:
            side = side.also(_there(*(expressions.path(text) for text in parameters["prefix"])))
    return side


def _there(*paths: Path) -> Side:
    """One of the paths must have a match."""
    steps = [path.steps for path in paths]
    return Side((frozenset(one for one in steps if one),)) if all(steps) else Side()


def _missing(*written: str) -> Side:
    """None of the paths may have a match."""
    paths = [expressions.path(text) for text in written]
    return Side(blocks=frozenset(p.steps for p in paths if p.steps and p.plain and p.attribute is None and not p.of_text))

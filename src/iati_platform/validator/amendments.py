"""Where the strict mode asks other questions than the published rulesets: the whole list, as data. Reasons are in docs/validator.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from iati_platform.standard import RuleCase

_ONE: Final = "[@vocabulary = '$1']"
_DEFAULT: Final = "[@vocabulary='1' or @vocabulary='' or not(@vocabulary)]"


@dataclass(frozen=True, slots=True)
class Amendment:
    """`set`: parameters to add or replace. `default_vocabulary`: the looped case is also asked once for the elements of the default
    vocabulary, and the loop leaves that vocabulary out; `default_condition` then replaces the condition of the added case."""

    set: tuple[tuple[str, Any], ...] = ()
    default_vocabulary: bool = False
    default_condition: str | None = None


STRICT: Final[dict[str, Amendment]] = {
    # Regions without @vocabulary belong to vocabulary 1 and are checked with it.
    "3.4.1": Amendment(default_vocabulary=True),
    "3.4.2": Amendment(
        default_vocabulary=True,
        default_condition=f"recipient-region{_DEFAULT} and count(recipient-region{_DEFAULT}) + count(recipient-country) > 1",
    ),
    "3.4.4": Amendment(default_vocabulary=True),
    # No sector at all is said once, by 6.2.2.
    "6.7.2": Amendment(set=(("condition", "transaction/sector"),)),
}


def amended(rules: Iterable[RuleCase]) -> Iterator[RuleCase]:
    """The cases with their amendments, in order."""
    for rule in rules:
        amendment = STRICT.get(rule.id)
        if amendment is None:
            yield rule
            continue
        changed = replace(rule, parameters={**rule.parameters, **dict(amendment.set)})
        if not (amendment.default_vocabulary and rule.foreach):
            yield changed
            continue
        element, _, attribute = rule.foreach.partition("/")
        yield replace(changed, foreach=f"{element}[@vocabulary != '1']/{attribute}")
        parameters = {name: _for_default(value) for name, value in changed.parameters.items()}
        if amendment.default_condition:
            parameters["condition"] = amendment.default_condition
        yield replace(changed, foreach=None, substitute=(), parameters=parameters)


def _for_default(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_for_default(part) for part in value)
    return value.replace(_ONE, _DEFAULT) if isinstance(value, str) else value

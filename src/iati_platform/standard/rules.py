"""The rulesets as data: which primitive is asked of which elements with which parameters. Messages are the validator's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from iati_platform.standard.mappings import Mapping as CodelistMapping
from iati_platform.standard.mappings import mappings
from iati_platform.standard.tables import read_json, read_rows
from iati_platform.standard.versions import CODELIST_VERSIONS, FileKind, codelist_version


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case of a rule; several cases may share an `id`.

    `severity`: "error" or "warning". `contexts`: absolute element paths, with predicates where a rule has them, or "//title".
    `parameters`: those of the primitive ("paths", "less", "condition" …), expressions relative to the context element.
    `foreach`: the case is asked once for each distinct value of this expression, put for $1 in the parameters named in `substitute`
    (and only there: a ruleset may leave one out). `link`: where guidance is, {"url": …} or {"path": …}. `versions`: those with this case.
    """

    id: str
    severity: str
    category: str
    contexts: tuple[str, ...]
    primitive: str
    parameters: Mapping[str, Any]
    foreach: str | None = None
    substitute: tuple[str, ...] = ()
    link: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[str, ...] = ()

    @property
    def context(self) -> str:
        """The contexts as one XPath union."""
        return " | ".join(self.contexts)


@dataclass(frozen=True, slots=True)
class CodelistRule:
    """A value must be on a codelist. `id` is not unique (the Validator uses 9.129.1 and 9.130.1 twice), `key` is.

    `path`, `attribute`, `vocabulary…`, `kind`: see `mappings.Mapping`. `severity` is always "error" in the compatible mode.
    """

    id: str
    path: str
    attribute: str | None
    codelist: str
    category: str
    vocabulary: str | None
    vocabulary_default: bool
    vocabulary_attribute: str | None
    kind: FileKind | None
    key: str
    severity: str = "error"


@cache
def rules(version: str) -> tuple[RuleCase, ...]:
    """Every case of the ruleset of this version, in its order (1.01 to 1.03: that of 1.04, numbered like the 2.0x rules)."""
    texts = {other: _identities(other) for other in CODELIST_VERSIONS}
    at = codelist_version(version)
    return tuple(
        _case(row, tuple(other for other in CODELIST_VERSIONS if text in texts[other]))
        for row, text in zip(read_json(f"rules/{at}.json"), _identity_list(at), strict=True)
    )


def _identity_list(version: str) -> list[str]:
    return [repr(sorted((key, value) for key, value in row.items() if key != "link")) for row in read_json(f"rules/{version}.json")]


@cache
def _identities(version: str) -> frozenset[str]:
    return frozenset(_identity_list(version))


def _case(row: dict[str, Any], versions: tuple[str, ...]) -> RuleCase:
    return RuleCase(
        row["id"],
        row["severity"],
        row["category"],
        tuple(row["contexts"]),
        row["primitive"],
        MappingProxyType({name: tuple(value) if isinstance(value, list) else value for name, value in row["parameters"].items()}),
        row.get("foreach"),
        tuple(row.get("substitute", ())),
        MappingProxyType(row.get("link", {})),
        versions,
    )


@cache
def codelist_rules(version: str) -> tuple[CodelistRule, ...]:
    """A numbered rule for every mapping of this version. Where 1.0x has a mapping that no later version has, the id is "9.0.1"."""
    numbered: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in read_rows("codelist-rules.tsv"):
        numbered.setdefault((row["path"], row["attribute"]), []).append(row)
    return tuple(_codelist_rule(mapping, numbered) for mapping in mappings(version))


def _codelist_rule(mapping: CodelistMapping, numbered: dict[tuple[str, str], list[dict[str, str]]]) -> CodelistRule:
    place = mapping.path or (mapping.kind.value if mapping.kind else "")
    label = mapping.label
    candidates = numbered.get((place, "" if mapping.attribute is None else label.removeprefix("@")), [])
    exact = [row for row in candidates if row["codelist"] == mapping.codelist and row["vocabulary"] == (mapping.vocabulary or "")]
    same_list = [row for row in candidates if row["codelist"] == mapping.codelist]
    # 1.0x names some lists and vocabularies differently ("Vocabulary", 'DAC'): the number of the place is what counts then.
    row = next(iter(exact or same_list or candidates), {"id": "9.0.1", "category": "iati"})
    key = f"{place}/{label}" + (f"[{mapping.vocabulary_attribute}={mapping.vocabulary}]" if mapping.vocabulary else "")
    return CodelistRule(
        row["id"],
        mapping.path,
        mapping.attribute,
        mapping.codelist,
        row["category"],
        mapping.vocabulary,
        mapping.vocabulary_default,
        mapping.vocabulary_attribute,
        mapping.kind,
        key,
    )

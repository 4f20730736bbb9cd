"""Codelists: names of codes in every language, status, category, dates. Each list is read when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from iati_platform.standard.tables import read_json
from iati_platform.standard.versions import codelist_version


@dataclass(frozen=True, slots=True)
class Code:
    """One code. `names` by language ("en"); `status` "active" or "withdrawn"; dates as YYYY-MM-DD or None."""

    code: str
    names: Mapping[str, str]
    status: str = "active"
    category: str | None = None
    activated: str | None = None
    withdrawn: str | None = None

    def name(self, language: str = "en") -> str | None:
        """The name in this language, else in English, else in any; None if the code has none."""
        return self.names.get(language) or self.names.get("en") or next(iter(self.names.values()), None)


@dataclass(frozen=True, slots=True)
class Codelist:
    """A codelist. `complete` False: codes outside it may be right too. `categories`: the list its categories come from."""

    name: str
    title: str
    titles: Mapping[str, str]
    complete: bool
    categories: str | None
    codes: Mapping[str, Code]


def codelist(version: str, name: str) -> Codelist:
    """The list as it stands for this version (1.01 to 1.03: that of 1.04). KeyError for an unknown name, ValueError for a version."""
    at = codelist_version(version)
    if name in _index().get(at, ()):
        return _load(f"codelists/{at}/{name}.json")
    if name in _index()["shared"]:
        return _load(f"codelists/shared/{name}.json")
    raise KeyError(f"no codelist {name!r} in version {version}")


@cache
def codelist_names(version: str) -> tuple[str, ...]:
    """The names of all lists of this version, sorted."""
    index = _index()
    return tuple(sorted(index["shared"] | index[codelist_version(version)]))


def code_name(version: str, codelist_name: str, code: str, lang: str = "en") -> str | None:
    """The name of a code, in English if not in `lang`; None if the list has no such code. KeyError for an unknown list."""
    found = codelist(version, codelist_name).codes.get(code)
    return found.name(lang) if found else None


def registration_agencies() -> frozenset[str]:
    """Codes of all registers of organisations, withdrawn ones included ("GB-COH")."""
    return frozenset(codelist("2.03", "OrganisationRegistrationAgency").codes)


@cache
def _index() -> dict[str, frozenset[str]]:
    return {folder: frozenset(names) for folder, names in read_json("codelists/index.json").items()}


@cache
def _load(table: str) -> Codelist:
    content: dict[str, Any] = read_json(table)
    codes: dict[str, Code] = {}
    for row in content["codes"]:
        codes[row[0]] = Code(row[0], MappingProxyType(row[1]), *row[2:])
    titles = content["titles"]
    title = titles.get("en") or content["name"]
    return Codelist(
        content["name"], title, MappingProxyType(titles), content["complete"], content.get("categories"), MappingProxyType(codes)
    )

"""Which codelist holds for which element or attribute, and the numbered rules that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from iati_platform.standard.elements import XML_NAMESPACE
from iati_platform.standard.tables import read_rows
from iati_platform.standard.versions import FileKind, codelist_version

EVERYWHERE: Final = "*"
"""The `path` of a mapping that holds for an attribute of every element (xml:lang)."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A place whose values come from a codelist.

    `path`: as ElementSpec.path ("iati-activity/sector", the root ""), or EVERYWHERE. `attribute`: lxml name, None: the element's text.
    `vocabulary`: the mapping holds only if the vocabulary is this one; `vocabulary_default`: or if none is given.
    `vocabulary_attribute`: where the vocabulary stands, "vocabulary" or "../vocabulary" (on the parent); None if there is no condition.
    `kind`: the kind of file, None for both.
    """

    path: str
    attribute: str | None
    codelist: str
    vocabulary: str | None = None
    vocabulary_default: bool = False
    vocabulary_attribute: str | None = None
    kind: FileKind | None = None

    @property
    def label(self) -> str:
        """The attribute as people write it ("@xml:lang"), or "text()"."""
        return "text()" if self.attribute is None else "@" + self.attribute.replace(f"{{{XML_NAMESPACE}}}", "xml:")


@cache
def mappings(version: str) -> tuple[Mapping, ...]:
    """All mappings of this version in the order of the Standard (1.01 to 1.03: those of 1.04)."""
    return tuple(_mapping(row) for row in read_rows(f"mappings/{codelist_version(version)}.tsv"))


def _mapping(row: dict[str, str]) -> Mapping:
    path, kind = _place(row["path"])
    attribute = row["attribute"].replace("xml:", f"{{{XML_NAMESPACE}}}") or None
    vocabulary = row["vocabulary"] or None
    return Mapping(path, attribute, row["codelist"], vocabulary, row["default"] == "default", row["vocabulary_attribute"] or None, kind)


def _place(path: str) -> tuple[str, FileKind | None]:
    if path == EVERYWHERE:
        return path, None
    for kind in FileKind:
        if path == kind.value:
            return "", kind
    return path, FileKind.ACTIVITIES if path.split("/")[0] == "iati-activity" else FileKind.ORGANISATIONS

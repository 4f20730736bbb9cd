"""Value types of a reading: light nodes, records, problems. No parsing happens here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from iati_platform.standard import ElementSpec

#: (spec, attributes, text, children, ordinal). A plain tuple: files hold millions of them.
#: `attributes`: lxml name -> raw value; `text`: all own text joined when the element carries text, else "";
#: `children`: a list, or () when there are none; `ordinal`: number of the element in document order within its record (record = 0).
Node: TypeAlias = tuple[ElementSpec, dict[str, str], str, Sequence["Node"], int]


#: The Validator's id for everything that is not usable XML.
XML_PROBLEM_RULE: Final = "0.1.1"


class ProblemCode(StrEnum):
    """What can keep a whole file from being read."""

    EMPTY = "empty"
    COMPRESSED = "compressed"
    ENCODING = "encoding"
    DOCTYPE = "doctype"
    HTML = "html"
    NOT_WELL_FORMED = "not-well-formed"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    NOT_IATI = "not-iati"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a file cannot be read. `line` and `column` count from 1 (0 = the file as a whole); `message` is for people."""

    code: ProblemCode
    message: str
    line: int = 0
    column: int = 0

    @property
    def rule_id(self) -> str:
        """The Validator's id for it: 0.2.1 for well-formed XML that is not IATI, 0.1.1 for everything that is not usable XML."""
        return "0.2.1" if self.code is ProblemCode.NOT_IATI or self.code is ProblemCode.HTML else XML_PROBLEM_RULE


@dataclass(frozen=True, slots=True)
class SchemaError:
    """A violation of the XML Schema: libxml2's own words, the absolute path, the line in the file, the element's ordinal if known."""

    line: int
    message: str
    path: str
    ordinal: int | None = None


@dataclass(slots=True)
class Record:
    """One activity or organisation. `start` and `end` are byte offsets into `FileReading.data`; `line` is that of `start`.

    `by_spec`: all nodes below the record by their spec, each list in document order: for those who do the same with every node of a
    kind, a loop over a few dozen lists instead of a visit of every node.
    """

    node: Node
    index: int
    start: int
    end: int
    line: int
    by_spec: Mapping[ElementSpec, list[Node]]
    schema_errors: list[SchemaError] = field(default_factory=list)
    _groups: dict[str, list[Node]] | None = field(default=None, init=False, repr=False)

    @property
    def schema_valid(self) -> bool:
        return not self.schema_errors

    @property
    def groups(self) -> dict[str, list[Node]]:
        """The record's child elements by tag, each list in document order."""
        groups = self._groups
        if groups is None:
            record = self.node[0]
            groups = self._groups = {spec.name: nodes for spec, nodes in self.by_spec.items() if spec.parent is record}
        return groups

    @property
    def identifier(self) -> str:
        """Text of iati-identifier (or organisation-identifier; iati-identifier in 1.x organisation files), untrimmed; "" if absent."""
        spec = self.node[0]
        for name in _IDENTIFIERS[spec.name]:
            known = spec.children.get(name)
            found = self.by_spec.get(known) if known else self.groups.get(name)
            if found:
                return found[0][2]
        return ""


_IDENTIFIERS = {
    "iati-activity": ("iati-identifier",),
    "iati-organisation": ("organisation-identifier", "iati-identifier"),
}

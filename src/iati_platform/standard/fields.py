"""Names of flat fields: every value of a file, named by its path joined with "_" (the Datastore's way)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from iati_platform.standard.elements import AttributeSpec, ElementSpec, element_tree
from iati_platform.standard.versions import FileKind


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `name` ("transaction_value_currency"), where it stands, its simple `type` ("xsd:decimal"), whether it may repeat.

    `attribute` None: the element's text. The root's attributes are "dataset_…", the record's own have no prefix.
    """

    name: str
    spec: ElementSpec
    attribute: AttributeSpec | None
    type: str
    multi: bool


@cache
def fields(version: str, kind: FileKind = FileKind.ACTIVITIES) -> tuple[Field, ...]:
    """All fields of this version in the order of its schema: an element's text, its attributes, its children."""
    root = element_tree(version, kind)
    (record,) = root.children.values()
    head = tuple(Field(_joined("dataset", a.label), root, a, a.type, False) for a in root.attributes.values())
    return head + tuple(_fields(record, ""))


def _fields(spec: ElementSpec, prefix: str) -> Iterator[Field]:
    if spec.text is not None and prefix:
        yield Field(prefix, spec, None, spec.text, spec.repeated)
    for attribute in spec.attributes.values():
        yield Field(_joined(prefix, attribute.label), spec, attribute, attribute.type, spec.repeated)
    for child in spec.children.values():
        yield from _fields(child, _joined(prefix, child.label))


def _joined(prefix: str, label: str) -> str:
    name = label.replace("-", "_").replace(":", "_")
    return f"{prefix}_{name}" if prefix else name

"""The field model of the Datastore: every name that can be searched or returned, derived from the element tree of version 2.03.

A name is the element path below the activity, element names and a final attribute name joined by `_`, `-` and `:` turned into `_`
(spec/datastore.md §5.1). Whatever is not in this model (extensions, elements of version 1) is kept and returned, but not searchable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from iati_platform.standard import ElementSpec, FileKind, element_tree

MODEL_VERSION: Final = "2.03"


class FieldType(StrEnum):
    """How values of a field are compared; the values are the names of the Solr types the peer uses."""

    TEXT = "text_general"  # analysed, no column
    CODE = "text_gen_sort"  # analysed, original value kept as a column for sorting and counting
    EXACT = "string"  # whole value, case-sensitive
    DOUBLE = "double"
    DATE = "date"
    BOOLEAN = "boolean"
    INT = "int"
    POINT = "location_point"
    LONG = "plong"
    PAYLOAD = "string_large"  # returned, never searched


class Scope(StrEnum):
    """Whose value it is: the whole activity's, one transaction's, one budget's, or added by the platform."""

    ACTIVITY = "activity"
    TRANSACTION = "transaction"
    BUDGET = "budget"
    PLATFORM = "platform"


class Collection(StrEnum):
    """The three collections; the value is the path segment of the API."""

    ACTIVITY = "activity"
    TRANSACTION = "transaction"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Field:
    """One searchable or returned name. `number` is its place in the model (stable for one index format). `path`: where the value stands."""

    name: str
    type: FieldType
    multi: bool
    path: str
    scope: Scope
    number: int

    @property
    def narrative(self) -> bool:
        return self.scope is not Scope.PLATFORM and self.name.endswith("_narrative")


_TYPES: Final = {
    "xsd:anyURI": FieldType.TEXT,
    "xsd:decimal": FieldType.DOUBLE,
    "xsd:dateTime": FieldType.DATE,
    "xsd:date": FieldType.DATE,
    "xsd:boolean": FieldType.BOOLEAN,
    "xsd:int": FieldType.INT,
    "xsd:positiveInteger": FieldType.INT,
    "xsd:nonNegativeInteger": FieldType.INT,
}
#: Names whose type does not follow from the schema (spec §5.2 and its field list).
_TYPED_BY_NAME: Final = {
    "location_administrative_level": FieldType.CODE,
    "contact_info_website": FieldType.CODE,
    "fss_forecast": FieldType.CODE,
}

#: name -> (type, multi); `_version_` is known so that clients may ask for it, but nothing is kept under it.
_PLATFORM: Final[Mapping[str, tuple[FieldType, bool]]] = {
    "id": (FieldType.EXACT, False),
    "_version_": (FieldType.LONG, False),
    "indexed_datetime": (FieldType.DATE, False),
    "iati_xml": (FieldType.PAYLOAD, False),
    "iati_json": (FieldType.PAYLOAD, False),
    "location_point_latlon": (FieldType.POINT, True),
    "iati_identifier_exact": (FieldType.EXACT, False),
    "iati_text": (FieldType.TEXT, True),
    "iati_activities_document_id": (FieldType.EXACT, False),
    "iati_activities_document_hash": (FieldType.EXACT, False),
}
_ACTIVITY_ONLY: Final = frozenset({"iati_xml", "iati_json"})


def attribute_label(name: str) -> str:
    """`{http://www.w3.org/XML/1998/namespace}lang` -> `xml:lang`; other names as they are."""
    return "xml:" + name.partition("}")[2] if name.startswith("{http://www.w3.org/XML/1998/namespace}") else name


def field_name(path: str, attribute: str | None = None) -> str:
    """The field of an element (path below the root, "iati-activity/…") or of one of its attributes (label, "xml:lang")."""
    parts = path.split("/")[1:]
    if attribute is not None:
        parts.append(attribute)
    return "_".join(parts).replace("-", "_").replace(":", "_")


def _type(name: str, xsd_type: str) -> FieldType:
    if name.endswith("_narrative"):
        return FieldType.TEXT
    return _TYPED_BY_NAME.get(name) or _TYPES.get(xsd_type, FieldType.CODE)


def _scope(name: str) -> Scope:
    if name.startswith("transaction_"):
        return Scope.TRANSACTION
    # `budget_not_provided` is an attribute of the activity; the peer loses it in the budget collection, we do not (spec §5.4).
    if name.startswith("budget_") and name != "budget_not_provided":
        return Scope.BUDGET
    return Scope.ACTIVITY


def _standard_fields() -> Iterator[tuple[str, FieldType, bool, str]]:
    root = element_tree(MODEL_VERSION, FileKind.ACTIVITIES)
    for attribute in root.attributes.values():
        name = "dataset_" + attribute.label.replace("-", "_").replace(":", "_")
        yield name, _type(name, attribute.type), False, f"@{attribute.label}"
    yield from _element_fields(root.children["iati-activity"])


def _element_fields(spec: ElementSpec) -> Iterator[tuple[str, FieldType, bool, str]]:
    if spec.text is not None and "/" in spec.path:
        name = field_name(spec.path)
        yield name, _type(name, spec.text), spec.repeated, spec.path
    for attribute in spec.attributes.values():
        name = field_name(spec.path, attribute.label)
        yield name, _type(name, attribute.type), spec.repeated, f"{spec.path}/@{attribute.label}"
    for child in spec.children.values():
        yield from _element_fields(child)


@cache
def field_model() -> Mapping[str, Field]:
    """All fields by name: platform fields first, then those of the Standard in schema order."""
    fields: dict[str, Field] = {}
    for name, (kind, multi) in _PLATFORM.items():
        fields[name] = Field(name, kind, multi, "", Scope.PLATFORM, len(fields))
    for name, kind, multi, path in _standard_fields():
        fields[name] = Field(name, kind, multi, path, _scope(name), len(fields))
    return MappingProxyType(fields)


@cache
def default_fields() -> tuple[str, ...]:
    """The 305 names returned when a caller names none (spec §3.1)."""
    return tuple(field.name for field in field_model().values() if field.scope is not Scope.PLATFORM)


@cache
def narrative_fields(scope: Scope | None = None) -> tuple[Field, ...]:
    """The fields that `iati_text` stands for: all narratives, or those of one scope."""
    return tuple(field for field in field_model().values() if field.narrative and scope in (None, field.scope))


def collection_fields(collection: Collection) -> tuple[Field, ...]:
    """The fields a document of this collection can have; the whole activities' payloads exist on activities only."""
    return tuple(field for field in field_model().values() if collection is Collection.ACTIVITY or field.name not in _ACTIVITY_ONLY)


def own_scope(collection: Collection) -> Scope:
    """The scope whose values belong to one document of this collection; all others are inherited from its activity."""
    return Scope(collection.value)

"""The element tree: every element a file of a version may hold, expanded from the schema tables, with its attributes and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from iati_platform.standard import notation
from iati_platform.standard.notation import Kind, Part
from iati_platform.standard.tables import read_text
from iati_platform.standard.versions import FileKind, known

XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
_DOCUMENTS: Final = {FileKind.ACTIVITIES: "activities", FileKind.ORGANISATIONS: "organisations"}
_XML_ATTRIBUTE_TYPES: Final = {"xml:lang": "xsd:language", "xml:base": "xsd:anyURI", "xml:space": "xsd:NCName", "xml:id": "xsd:ID"}


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An attribute: `name` as lxml gives it, `label` as people write it ("xml:lang"), simple `type` ("xsd:date")."""

    name: str
    label: str
    type: str
    required: bool


@dataclass(slots=True, eq=False)
class ElementSpec:
    """One place in the tree (not a name: `iati-activity/title` and `iati-activity/result/title` are two).

    `path` is below the root, the root itself "". `index` is dense in document order, the root 0; -1 for foreign elements.
    `children` and `attributes` are keyed by lxml names. `text` is the simple type of the element's own text, None if it has none.
    `max_occurs` None: without bound. `repeated`: this element or one between it and the record may occur more than once.
    `foreign`: not part of the Standard; made by readers for what they meet, `label` is then the prefixed form.
    """

    name: str
    path: str
    index: int
    parent: ElementSpec | None
    text: str | None
    min_occurs: int = 1
    max_occurs: int | None = 1
    repeated: bool = False
    foreign: bool = False
    label: str = ""
    children: dict[str, ElementSpec] = field(default_factory=dict, repr=False)
    attributes: dict[str, AttributeSpec] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.label = self.label or self.name

    def __repr__(self) -> str:
        return f"ElementSpec({self.path or self.name!r}, index={self.index})"

    def walk(self) -> Iterator[ElementSpec]:
        """This element and all below it, in document order."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def find(self, path: str) -> ElementSpec:
        """The element at `path` below this one ("iati-activity/title"). KeyError if the version has no such element."""
        spec = self
        for name in path.split("/") if path else ():
            spec = spec.children[name]
        return spec


@dataclass(frozen=True, slots=True)
class Declarations:
    """The global parts of one kind of file of one version (its own table and the common one), by name."""

    parts: tuple[Part, ...]
    elements: dict[str, Part]
    types: dict[str, Part]
    attribute_groups: dict[str, Part]
    attributes: dict[str, Part]

    def element(self, part: Part) -> Part:
        """The declaration itself, where `part` may only refer to it."""
        return self.elements[part.name] if part.kind is Kind.ELEMENT_REFERENCE else part

    def body(self, part: Part) -> tuple[Part, ...]:
        """The lines that describe an element's type: its own, or those of its named type, extensions resolved base first."""
        parts = self.types[part.type].parts if part.type.startswith("$") else part.parts
        bases = tuple(line for extended in parts if extended.kind is Kind.EXTENDS for line in self.body(extended))
        return bases + parts

    def attribute_specs(self, body: tuple[Part, ...]) -> Iterator[AttributeSpec]:
        """The attributes that a body declares, references and groups resolved, in order."""
        for part in body:
            if part.kind is Kind.ATTRIBUTE:
                yield AttributeSpec(part.name, part.name, part.type, part.required)
            elif part.kind is Kind.ATTRIBUTE_REFERENCE and part.name.startswith("xml:"):
                name = f"{{{XML_NAMESPACE}}}{part.name.removeprefix('xml:')}"
                yield AttributeSpec(name, part.name, _XML_ATTRIBUTE_TYPES[part.name], part.required)
            elif part.kind is Kind.ATTRIBUTE_REFERENCE:
                yield AttributeSpec(part.name, part.name, self.attributes[part.name].type, part.required)
            elif part.kind is Kind.ATTRIBUTE_GROUP_REFERENCE:
                yield from self.attribute_specs(self.attribute_groups[part.name].parts)


@cache
def declarations(version: str, kind: FileKind) -> Declarations:
    """What the schema tables declare for this version and kind. ValueError for an unknown version."""
    folder = f"schemas/{known(version)}"
    parts = notation.parse(read_text(f"{folder}/common.txt")) + notation.parse(read_text(f"{folder}/{_DOCUMENTS[FileKind(kind)]}.txt"))

    def named(wanted: Kind) -> dict[str, Part]:
        return {part.name: part for part in parts if part.kind is wanted}

    return Declarations(parts, named(Kind.ELEMENT), named(Kind.TYPE), named(Kind.ATTRIBUTE_GROUP), named(Kind.ATTRIBUTE))


@cache
def element_tree(version: str, kind: FileKind) -> ElementSpec:
    """The root element of this version and kind with everything below it. ValueError for an unknown version."""
    declared = declarations(version, kind)
    return _Expansion(declared).root(declared.elements[FileKind(kind).value])


@cache
def tree_size(version: str, kind: FileKind) -> int:
    """How many elements the tree has: `ElementSpec.index` runs from 0 to this minus 1."""
    return sum(1 for _ in element_tree(version, kind).walk())


class _Expansion:
    """Follows references and types down from the root and numbers what it finds."""

    def __init__(self, declared: Declarations) -> None:
        self.declared = declared
        self.count = 0

    def root(self, part: Part) -> ElementSpec:
        root = ElementSpec(part.name, "", 0, None, None)
        self.count = 1
        self._fill(root, part, depth=0)
        return root

    def _fill(self, spec: ElementSpec, part: Part, depth: int) -> None:
        body = self.declared.body(part)
        spec.text = _text(part, body)
        for attribute in self.declared.attribute_specs(body):
            spec.attributes[attribute.name] = attribute
        for child, (least, most) in self._children(body).items():
            element = self.declared.element(child)
            path = f"{spec.path}/{element.name}" if spec.path else element.name
            # The record itself (depth 0) repeats within the file, but values are read per record.
            repeated = depth > 0 and (spec.repeated or most is None or most > 1)
            below = ElementSpec(element.name, path, self.count, spec, None, least, most, repeated)
            self.count += 1
            spec.children[element.name] = below
            self._fill(below, element, depth + 1)

    def _children(self, body: tuple[Part, ...]) -> dict[Part, tuple[int, int | None]]:
        """Child elements in order of appearance with how often each may occur, over all places where its name stands."""
        found: dict[str, tuple[Part, int, int | None]] = {}
        for part in body:
            for child, least, most in _particles(part):
                before = found.get(child.name)
                if before is None:
                    found[child.name] = (child, least, most)
                else:
                    found[child.name] = (before[0], before[1] + least, None if before[2] is None or most is None else before[2] + most)
        return {child: (least, most) for child, least, most in found.values()}


def _particles(part: Part) -> Iterator[tuple[Part, int, int | None]]:
    """Elements of a content model with their own number of occurrences, multiplied by that of the groups around them."""
    if part.kind in (Kind.ELEMENT, Kind.ELEMENT_REFERENCE):
        yield part, part.least, part.most
    elif part.kind in (Kind.SEQUENCE, Kind.CHOICE):
        for inner in part.parts:
            for child, least, most in _particles(inner):
                low = least * part.least if part.kind is Kind.SEQUENCE else 0
                yield child, low, None if most is None or part.most is None else most * part.most


def _text(part: Part, body: tuple[Part, ...]) -> str | None:
    if part.type.startswith("xsd:"):
        return part.type
    for line in body:
        if line.kind is Kind.TEXT:
            return line.type
        if line.kind is Kind.MIXED:
            return "xsd:string"
    # An element without any type may hold anything, so its text counts.
    return "xsd:string" if not part.type and not body else None

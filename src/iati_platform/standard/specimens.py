"""Documents made by walking the declarations of a version: valid ones, and ones with a known defect at a known place.

They show that our schemas accept and reject what they should (tests, `tools/check_standard.py`). Deterministic for a given random
generator. Every element of the output starts on a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Final, TypeVar

from lxml import etree

from iati_platform.standard.elements import XML_NAMESPACE, Declarations, declarations
from iati_platform.standard.notation import Kind, Part
from iati_platform.standard.versions import FileKind

FOREIGN: Final = "https://example.org/extension"
LANG: Final = f"{{{XML_NAMESPACE}}}lang"

GOOD: Final[dict[str, tuple[str, ...]]] = {
    "xsd:string": ("1", "Water for all", "", "  XM-EX-1 ", "Zürich – ženy & <děti>"),
    "xsd:decimal": ("1", "-0.50", " 12000.75 ", "+7", "00.1"),
    "xsd:integer": ("0", "-12", "+3"),
    "xsd:int": ("0", "-2147483648", "2147483647"),
    "xsd:positiveInteger": ("1", "100", "007"),
    "xsd:nonNegativeInteger": ("0", "12"),
    "xsd:boolean": ("true", "false", "0", "1"),
    "xsd:date": ("2020-02-29", "2019-12-31Z", "2021-01-01+05:30", "0001-06-30"),
    "xsd:dateTime": ("2020-01-01T00:00:00", "2020-01-01T23:59:59.123Z", "2020-01-01T12:00:00-03:00"),
    "xsd:anyURI": ("https://example.org/a?b=c#d", "", "relative/path", "mailto:a@example.org"),
    "xsd:NMTOKEN": ("token", "a.b-c_1"),
    "xsd:language": ("en", "en-GB", "x-klingon"),
}
BAD: Final[dict[str, tuple[str, ...]]] = {
    "xsd:decimal": ("", "1,000", "1e3", "ten", "NaN", "1 000"),
    "xsd:integer": ("", "1.0", "x"),
    "xsd:int": ("", "2147483648", "1.5"),
    "xsd:positiveInteger": ("0", "-1", "", "1.0"),
    "xsd:nonNegativeInteger": ("-1", "", "two"),
    "xsd:boolean": ("yes", "TRUE", "", "2"),
    "xsd:date": ("2019-02-29", "01/02/2020", "2020-1-1", "", "2020-01-01T00:00:00", "2020-13-01"),
    "xsd:dateTime": ("2020-01-01", "2020-01-01 10:00:00", "", "2020-01-01T25:00:00"),
    "xsd:NMTOKEN": ("two words", ""),
    "xsd:language": ("english language", "en_GB", ""),
}


Place = TypeVar("Place")


class NoPlace(LookupError):
    """The document has no place where this defect could be put."""


@dataclass(slots=True)
class Specimen:
    """A document being made: its root and, for every element of the Standard in it, what its type says."""

    declared: Declarations
    root: etree._Element
    bodies: dict[etree._Element, tuple[Part, ...]] = field(default_factory=dict)

    def data(self) -> bytes:
        """The document as UTF-8 text, each start tag on its own line."""
        etree.indent(self.root)
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8")

    def path(self, element: etree._Element) -> str:
        """Where the element stands, as libxml2 names it in its findings."""
        return str(self.root.getroottree().getpath(element))


def valid(version: str, kind: FileKind, random: Random, fullness: float = 0.4) -> Specimen:
    """A valid document; every optional thing is in it with probability `fullness`."""
    declared = declarations(version, kind)
    root = etree.Element(kind.value)
    specimen = Specimen(declared, root)
    _grow(specimen, root, declared.elements[kind.value], random, fullness)
    return specimen


def _grow(specimen: Specimen, element: etree._Element, part: Part, random: Random, fullness: float) -> None:
    declared = specimen.declared
    text_type = part.type if part.type.startswith("xsd:") else ""
    body = (Part(Kind.TEXT, type=text_type),) if text_type else declared.body(part)
    specimen.bodies[element] = body
    for attribute in declared.attribute_specs(body):
        if attribute.required or random.random() < fullness:
            element.set(attribute.name, random.choice(GOOD[attribute.type]))
    kinds = {line.kind for line in body}
    text = _model(body, Kind.TEXT)
    if text:
        element.text = random.choice(GOOD[text.type])
    elif Kind.MIXED in kinds or not body:
        element.text = random.choice(GOOD["xsd:string"])
    for line in body:
        if line.kind in (Kind.SEQUENCE, Kind.CHOICE):
            for child in _content(line, random, fullness):
                below = etree.SubElement(element, child.name)
                _grow(specimen, below, declared.element(child), random, fullness)


def _content(model: Part, random: Random, fullness: float) -> Iterator[Part]:
    """The children of one content model, each as often as it may be. Models are flat in all versions: groups are not nested."""
    if model.kind is Kind.SEQUENCE:
        for part in model.parts:
            if part.kind is not Kind.OTHER_ELEMENTS:
                yield from [part] * _times(part, random, fullness)
        return
    parts = [part for part in model.parts if part.kind is not Kind.OTHER_ELEMENTS]
    chosen = [part for part in parts if random.random() < fullness]
    if not chosen and model.least and parts:
        chosen = [random.choice(parts)]
    random.shuffle(chosen)
    yield from chosen


def _times(part: Part, random: Random, fullness: float) -> int:
    count = part.least
    while (part.most is None or count < part.most) and count < part.least + 3 and random.random() < fullness:
        count += 1
    return count


# Defects. Each puts one into a valid document and gives back the element that a finding must name.

Change = Callable[[Specimen, Random], object]
Defect = Callable[[Specimen, Random], etree._Element]


def _pick(places: list[Place], random: Random) -> Place:
    if not places:
        raise NoPlace
    return random.choice(places)


def _model(body: tuple[Part, ...], kind: Kind) -> Part | None:
    return next((line for line in body if line.kind is kind), None)


def _sequences(specimen: Specimen) -> list[tuple[etree._Element, dict[str, Part]]]:
    """Elements whose children have an order, with the particles by name ("~" for elements of other namespaces)."""
    found = []
    for element, body in specimen.bodies.items():
        # An extended type has two sequences, its base's and its own: together they are one.
        particles = [part for line in body if line.kind is Kind.SEQUENCE for part in line.parts]
        if particles:
            found.append((element, {"~" if part.kind is Kind.OTHER_ELEMENTS else part.name: part for part in particles}))
    return found


def missing_attribute(specimen: Specimen, random: Random) -> etree._Element:
    """A required attribute is left out."""
    attributes = specimen.declared.attribute_specs
    element, name = _pick(
        [(e, a.name) for e, body in specimen.bodies.items() for a in attributes(body) if a.required and a.name in e.attrib], random
    )
    del element.attrib[name]
    return element


def wrong_attribute(specimen: Specimen, random: Random) -> etree._Element:
    """An attribute has a value that its type does not allow."""
    attributes = specimen.declared.attribute_specs
    places = [(e, a) for e, body in specimen.bodies.items() for a in attributes(body) if a.type in BAD and a.label != "xml:lang"]
    element, attribute = _pick(places, random)
    element.set(attribute.name, random.choice(BAD[attribute.type]))
    return element


def wrong_text(specimen: Specimen, random: Random) -> etree._Element:
    """An element's text is not of its type."""
    places = [(e, line.type) for e, body in specimen.bodies.items() for line in body if line.kind is Kind.TEXT and line.type in BAD]
    element, type_ = _pick(places, random)
    element.text = random.choice(BAD[type_])
    return element


def wrong_language(specimen: Specimen, random: Random) -> etree._Element:
    """xml:lang is not the name of a language; it is checked also where only attributes of other namespaces are allowed."""
    element = _pick([e for e, body in specimen.bodies.items() if {Kind.OTHER_ATTRIBUTES} & {line.kind for line in body}], random)
    element.set(LANG, random.choice(("en_GB", "english language", "toolonglanguage", "-")))
    return element


def unknown_attribute(specimen: Specimen, random: Random) -> etree._Element:
    """An attribute without a namespace that no version knows."""
    element = _pick([e for e, body in specimen.bodies.items() if body], random)
    element.set("invented", "1")
    return element


def unknown_element(specimen: Specimen, random: Random) -> etree._Element:
    """An element without a namespace that no version knows, somewhere among the children."""
    places = [e for e, body in specimen.bodies.items() if _model(body, Kind.SEQUENCE) or _model(body, Kind.CHOICE)]
    parent = _pick(places, random)
    element = etree.Element("invented")
    parent.insert(random.randint(0, len(parent)), element)
    return element


def child_in_text(specimen: Specimen, random: Random) -> etree._Element:
    """An element inside one that may hold text only; the outer one is at fault."""
    element = _pick([e for e, body in specimen.bodies.items() if _model(body, Kind.TEXT)], random)
    etree.SubElement(element, "invented")
    return element


def stray_text(specimen: Specimen, random: Random) -> etree._Element:
    """Text where only elements may be."""
    bodies = specimen.bodies.items()
    places = [e for e, body in bodies if body and not _model(body, Kind.MIXED) and not _model(body, Kind.TEXT)]
    element = _pick(places, random)
    element.text = "stray"
    return element


def wrong_order(specimen: Specimen, random: Random) -> etree._Element:
    """Two neighbours change places."""
    places = []
    for parent, particles in _sequences(specimen):
        names = [str(child.tag) for child in parent]
        for first, second in pairwise(child for child in parent if child.tag in particles):
            if names.count(str(first.tag)) == 1 == names.count(str(second.tag)):
                places.append((parent, first, second, particles[str(first.tag)].least > 0))
    parent, first, second, needed = _pick(places, random)
    parent.remove(second)
    parent.insert(parent.index(first), second)
    # If the first is needed, the second stands where it was expected; if not, the first comes too late.
    return second if needed else first


def too_many(specimen: Specimen, random: Random) -> etree._Element:
    """One more of an element that may occur once."""
    places = [
        child
        for parent, particles in _sequences(specimen)
        for child in parent
        if child.tag in particles and particles[str(child.tag)].most == 1
    ]
    child = _pick(places, random)
    again = etree.fromstring(etree.tostring(child, with_tail=False))
    child.addnext(again)
    return again


def missing_element(specimen: Specimen, random: Random) -> etree._Element:
    """A required element is left out: its next sibling comes too early, or the parent ends too soon."""
    places = []
    for parent, particles in _sequences(specimen):
        names = [str(child.tag) for child in parent]
        needed = {name for name, part in particles.items() if part.least > 0}
        places += [(parent, child) for child in parent if child.tag in needed and names.count(str(child.tag)) == 1]
    parent, child = _pick(places, random)
    after = child.getnext()
    parent.remove(child)
    return parent if after is None else after


def foreign_too_early(specimen: Specimen, random: Random) -> etree._Element:
    """An element of another namespace before those of the Standard: allowed is it only after them."""
    # libxml2 accepts (a*, other*) in any order, with the official schemas as with ours; such places prove nothing.
    places = []
    for parent, particles in _sequences(specimen):
        names = [name for name in particles if name != "~"]
        if names and len(parent) and not (parent[0].tag == names[-1] and particles[names[-1]].most is None):
            places.append((parent, particles))
    parent, particles = _pick(places, random)
    first = parent[0]
    foreign = etree.Element(f"{{{FOREIGN}}}note")
    parent.insert(0, foreign)
    needed = any(part.least > 0 for part in particles.values())
    return foreign if needed or "~" not in particles else first


def foreign_attribute_refused(specimen: Specimen, random: Random) -> etree._Element:
    """An attribute of another namespace on an element that takes none."""
    element = _pick([e for e, body in specimen.bodies.items() if body and not _model(body, Kind.OTHER_ATTRIBUTES)], random)
    element.set(f"{{{FOREIGN}}}note", "1")
    return element


DEFECTS: Final[tuple[Defect, ...]] = (
    missing_attribute,
    wrong_attribute,
    wrong_text,
    wrong_language,
    unknown_attribute,
    unknown_element,
    child_in_text,
    stray_text,
    wrong_order,
    too_many,
    missing_element,
    foreign_too_early,
    foreign_attribute_refused,
)


# Variations: each changes a valid document and leaves it valid.


def foreign_element(specimen: Specimen, random: Random) -> None:
    """An element of another namespace, with anything in it, after those of the Standard."""
    places = []
    for element, body in specimen.bodies.items():
        models = [line for line in body if line.kind in (Kind.SEQUENCE, Kind.CHOICE)]
        if models and any(part.kind is Kind.OTHER_ELEMENTS for part in models[-1].parts):
            places.append(element)
    foreign = etree.SubElement(_pick(places, random), f"{{{FOREIGN}}}extension", {"any": "thing", LANG: "fr"})
    foreign.text = "words "
    etree.SubElement(foreign, f"{{{FOREIGN}}}inner").text = "more"


def foreign_attribute(specimen: Specimen, random: Random) -> None:
    """An attribute of another namespace where they are allowed."""
    element = _pick([e for e, body in specimen.bodies.items() if not body or _model(body, Kind.OTHER_ATTRIBUTES)], random)
    element.set(f"{{{FOREIGN}}}note", "")


def language(specimen: Specimen, random: Random) -> None:
    """xml:lang with a good value or none at all, also where it is not declared by name."""
    element = _pick([e for e, body in specimen.bodies.items() if not body or _model(body, Kind.OTHER_ATTRIBUTES)], random)
    element.set(LANG, random.choice(("", "en", "pt-BR")))


def comments(specimen: Specimen, random: Random) -> None:
    """Comments and processing instructions in the middle of things."""
    element = random.choice(list(specimen.bodies))
    element.insert(0, etree.Comment(" <title/> "))
    element.append(etree.ProcessingInstruction("note", "here"))


VARIATIONS: Final[tuple[Callable[[Specimen, Random], None], ...]] = (foreign_element, foreign_attribute, language, comments)

"""XML Schema made from the schema tables, and compiled validators.

The translation keeps the structure of the declarations (order, groups, named types), because libxml2 words its findings by it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from lxml import etree

from iati_platform.standard.elements import XML_NAMESPACE, declarations
from iati_platform.standard.notation import Kind, Part
from iati_platform.standard.versions import FileKind

_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_XML_ATTRIBUTES: Final = "urn:iati-platform:xml-attributes"

_TAGS: Final = {
    Kind.ELEMENT: "element",
    Kind.ELEMENT_REFERENCE: "element",
    Kind.OTHER_ELEMENTS: "any",
    Kind.SEQUENCE: "sequence",
    Kind.CHOICE: "choice",
    Kind.ATTRIBUTE: "attribute",
    Kind.ATTRIBUTE_REFERENCE: "attribute",
    Kind.ATTRIBUTE_GROUP: "attributeGroup",
    Kind.ATTRIBUTE_GROUP_REFERENCE: "attributeGroup",
    Kind.OTHER_ATTRIBUTES: "anyAttribute",
}
_REFERENCES: Final = (Kind.ELEMENT_REFERENCE, Kind.ATTRIBUTE_REFERENCE, Kind.ATTRIBUTE_GROUP_REFERENCE)


def schema_source(version: str, kind: FileKind) -> bytes:
    """The XML Schema document of this version and kind (UTF-8). It imports the four attributes of the xml namespace from the
    name `urn:iati-platform:xml-attributes`, whose text is `xml_attributes_source()`. ValueError for an unknown version."""
    schema = etree.Element(f"{{{_XSD}}}schema", nsmap={"xsd": _XSD})
    _sub(schema, "import", namespace=XML_NAMESPACE, schemaLocation=_XML_ATTRIBUTES)
    for part in declarations(version, FileKind(kind)).parts:
        if part.kind is Kind.TYPE:
            _complex_type(schema, part.parts).set("name", part.name.removeprefix("$"))
        else:
            _write(schema, part)
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8")


@cache
def xml_attributes_source() -> bytes:
    """Declarations of xml:lang (a language or nothing), xml:space, xml:base and xml:id (XML 1.0 §2.10, §2.12; XML Base; xml:id)."""
    schema = etree.Element(f"{{{_XSD}}}schema", nsmap={"xsd": _XSD})
    schema.set("targetNamespace", XML_NAMESPACE)
    union = _sub(_sub(_sub(schema, "attribute", name="lang"), "simpleType"), "union", memberTypes="xsd:language")
    _sub(_sub(_sub(union, "simpleType"), "restriction", base="xsd:string"), "enumeration", value="")
    space = _sub(_sub(_sub(schema, "attribute", name="space"), "simpleType"), "restriction", base="xsd:NCName")
    for value in ("default", "preserve"):
        _sub(space, "enumeration", value=value)
    _sub(schema, "attribute", name="base", type="xsd:anyURI")
    _sub(schema, "attribute", name="id", type="xsd:ID")
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8")


@cache
def xml_schema(version: str, kind: FileKind) -> etree.XMLSchema:
    """The compiled validator of this version and kind, one per process. Accepts and rejects what the official schema does.

    Several threads may validate with it at once; `error_log` is that of the latest validation of any of them, so a caller that
    wants findings validates under a lock or in its own process."""
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    parser.resolvers.add(_XmlAttributes())
    return etree.XMLSchema(etree.fromstring(schema_source(version, kind), parser))


class _XmlAttributes(etree.Resolver):
    """Answers the one import of our schema documents from memory, so that no file or network address is involved."""

    def resolve(self, system_url: str, public_id: str | None, context: Any = None) -> Any:
        """The declarations of the xml attributes; nothing for any other name."""
        if system_url == _XML_ATTRIBUTES:
            return self.resolve_string(xml_attributes_source(), context, base_url=_XML_ATTRIBUTES)
        return self.resolve_string("<nothing/>", context, base_url=system_url)


def _sub(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_XSD}}}{tag}", attributes)


def _write(parent: etree._Element, part: Part) -> None:
    node = _sub(parent, _TAGS[part.kind])
    if part.name:
        node.set("ref" if part.kind in _REFERENCES else "name", part.name)
    if part.type:
        node.set("type", part.type.removeprefix("$"))
    if part.least != 1:
        node.set("minOccurs", str(part.least))
    if part.most != 1:
        node.set("maxOccurs", "unbounded" if part.most is None else str(part.most))
    if part.required:
        node.set("use", "required")
    if part.kind in (Kind.OTHER_ELEMENTS, Kind.OTHER_ATTRIBUTES):
        node.set("namespace", "##other")
        node.set("processContents", "lax")
    if part.kind is Kind.ELEMENT and part.parts:
        _complex_type(node, part.parts)
    else:
        for inner in part.parts:
            _write(node, inner)


def _complex_type(parent: etree._Element, parts: tuple[Part, ...]) -> etree._Element:
    complex_type = _sub(parent, "complexType")
    inside = complex_type
    for part in parts:
        if part.kind is Kind.MIXED:
            complex_type.set("mixed", "true")
        elif part.kind in (Kind.TEXT, Kind.EXTENDS):
            content = _sub(complex_type, "simpleContent" if part.kind is Kind.TEXT else "complexContent")
            inside = _sub(content, "extension", base=part.type.removeprefix("$"))
        elif part.kind is not Kind.EMPTY:
            _write(inside, part)
    return complex_type

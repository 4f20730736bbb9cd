"""Comparing light nodes with what a plain whole-file parse by lxml gives."""

from __future__ import annotations

from lxml import etree

from iati_platform.reading import FileReading, Node
from iati_platform.standard import xml_schema

PLAIN = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities="internal", no_network=True)
RECORDS = {"iati-activities": "iati-activity", "iati-organisations": "iati-organisation"}


def whole(data: bytes) -> etree._Element | None:
    """The root by lxml, None if the file is not well-formed."""
    try:
        return etree.fromstring(data, PLAIN)
    except etree.XMLSyntaxError:
        return None


def differences(node: Node, element: etree._Element) -> list[str]:
    """What a node says otherwise than the element: nothing, if both are the same."""
    spec, attributes, text, children, _ = node
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    found = []
    if spec.name != element.tag or attributes != dict(element.attrib) or len(children) != len(element):
        found.append(f"{spec.path}: {spec.name} {attributes} {len(children)}, not {element.tag} {dict(element.attrib)} {len(element)}")
    if spec.text is not None and (text != own if len(element) == 0 else text.split() != own.split()):
        found.append(f"{spec.path}: text {text!r}, not {own!r}")
    return found + [line for child, below in zip(children, element, strict=False) for line in differences(child, below)]


def ordinals(node: Node) -> list[int]:
    return [node[4], *(ordinal for child in node[3] for ordinal in ordinals(child))]


def compare(reading: FileReading, data: bytes) -> list[str]:
    """Everything in which a reading differs from lxml's view of the same bytes: content, order, verdicts per record and of the file."""
    root = whole(data)
    records = list(reading.records())
    if reading.problems or root is None:
        refused_anyway = root is not None and root.tag not in RECORDS
        agree = bool(reading.problems) == (root is None) or refused_anyway
        return [] if agree else [f"problems {reading.problems}, lxml {'accepts' if root is not None else 'refuses'}"]
    assert reading.kind is not None
    elements = [element for element in root if element.tag == RECORDS[reading.kind.value]]
    if len(elements) != len(records):
        return [f"{len(records)} records, not {len(elements)}"]
    found = [line for record, element in zip(records, elements, strict=True) for line in differences(record.node, element)]
    found += [f"ordinals of {record.index}" for record in records if ordinals(record.node) != list(range(len(ordinals(record.node))))]
    schema = xml_schema(reading.tree_version, reading.kind)
    if schema.validate(root) != reading.schema_valid:
        found.append(f"schema verdict {reading.schema_valid}: {[entry.message for entry in schema.error_log][:3]}")
    blamed = {path.split("/")[2] for path in (entry.path for entry in schema.error_log) if path.count("/") > 1}
    names = [
        f"{RECORDS[reading.kind.value]}[{index + 1}]" if len(elements) > 1 else RECORDS[reading.kind.value] for index in range(len(records))
    ]
    if not reading.envelope_errors:
        found += [f"verdict of {name}" for name, record in zip(names, records, strict=True) if (name in blamed) == record.schema_valid]
    return found

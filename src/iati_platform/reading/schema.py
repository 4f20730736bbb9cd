"""Schema validation of one batch or of the file's frame, with errors handed to the records they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from lxml import etree

from iati_platform.reading.nodes import Node, SchemaError

_STEP: Final = re.compile(r"([^/\[\]]+)(?:\[(\d+)\])?")
#: libxml2 stores lines of nodes in 16 bits.
LINE_LIMIT: Final = 65_535
#: xmlParserErrors: XML_SCHEMAV_ELEMENT_CONTENT
_ELEMENT_CONTENT: Final = 1871


@dataclass(frozen=True, slots=True)
class Attributed:
    """Errors of a batch: per record (position in the batch) and of the root element itself."""

    records: dict[int, list[tuple[int, str, str]]]  # (line in the batch, message, path below the record)
    root: list[tuple[int, str]]


def attribute(schema: etree.XMLSchema, root: etree._Element, record_name: str) -> Attributed | None:
    """Validate; None when everything is right."""
    if schema.validate(root):
        return None
    records: dict[int, list[tuple[int, str, str]]] = {}
    at_root: list[tuple[int, str]] = []
    pattern = re.compile(rf"/{re.escape(root.tag)}/{re.escape(record_name)}(?:\[(\d+)\])?(/.*)?\Z")
    for entry in _entries(schema):
        match = pattern.match(entry.path or "")
        if match is None:
            at_root.append((entry.line, entry.message))
        else:
            records.setdefault(int(match[1] or 1) - 1, []).append((entry.line, entry.message, match[2] or ""))
    return Attributed(records, at_root)


def ordinal_at(node: Node, path: str) -> int | None:
    """Ordinal of the element at a libxml2 path below a record ("/transaction[2]/value"); None if it cannot be told."""
    for step in path.split("/")[1:]:
        match = _STEP.fullmatch(step)
        if match is None:
            return None
        name, wanted = match[1], int(match[2] or 1)
        for child in node[3]:
            if child[0].label == name:
                wanted -= 1
                if wanted == 0:
                    node = child
                    break
        else:
            return None
    return node[4]


def frame_errors(schema: etree.XMLSchema, skeleton: etree._Element, record_name: str, lines: list[tuple[int, int]]) -> list[SchemaError]:
    """Errors of everything outside the records. Placeholders stand for records, so what they lack is not an error here; that they
    stand where no record may stand is."""
    if schema.validate(skeleton):
        return []
    within = re.compile(rf"/{re.escape(skeleton.tag)}/{re.escape(record_name)}(?:\[\d+\])?\Z")
    errors = []
    for entry in _entries(schema):
        path = entry.path or ""
        misplaced = entry.type == _ELEMENT_CONTENT and "not expected" in entry.message
        if within.match(path) and not misplaced:
            continue
        errors.append(SchemaError(line_in_file(entry.line, lines), entry.message, path))
    return errors


def _entries(schema: etree.XMLSchema) -> Iterable[Any]:
    log: Any = schema.error_log
    return cast(Iterable[Any], log)


def line_in_file(line: int, lines: Iterable[tuple[int, int]]) -> int:
    """From a line of the skeleton to a line of the file."""
    here, there = 1, 1
    for skeleton_line, file_line in lines:
        if skeleton_line > line:
            break
        here, there = skeleton_line, file_line
    return there + line - here

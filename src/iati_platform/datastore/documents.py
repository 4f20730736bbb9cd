"""The documents section of an artefact: every activity, transaction and budget of a file as one line the index can take as it is.

A line is a kind letter and a JSON object. `A`: an activity; `X`: one that is kept but left out of the collections (version 1, schema-
invalid,
without identifier); `T`, `B`: a transaction or budget, after its activity and with its own fields only; what it inherits is found
through its activity (spec/datastore.md §12.10). The object holds what is *searched*; what is *returned* is the JSON text under `_doc` of the
activity: `{"s": start byte, "e": end byte, "v": schema-valid, "a": {own fields}, "t": [{…}], "b": [{…}]}` (see payload.py).

Searched values are distinct and sorted, so that the first one is the smallest (the engine sorts by the first); `m<number>` holds the
largest
number or date. `_t` holds the tokens of codes that are more than blank-separated words, `_has` the numbers of text fields with a value.
`_id` comes first in an activity line, always as `{"_id":"<sha1 of identifier>--<n>"`: the index splices the dataset's fields before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import orjson

from iati_platform.datastore.fields import attribute_label, field_model, field_name
from iati_platform.datastore.fragments import Shape, shape
from iati_platform.datastore.values import point
from iati_platform.standard import ElementSpec, FileKind, element_tree

if TYPE_CHECKING:
    from iati_platform.reading import FileReading, Node, Record

#: What an element gives: shapes of its attributes by lxml name, shape of its text.
Plan = tuple[dict[str, Shape], Shape | None]
Raw = defaultdict[Shape, list[str]]

_PARTS: Final = {"iati-activity/transaction": "t", "iati-activity/budget": "b"}
_NARRATIVE: Final = "_narrative"
_order: Final = itemgetter(5)


def _current_name(name: str) -> str:
    """The field for a name of an older version: version 1 wrote texts straight into the element that has narratives today."""
    model = field_model()
    if name in model:
        return name
    if name + _NARRATIVE in model:
        return name + _NARRATIVE
    parent = name.removesuffix("_xml_lang")
    return f"{parent}{_NARRATIVE}_xml_lang" if f"{parent}{_NARRATIVE}_xml_lang" in model else name


@cache
def _plans(version: str) -> tuple[tuple[Plan, ...], dict[int, str]]:
    """Plans by `spec.index` of a version's tree; and which indexes are parts with documents of their own ("t", "b")."""
    plans: list[Plan] = []
    parts: dict[int, str] = {}
    for spec in element_tree(version, FileKind.ACTIVITIES).walk():
        attributes = {a.name: shape(_current_name(field_name(spec.path, a.label))) for a in spec.attributes.values()}
        text = shape(_current_name(field_name(spec.path))) if spec.text is not None and "/" in spec.path else None
        plans.append((attributes, text))
        if spec.path in _PARTS:
            parts[spec.index] = _PARTS[spec.path]
    return tuple(plans), parts


class DocumentsBuilder:
    """Makes the documents section of one file. `add` each activity in order, then `finish`. Pure; organisation files give b""."""

    def __init__(self, reading: FileReading) -> None:
        self._active = reading.kind is FileKind.ACTIVITIES
        self._lines: list[str] = []
        self._chunks: list[bytes] = []
        self._occurrences: dict[str, int] = {}
        self._foreign: dict[int, tuple[ElementSpec, Plan]] = {}
        self._prefixes: dict[str, str] = {uri: prefix for prefix, uri in reading.root_namespaces.items() if prefix}
        self._root: list[tuple[Shape, str]] = []
        self._identifier = shape("iati_identifier")
        self._position = shape("location_point_pos")
        if self._active:
            self._plans, self._part_of = _plans(reading.tree_version)
            known = element_tree(reading.tree_version, FileKind.ACTIVITIES).attributes
            for name, value in reading.root_attributes.items():
                if name in known and (value := value.strip()):
                    self._root.append((shape("dataset_" + attribute_label(name).replace("-", "_").replace(":", "_")), value))

    def add(self, record: Record, admitted: bool) -> None:
        """Flatten one activity and its transactions and budgets. `admitted`: it belongs into the three collections."""
        if not self._active:
            return
        own: Raw = defaultdict(list)
        for field, value in self._root:
            own[field].append(value)
        spec, attributes, _, children, _ = record.node
        own_children: list[Node] = []
        parts: dict[str, list[Raw]] = {"t": [], "b": []}
        part_of = self._part_of.get
        for child in children:
            part = part_of(child[0].index)
            if part is None:
                own_children.append(child)
            else:
                raw: Raw = defaultdict(list)
                self._walk((child,), raw)
                parts[part].append(raw)
        self._walk(((spec, attributes, "", own_children, 0),), own)
        self._write(record, admitted, own, parts)
        if len(self._lines) > 5_000:
            self._flush()

    def finish(self) -> bytes:
        """All lines of the file, each ended by a line feed."""
        self._flush()
        return b"".join(self._chunks)

    def _flush(self) -> None:
        self._chunks.append("".join(self._lines).encode())
        self._lines.clear()

    def _walk(self, nodes: Sequence[Node], raw: Raw) -> None:
        """Collect the trimmed texts below `nodes` by field, in document order: attributes, then text, then children."""
        plans = self._plans
        for spec, attributes, text, children, _ in nodes:
            index = spec.index
            shapes, text_shape = plans[index] if index >= 0 else self._foreign_plan(spec)
            if attributes:
                for name, value in attributes.items():
                    field = shapes.get(name)
                    if field is None:
                        field = self._unknown_attribute(shapes, text_shape, spec, name)
                    raw[field].append(value.strip())
            if text and text_shape is not None:
                raw[text_shape].append(text.strip())
            if children:
                self._walk(children, raw)

    def _foreign_plan(self, spec: ElementSpec) -> Plan:
        known = self._foreign.get(id(spec))
        if known is None or known[0] is not spec:
            names: list[str] = []
            above: ElementSpec | None = spec
            while above is not None and above.name not in ("iati-activity", "iati-activities"):
                names.append(above.label)
                above = above.parent
            name = "_".join(reversed(names)).replace("-", "_").replace(":", "_")
            known = self._foreign[id(spec)] = (spec, ({}, shape(name)))
        return known[1]

    def _unknown_attribute(self, shapes: dict[str, Shape], text_shape: Shape | None, spec: ElementSpec, name: str) -> Shape:
        """An attribute the Standard does not have at this place: `element_attribute`, a namespace by its prefix. Kept in the element's
        plan."""
        label = attribute_label(name)
        if label.startswith("{"):
            uri, _, local = label[1:].partition("}")
            label = f"{self._prefixes[uri]}_{local}" if uri in self._prefixes else local
        if spec.index >= 0:
            return shape(_current_name(field_name(spec.path or spec.name, label)))
        above = text_shape.key[1:] if text_shape is not None else spec.label
        found = shapes[name] = shape(f"{above}_{label}".replace("-", "_").replace(":", "_"))
        return found

    def _write(self, record: Record, admitted: bool, own: Raw, parts: dict[str, list[Raw]]) -> None:
        identifiers = own.get(self._identifier)
        identifier = ""
        if identifiers:
            own[self._identifier] = identifiers = [text.replace("\r", "").replace("\n", "") for text in identifiers]
            identifier = identifiers[0]
        occurrence = self._occurrences.get(identifier, 0)
        self._occurrences[identifier] = occurrence + 1
        line = [f'{{"_id":"{sha1(identifier.encode(), usedforsecurity=False).hexdigest()}--{occurrence}"']
        if identifier:
            line.append(f'"iati_identifier_exact":{orjson.dumps(identifier).decode()}')
        returned = _returned(own)
        if self._position in own:
            self._points(own[self._position], returned, line)
        below: list[str] = []
        payload = [f'\\"s\\":{record.start},\\"e\\":{record.end},\\"v\\":{"true" if record.schema_valid else "false"}']
        for part, raws in parts.items():
            if raws:
                payload.append(f'\\"{part}\\":[{",".join(_part_lines(part.upper(), raws, below, own))}]')
        payload.append(f'\\"a\\":{{{",".join(returned)}}}')
        _activity_terms(own, line)
        line.append(f'"_doc":"{{{",".join(payload)}}}"}}\n')
        self._lines.append(("A" if admitted else "X") + ",".join(line))
        self._lines += below

    def _points(self, positions: list[str], returned: list[str], line: list[str]) -> None:
        """`location_point_latlon`: returned as texts; searched as two number columns and how many different points there are."""
        points = [found for text in positions if (found := point(text)) is not None]
        if points:
            texts = ",".join(f'\\"{text}\\"' for _, _, text in points)
            returned.append(f"{shape_of_points()}[{texts}]")
            line.append(f'"_lat":[{",".join(repr(latitude) for latitude, _, _ in points)}]')
            line.append(f'"_lon":[{",".join(repr(longitude) for _, longitude, _ in points)}]')
            line.append(f'"_points":{len({text for _, _, text in points})}')


@cache
def shape_of_points() -> str:
    """The payload key of `location_point_latlon`, as it stands in the line."""
    return f'\\"f{field_model()["location_point_latlon"].number}\\":'


def _returned(raw: Raw) -> list[str]:
    """The payload's members for collected texts."""
    members: list[str] = []
    for field, texts in raw.items():
        if len(texts) == 1:
            member = field.pieces[texts[0]][0]
            if member:
                members.append(member)
        else:
            pieces = field.pieces
            values = [value for text in texts if (value := pieces[text][2])]
            if values:
                members.append(f"{field.returned_key}[{','.join(values)}]")
    return members


def _part_lines(kind: str, raws: list[Raw], lines: list[str], own: Raw) -> list[str]:
    """One line per transaction or budget, added to `lines`; gives their payloads, and adds their texts to the activity's `own`."""
    payloads: list[str] = []
    for ordinal, raw in enumerate(raws):
        returned: list[str] = []
        searched: list[str] = [f'"_n":{ordinal}']
        words: list[str] = []
        present: list[str] = []
        for field, texts in raw.items():
            own[field] += texts
            if len(texts) == 1:
                whole, terms, _, _, tokens, _ = field.pieces[texts[0]]
                if whole:
                    returned.append(whole)
                    if terms:
                        searched.append(terms)
                        if tokens:
                            words.append(tokens)
                        if field.presence:
                            present.append(field.presence)
            else:
                pieces = field.pieces
                values = [value for text in texts if (value := pieces[text][2])]
                if values:
                    returned.append(f"{field.returned_key}[{','.join(values)}]")
                    _terms(field, texts, searched, words, present)
        if words:
            searched.append(f'"_t":[{",".join(words)}]')
        if present:
            searched.append(f'"_has":[{",".join(present)}]')
        payloads.append(f"{{{','.join(returned)}}}")
        lines.append(f"{kind}{{{','.join(searched)}}}\n")
    return payloads


def _terms(field: Shape, texts: list[str], searched: list[str], words: list[str], present: list[str]) -> str:
    """Add the distinct values of one field, smallest first; gives the JSON of the largest, "" when there is none."""
    known = field.pieces
    pieces = [piece for text in set(texts) if (piece := known[text])[1]]
    if not pieces:
        return ""
    if len(pieces) == 1:
        searched.append(pieces[0][1])
    else:
        pieces.sort(key=_order)
        searched.append(f'"{field.key}":[{",".join([piece[3] for piece in pieces])}]')
    words += [piece[4] for piece in pieces if piece[4]]
    if field.presence:
        present.append(field.presence)
    return pieces[-1][3]


def _activity_terms(own: Raw, line: list[str]) -> None:
    """Everything an activity can be found by: its own texts and those of its transactions and budgets."""
    words: list[str] = []
    present: list[str] = []
    for field, texts in own.items():
        if len(texts) == 1:
            _, terms, _, value, tokens, _ = field.pieces[texts[0]]
            if terms:
                line.append(terms)
                if tokens:
                    words.append(tokens)
                if field.presence:
                    present.append(field.presence)
                if field.maximum:
                    line.append(f'"{field.maximum}":{value}')
        else:
            largest = _terms(field, texts, line, words, present)
            if largest and field.maximum:
                line.append(f'"{field.maximum}":{largest}')
    if words:
        line.append(f'"_t":[{",".join(words)}]')
    if present:
        line.append(f'"_has":[{",".join(present)}]')

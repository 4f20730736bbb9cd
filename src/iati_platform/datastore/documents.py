"""The documents section of an artefact: every activity, transaction and budget of a file as one line the index can take as it is.

A line is a kind letter and a JSON object. `A`: an activity; `X`: one that is kept but left out of the collections (version 1, schema-
invalid, without identifier); `T`, `B`: a transaction or budget, after its activity and with its own fields only; what it inherits is
found through its activity (spec/datastore.md §12.10). The object holds what is *searched*; what is *returned* is the JSON text under
`_doc` of the activity: `{"s": start byte, "e": end byte, "v": schema-valid, "a": {own fields}, "t": [{…}], "b": [{…}]}` (see payload.py).

Searched values are distinct and sorted, so that the first one is the smallest (the engine sorts by the first); `m<number>` holds the
largest number or date. `_t` holds the tokens of codes that are more than blank-separated words, `_has` the numbers of text fields with a
value. `_id` comes first in an activity line, always as `{"_id":"<sha1 of identifier>--<n>"`: the index splices the dataset's fields
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import orjson

from iati_platform.datastore.fields import attribute_label, field_model, field_name
from iati_platform.datastore.fragments import Piece, Pieces, Shape, shape
from iati_platform.datastore.values import point
from iati_platform.standard import ElementSpec, FileKind, element_tree

if TYPE_CHECKING:
    from iati_platform.reading import FileReading, Node, Record

#: What an element gives: the pieces of its attributes by lxml name, those of its text.
Plan = tuple[dict[str, Pieces], Pieces | None]

_PARTS: Final = {"iati-activity/transaction": "t", "iati-activity/budget": "b"}
_NARRATIVE: Final = "_narrative"


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
        attributes = {a.name: shape(_current_name(field_name(spec.path, a.label))).pieces for a in spec.attributes.values()}
        text = shape(_current_name(field_name(spec.path))).pieces if spec.text is not None and "/" in spec.path else None
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
        self._foreign: dict[int, tuple[ElementSpec, Plan, str]] = {}
        self._prefixes: dict[str, str] = {uri: prefix for prefix, uri in reading.root_namespaces.items() if prefix}
        self._root: list[Piece] = []
        self._position = shape("location_point_pos")
        if self._active:
            self._plans, self._part_of = _plans(reading.tree_version)
            known = element_tree(reading.tree_version, FileKind.ACTIVITIES).attributes
            for name, value in reading.root_attributes.items():
                if name in known and (value := value.strip()):
                    field = shape("dataset_" + attribute_label(name).replace("-", "_").replace(":", "_"))
                    self._root.append(field.pieces[value])

    def add(self, record: Record, admitted: bool) -> None:
        """Flatten one activity and its transactions and budgets. `admitted`: it belongs into the three collections."""
        if not self._active:
            return
        own = self._root.copy()
        spec, attributes, _, children, _ = record.node
        own_children: list[Node] = []
        parts: dict[str, list[list[Piece]]] = {"t": [], "b": []}
        part_of = self._part_of.get
        for child in children:
            part = part_of(child[0].index)
            if part is None:
                own_children.append(child)
            else:
                pieces: list[Piece] = []
                self._walk((child,), pieces.append)
                parts[part].append(pieces)
        self._walk(((spec, attributes, "", own_children, 0),), own.append)
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

    def _walk(self, nodes: Sequence[Node], add: Callable[[Piece], None]) -> None:
        """Collect the values below `nodes` in document order: attributes, then text, then children."""
        plans = self._plans
        for spec, attributes, text, children, _ in nodes:
            index = spec.index
            known, text_pieces = plans[index] if index >= 0 else self._foreign_plan(spec)
            if attributes:
                for name, value in attributes.items():
                    pieces = known.get(name)
                    if pieces is None:
                        pieces = self._unknown_attribute(spec, name)
                    add(pieces[value.strip()])
            if text and text_pieces is not None:
                add(text_pieces[text.strip()])
            if children:
                self._walk(children, add)

    def _foreign_plan(self, spec: ElementSpec) -> Plan:
        return self._foreign_element(spec)[1]

    def _foreign_element(self, spec: ElementSpec) -> tuple[ElementSpec, Plan, str]:
        """Plan and field name of an element the Standard does not have at this place: the labels of its path joined."""
        known = self._foreign.get(id(spec))
        if known is None or known[0] is not spec:
            names: list[str] = []
            above: ElementSpec | None = spec
            while above is not None and above.name not in ("iati-activity", "iati-activities"):
                names.append(above.label)
                above = above.parent
            name = "_".join(reversed(names)).replace("-", "_").replace(":", "_")
            known = self._foreign[id(spec)] = (spec, ({}, shape(name).pieces), name)
        return known

    def _unknown_attribute(self, spec: ElementSpec, name: str) -> Pieces:
        """An attribute the Standard does not have at this place: `element_attribute`, a namespace by its prefix."""
        label = attribute_label(name)
        if label.startswith("{"):
            uri, _, local = label[1:].partition("}")
            label = f"{self._prefixes[uri]}_{local}" if uri in self._prefixes else local
        if spec.index >= 0:
            return shape(_current_name(field_name(spec.path or spec.name, label))).pieces
        _, (attributes, _), above = self._foreign_element(spec)
        found = attributes[name] = shape(f"{above}_{label}".replace("-", "_").replace(":", "_")).pieces
        return found

    def _write(self, record: Record, admitted: bool, own: list[Piece], parts: dict[str, list[list[Piece]]]) -> None:
        identifier = record.identifier.strip().replace("\r", "").replace("\n", "")
        occurrence = self._occurrences.get(identifier, 0)
        self._occurrences[identifier] = occurrence + 1
        line = [f'{{"_id":"{sha1(identifier.encode(), usedforsecurity=False).hexdigest()}--{occurrence}"']
        if identifier:
            line.append(f'"iati_identifier_exact":{orjson.dumps(identifier).decode()}')
        grouped: dict[Shape, list[Piece]] = {}
        for piece in own:
            field = piece[0]
            if field in grouped:
                grouped[field].append(piece)
            else:
                grouped[field] = [piece]
        returned = _returned(grouped)
        if self._position in grouped:
            _points(grouped[self._position], returned, line)
        below: list[str] = []
        payload = [f'\\"s\\":{record.start},\\"e\\":{record.end},\\"v\\":{"true" if record.schema_valid else "false"}']
        for part, found in parts.items():
            if found:
                payload.append(f'\\"{part}\\":[{",".join(_part_lines(part.upper(), found, below))}]')
                for piece in chain.from_iterable(found):
                    field = piece[0]
                    if field in grouped:
                        grouped[field].append(piece)
                    else:
                        grouped[field] = [piece]
        payload.append(f'\\"a\\":{{{",".join(returned)}}}')
        _activity_terms(grouped, line)
        line.append(f'"_doc":"{{{",".join(payload)}}}"}}\n')
        self._lines.append(("A" if admitted else "X") + ",".join(line))
        self._lines += below


_order: Final = itemgetter(6)


def _points(positions: list[Piece], returned: list[str], line: list[str]) -> None:
    """`location_point_latlon`: returned as texts; searched as two number columns and how many different points there are."""
    points = [found for piece in positions if (found := point(piece[6])) is not None]
    if points:
        texts = ",".join(f'\\"{text}\\"' for _, _, text in points)
        returned.append(f"{_points_key()}[{texts}]")
        line.append(f'"_lat":[{",".join(repr(latitude) for latitude, _, _ in points)}]')
        line.append(f'"_lon":[{",".join(repr(longitude) for _, longitude, _ in points)}]')
        line.append(f'"_points":{len({text for _, _, text in points})}')


@cache
def _points_key() -> str:
    """The payload key of `location_point_latlon`, as it stands in the line."""
    return f'\\"f{field_model()["location_point_latlon"].number}\\":'


def _returned(grouped: dict[Shape, list[Piece]]) -> list[str]:
    """The payload's members for collected values."""
    members: list[str] = []
    for field, pieces in grouped.items():
        if len(pieces) == 1:
            if pieces[0][1]:
                members.append(pieces[0][1])
        else:
            values = [piece[3] for piece in pieces if piece[3]]
            if values:
                members.append(f"{field.returned_key}[{','.join(values)}]")
    return members


def _part_lines(kind: str, parts: list[list[Piece]], lines: list[str]) -> list[str]:
    """One line per transaction or budget, added to `lines`; gives their payloads."""
    payloads: list[str] = []
    for ordinal, pieces in enumerate(parts):
        if len({piece[0] for piece in pieces}) == len(pieces):
            payload = ",".join([piece[1] for piece in pieces if piece[1]])
            searched = ",".join([piece[2] for piece in pieces if piece[2]])
        else:
            payload, searched = _repeating(pieces)
        line = f'{kind}{{"_n":{ordinal},{searched}' if searched else f'{kind}{{"_n":{ordinal}'
        words = ",".join([piece[5] for piece in pieces if piece[5]])
        if words:
            line += f',"_t":[{words}]'
        present = ",".join([piece[7] for piece in pieces if piece[7]])
        if present:
            line += f',"_has":[{present}]'
        lines.append(line + "}\n")
        payloads.append(f"{{{payload}}}")
    return payloads


def _repeating(pieces: list[Piece]) -> tuple[str, str]:
    """Payload and searched members of a part in which a field occurs more than once."""
    grouped: dict[Shape, list[Piece]] = {}
    for piece in pieces:
        grouped.setdefault(piece[0], []).append(piece)
    searched: list[str] = []
    for field, same in grouped.items():
        _terms(field, same, searched)
    return ",".join(_returned(grouped)), ",".join(searched)


def _terms(field: Shape, pieces: list[Piece], searched: list[str]) -> str:
    """Add the distinct values of one field, smallest first; gives the JSON of the largest, "" when there is none."""
    found = {piece[4]: piece for piece in pieces if piece[4]}
    if len(found) > 1:
        # Texts have no column, so their order does not matter.
        values = list(found) if field.presence else [piece[4] for piece in sorted(found.values(), key=_order)]
        searched.append(f"{field.searched_key}[{','.join(values)}]")
        return values[-1]
    for value, piece in found.items():
        searched.append(piece[2])
        return value
    return ""


def _activity_terms(grouped: dict[Shape, list[Piece]], line: list[str]) -> None:
    """Everything an activity can be found by: its own values and those of its transactions and budgets."""
    words: list[str] = []
    present: list[str] = []
    for field, pieces in grouped.items():
        if len(pieces) == 1:
            piece = pieces[0]
            if piece[2]:
                line.append(piece[2])
                if piece[5]:
                    words.append(piece[5])
                if piece[7]:
                    present.append(piece[7])
                if field.maximum:
                    line.append(f'"{field.maximum}":{piece[4]}')
        else:
            largest = _terms(field, pieces, line)
            if largest:
                if field.maximum:
                    line.append(f'"{field.maximum}":{largest}')
                elif field.presence:
                    present.append(field.presence)
                else:
                    words += dict.fromkeys([piece[5] for piece in pieces if piece[5]])
    if words:
        line.append(f'"_t":[{",".join(words)}]')
    if present:
        line.append(f'"_has":[{",".join(present)}]')

"""Reading one file: `read(data)` looks at the frame, `FileReading.records()` then streams activities or organisations.

Memory: the bytes, packed offsets, and one batch at a time.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from iati_platform.reading import diagnosis, positions, schema, split
from iati_platform.reading.intake import Intake, doctype, place, prolog, take_in
from iati_platform.reading.nodes import Problem, ProblemCode, Record, SchemaError
from iati_platform.reading.split import RECORD_NAMES, Slices
from iati_platform.reading.walk import Walker
from iati_platform.standard import VERSIONS, XML_NAMESPACE, FileKind, element_tree, xml_schema

#: Bytes of XML parsed at once. The tree is about ten times as large and should stay in the processor's cache; a batch of this size
#: also has fewer lines than libxml2 can count.
BATCH: Final = 60_000
_XML: Final = f"{{{XML_NAMESPACE}}}"
_KINDS: Final = {kind.value: kind for kind in FileKind}


class FileReading:
    """What is known about a file before its records are read, and the way to read them.

    `problems`: why the file as a whole cannot be used; empty for a good one. A file can turn out to be broken in the middle:
    `records()` then stops early and adds a problem, so look at `problems` again afterwards, and throw away what came before.
    `version`: the root's @version as written ("" if absent); `tree_version`: the version whose tree and schema are used, which for
    missing and unknown versions is 2.03 if it begins with "2." and 1.05 otherwise.
    `envelope_errors`: schema errors outside all records; complete after `records()`.
    """

    def __init__(self, intake: Intake) -> None:
        self.data = intake.data
        self.encoding = intake.encoding
        self.kind: FileKind | None = None
        self.version = ""
        self.tree_version = "1.05"
        self.root_attributes: dict[str, str] = {}
        self.root_namespaces: dict[str | None, str] = {}
        self.problems: list[Problem] = []
        self.envelope_errors: list[SchemaError] = []
        self.records_valid = True
        self._body = intake.body
        self._root: tuple[int, int] = (0, 0)
        self._slices = Slices(array("q"), array("q"))
        self._frame_checked = False

    def __len__(self) -> int:
        """How many records the file holds (0 for a file with problems)."""
        return len(self._slices)

    @property
    def schema_valid(self) -> bool:
        """Whether the file follows the schema of its version; final after `records()`."""
        return not self.problems and self.records_valid and not self.envelope_errors

    @property
    def root_place(self) -> tuple[int, int]:
        """Line and column of the root element."""
        return place(self.data, self._root[0])

    def records(self) -> Iterator[Record]:
        """Activities or organisations in document order, in bounded memory."""
        if self.kind is None or self.problems:
            return
        data = self.data
        name = RECORD_NAMES[self.kind]
        record_name = name.decode("ascii")
        tree = element_tree(self.tree_version, self.kind)
        walker = Walker(tree.children[record_name], self.root_namespaces)
        checker = xml_schema(self.tree_version, self.kind)
        opening = data[slice(*self._root)]
        closing = b"</" + self.kind.value.encode("ascii") + b">"
        root_lines = opening.count(b"\n")
        known = walker.has_plain and b"xmlns" not in opening
        line, counted = 1, 0
        index = 0
        for first, last in _batches(data, self._slices):
            starts, ends = self._slices.starts[first:last], self._slices.ends[first:last]
            piece = data[starts[0] : ends[-1]]
            line += data.count(b"\n", counted, starts[0])
            counted = starts[0]
            try:
                root = _parse(opening + piece + closing, exact_blanks=split.has_sections(data, starts[0], ends[-1]))
            except etree.XMLSyntaxError as error:
                self._broken(error, starts[0], line, len(opening), root_lines)
                return
            errors = schema.attribute(checker, root, record_name)
            if len(root) != len(starts):
                self.problems.append(Problem(ProblemCode.NOT_WELL_FORMED, "The elements of the file are not properly nested.", line, 1))
                return
            if errors and errors.root and not self._frame_checked:
                # Errors of the root element come again with every batch.
                path = f"/{self.kind.value}"
                root_line = self.root_place[0]
                self.envelope_errors.extend(SchemaError(root_line, message, path) for _, message in errors.root)
            self._frame_checked = True
            failed = errors.records if errors else {}
            # Nodes are made when they are wanted, so that they are still in the processor's cache when they are worked on. The last
            # element lets go of the tree: a giant record's must not stay beside its nodes.
            elements = list(root)[::-1]
            del root, piece
            base = line
            for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
                element = elements.pop()
                with _no_garbage_collection():
                    if known and position not in failed and data.find(b"xmlns", start, end) < 0:
                        node, groups = walker.plain(element)
                    else:
                        node, groups = walker.any(element)
                del element
                line += data.count(b"\n", counted, start)
                counted = start
                record = Record(node, index, start, end, line, groups)
                if position in failed:
                    self.records_valid = False
                    self._attach(record, failed[position], base - 1 - root_lines)
                yield record
                index += 1

    def locate(self, record: Record, ordinals: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Line and column (in characters) of the start tags of elements of a record, both from 1."""
        found = self.places(record, [(ordinal, None) for ordinal in ordinals])
        return {ordinal: position for (ordinal, _), position in found.items()}

    def places(self, record: Record, wanted: Iterable[tuple[int, str | None]]) -> dict[tuple[int, str | None], tuple[int, int]]:
        """The same for elements (ordinal, None) and for values of their attributes (ordinal, lxml name)."""
        wanted = list(wanted)
        starts = positions.offsets(self.data, record.start, record.end, [ordinal for ordinal, _ in wanted])
        marks: dict[tuple[int, str | None], int] = {}
        for ordinal, attribute in wanted:
            if ordinal in starts:
                at = starts[ordinal]
                if attribute is not None:
                    at = positions.attribute_offset(self.data, at, attribute.replace(_XML, "xml:"))
                marks[ordinal, attribute] = at
        return positions.lines(self.data, record.start, record.line, marks)

    def _attach(self, record: Record, found: list[tuple[int, str, str]], shift: int) -> None:
        prefix = f"/{record.node[0].parent.name}/{record.node[0].name}[{record.index + 1}]" if record.node[0].parent else ""
        ordinals = [schema.ordinal_at(record.node, path) for _, _, path in found]
        exact: dict[int, tuple[int, int]] = {}
        if max(line for line, _, _ in found) >= schema.LINE_LIMIT - 1:
            exact = self.locate(record, [ordinal for ordinal in ordinals if ordinal is not None])
        for (line, message, path), ordinal in zip(found, ordinals, strict=True):
            place_ = exact.get(ordinal) if ordinal is not None else None
            record.schema_errors.append(SchemaError(place_[0] if place_ else line + shift, message, prefix + path, ordinal))

    def _broken(self, error: etree.XMLSyntaxError, start: int, line: int, opening: int, root_lines: int) -> None:
        """A batch that does not parse: the file is broken, or only unusual in libxml2's eyes."""
        problem = diagnosis.diagnose(self.data, self._body)
        if problem is None:
            at, column = error.lineno or 1, error.offset or 1
            in_first = at == root_lines + 1
            if in_first:
                column += place(self.data, start)[1] - 1 - (opening - self.data.rfind(b"\n", *self._root) if root_lines else opening)
            problem = diagnosis.from_libxml2(error, at + line - 1 - root_lines, max(column, 1))
        self.problems.append(problem)


def read(data: bytes) -> FileReading:
    """Look at a file: encoding, root, version, where its records are. Never raises on bad input: see `FileReading.problems`."""
    intake = take_in(data)
    reading = FileReading(intake)
    if intake.problem:
        reading.problems.append(intake.problem)
        return reading
    data = intake.data
    position = prolog(data, intake.body)
    refused = doctype(data, position)
    if refused:
        reading.problems.append(refused)
        return reading
    root = split.root_tag(data, position)
    if root is None:
        reading.problems.append(
            diagnosis.diagnose(data, intake.body)
            or Problem(ProblemCode.NOT_WELL_FORMED, "The file is not XML: it does not begin with an element.", *place(data, position))
        )
        return reading
    name, opening_end = root
    if name not in _KINDS:
        _refuse_root(reading, name, position)
        return reading
    _frame(reading, _KINDS[name], position, opening_end)
    return reading


def _frame(reading: FileReading, kind: FileKind, position: int, opening_end: int) -> None:
    """Find the records and prove that what is around them is well-formed."""
    data, record_name = reading.data, RECORD_NAMES[kind]
    slices = split.scan(data, opening_end, record_name)
    root = None
    lines: list[tuple[int, int]] = []
    if slices is not None:
        text, lines = split.skeleton(data, reading._body, slices, record_name)
        try:
            root = _parse(text, exact_blanks=True)
        except etree.XMLSyntaxError:
            root = None
    if slices is None or root is None or _records_below(root, record_name) != len(slices):
        problem = diagnosis.diagnose(data, reading._body)
        if problem:
            reading.problems.append(problem)
            return
        try:
            slices = split.scan_by_parser(data, reading._body, record_name)
            text, lines = split.skeleton(data, reading._body, slices, record_name)
            root = _parse(text, exact_blanks=True)
        except etree.XMLSyntaxError as error:
            reading.problems.append(diagnosis.from_libxml2(error, schema.line_in_file(error.lineno or 1, lines), error.offset or 1))
            return
        except expat.ExpatError:  # pragma: no cover - diagnose has accepted the same bytes
            reading.problems.append(Problem(ProblemCode.NOT_WELL_FORMED, "Not well-formed XML."))
            return
    if root.tag != kind.value:
        line, column = place(data, position)
        message = f"The root element {kind.value} is in the namespace {root.nsmap.get(root.prefix)!r}; IATI elements have none."
        reading.problems.append(Problem(ProblemCode.NOT_IATI, message, line, column))
        return
    reading.kind = kind
    reading.root_attributes = {str(name): str(value) for name, value in root.attrib.items()}
    reading.root_namespaces = dict(root.nsmap)
    reading.version = reading.root_attributes.get("version", "")
    reading.tree_version = tree_version(reading.version)
    reading._root = (position, opening_end)
    reading._slices = slices
    if len(root) != len(slices) or not slices or _has_text(root):
        plain_name = record_name.decode("ascii")
        reading.envelope_errors = schema.frame_errors(xml_schema(reading.tree_version, kind), root, plain_name, lines)
        reading._frame_checked = True


def tree_version(version: str) -> str:
    """The version whose tree and schema are used for a file that says `version`."""
    version = version.strip()
    if version in VERSIONS:
        return version
    return "2.03" if version.startswith("2.") else "1.05"


def _refuse_root(reading: FileReading, name: str, position: int) -> None:
    problem = diagnosis.diagnose(reading.data, reading._body)
    line, column = place(reading.data, position)
    if name.lower() == "html":
        reading.problems.append(Problem(ProblemCode.HTML, "The file is a web page (HTML), not IATI XML.", line, column))
    if problem:
        reading.problems.append(problem)
    elif name.lower() != "html":
        message = f"The root element is {name[:100]!r}; an IATI file begins with iati-activities or iati-organisations."
        reading.problems.append(Problem(ProblemCode.NOT_IATI, message, line, column))


def _parse(text: bytes, exact_blanks: bool) -> etree._Element:
    """One tree. Blanks between elements are dropped to save time; next to comments libxml2 would drop some that belong to a text."""
    internal: Any = "internal"  # resolves the five predefined entities, never loads one
    parser = etree.XMLParser(
        remove_blank_text=not exact_blanks,
        remove_comments=True,
        remove_pis=True,
        resolve_entities=internal,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        collect_ids=False,
    )
    return etree.fromstring(text, parser)


def _batches(data: bytes, slices: Slices) -> Iterator[tuple[int, int]]:
    """Ranges of records that are parsed together: up to BATCH bytes with nothing but blanks and comments between them."""
    starts, ends = slices.starts, slices.ends
    first = 0
    for number in range(1, len(starts)):
        if ends[number] - starts[first] > BATCH or not split.blank_between(data, ends[number - 1], starts[number]):
            yield first, number
            first = number
    if starts:
        yield first, len(starts)


def _records_below(root: etree._Element, record_name: bytes) -> int:
    return sum(1 for _ in root.iterchildren(record_name.decode("ascii")))


def _has_text(root: etree._Element) -> bool:
    return bool((root.text and root.text.strip()) or any(child.tail and child.tail.strip() for child in root))


class _no_garbage_collection:
    """Nodes hold no cycles; looking for some while thousands are made costs a tenth of the walk."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()

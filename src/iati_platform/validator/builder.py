"""From records to the report of a file: every record is shown to the engine once; positions are looked up for what failed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from iati_platform.reading import FileReading, Node, ProblemCode, Record
from iati_platform.standard import VERSIONS, data_version
from iati_platform.validator import messages
from iati_platform.validator.columns import Found, Rule
from iati_platform.validator.compiler import engine
from iati_platform.validator.failures import Entry, Failure, Mark
from iati_platform.validator.report import KEPT_PER_RULE, Context, Element, Finding, Report, Uncounted

_SCHEMA: Final = Rule("0.3.1", "critical", "schema", "", 0)
_NOT_XML: Final = frozenset(ProblemCode) - {ProblemCode.NOT_IATI, ProblemCode.HTML}


class ReportBuilder:
    """Collects the findings of one file. `as_of`: the day date rules see; findings that end on a later day say so."""

    def __init__(self, reading: FileReading, *, as_of: date) -> None:
        self.reading = reading
        kind = reading.kind
        self.report = Report(kind.value if kind else "", reading.version, data_version())
        self._known_version = reading.version in VERSIONS
        self._engine = engine(reading.tree_version, kind, as_of) if kind and self._known_version else None
        self._kept: Counter[str] = Counter()
        self._identifiers: Counter[str] = Counter()
        self._repeated: list[Context] = []
        self._identifier_name = "iati-identifier" if kind and kind.value == "iati-activities" else "organisation-identifier"

    def add(self, record: Record) -> None:
        """Check one record."""
        if self._engine is None:
            return
        index = len(self.report.elements)
        self._identify(record)
        if record.schema_errors:
            self._schema(record, index)
        found = self._engine.check(record)
        if found:
            self._rules(record, index, found)

    def finish(self) -> Report:
        """The report; a file that cannot be read, or whose version is not known, has that one finding only."""
        reading, report = self.reading, self.report
        if reading.problems:
            return self._unreadable()
        if not self._known_version:
            report.elements.clear()
            shown = reading.version or "(none)"
            message = f"Version {shown} of the IATI Standard is missing or not known; set version to one of {', '.join(VERSIONS)}."
            report.findings = [Finding("0.6.1", "critical", "documents", message, (Context("", *self._root_place()),))]
            return report
        file_findings = self._envelope()
        if self._repeated:
            file_findings.append(Finding("1.1.2", "error", "identifiers", messages.of_rule("1.1.2"), tuple(self._repeated[:KEPT_PER_RULE])))
        report.findings = file_findings + report.findings
        return report

    def _identify(self, record: Record) -> None:
        identifier = record.identifier
        self._identifiers[identifier] += 1
        times = self._identifiers[identifier]
        if times > 1 and identifier:
            place = _xpath(record, next((child[4] for child in record.node[3] if child[0].name == self._identifier_name), 0))
            text = f"Duplicate found for {self._identifier_name} = '{identifier}'"
            line, column = record.line, self.reading.locate(record, [0])[0][1] if len(self._repeated) < KEPT_PER_RULE else 1
            self._repeated.append(Context(text, line, column, place[0], place[1]))
            identifier = f"{identifier}({times})"
        self.report.elements.append(Element(identifier, _title(record), record.schema_valid))

    def _schema(self, record: Record, index: int) -> None:
        by_message: dict[str, list[Context]] = {}
        ordinals = [error.ordinal for error in record.schema_errors if error.ordinal is not None]
        room = self._kept[_SCHEMA.id] < KEPT_PER_RULE
        places = self.reading.locate(record, ordinals) if room else {}
        for error in record.schema_errors:
            line, column = places.get(error.ordinal, (error.line, 0)) if error.ordinal is not None else (error.line, 0)
            element = _xpath(record, error.ordinal)[1] if error.ordinal is not None and room else ""
            by_message.setdefault(error.message, []).append(Context(f"At line: {line}", line, column, error.path, element))
        for message, contexts in by_message.items():
            self._keep(Finding("0.3.1", "critical", "schema", message, tuple(contexts), index))

    def _rules(self, record: Record, index: int, found: list[Found]) -> None:
        kept: list[tuple[Rule, Failure]] = []
        marks: set[Mark] = set()
        room: Counter[str] = Counter()
        for rule, failure, _ in found:
            room[rule.id] += 1
            if self._kept[rule.id] + room[rule.id] > KEPT_PER_RULE:
                self._count(rule, failure)
                continue
            kept.append((rule, failure))
            for entry in failure.entries:
                marks.add(entry.at)
                marks.update(part for part in entry.parts if not isinstance(part, str))
        if not kept:
            return
        places = self.reading.places(record, marks)
        for rule, failure in kept:
            contexts = tuple(_context(record, entry, places) for entry in failure.entries)
            self._keep(
                Finding(rule.id, rule.severity, rule.category, rule.message, contexts, index, rule.codelist, failure.unless, failure.prefix)
            )

    def _keep(self, finding: Finding) -> None:
        if self._kept[finding.id] < KEPT_PER_RULE:
            self._kept[finding.id] += 1
            self.report.findings.append(finding)
        else:
            self.report.beyond[Uncounted(finding.id, finding.severity, finding.until, finding.unless_publisher, finding.unless_prefix)] += 1

    def _count(self, rule: Rule, failure: Failure) -> None:
        days = [entry.until for entry in failure.entries]
        until = max(day for day in days if day) if all(days) else None
        self.report.beyond[Uncounted(rule.id, rule.severity, until, failure.unless, failure.prefix)] += 1

    def _unreadable(self) -> Report:
        problems = self.reading.problems
        problem = next((problem for problem in problems if problem.code in _NOT_XML), problems[0])
        at = f"At line: {problem.line}" if problem.rule_id == "0.1.1" and problem.line else ""
        context = Context(at, problem.line, problem.column)
        report = Report("", "" if problem.rule_id == "0.1.1" else self.reading.version, self.report.data_version)
        report.findings = [Finding(problem.rule_id, "critical", "iati", problem.message, (context,))]
        return report

    def _envelope(self) -> list[Finding]:
        """What the schema finds outside all records."""
        by_message: dict[str, list[Context]] = {}
        for error in self.reading.envelope_errors:
            contexts = by_message.setdefault(error.message, [])
            if len(contexts) < KEPT_PER_RULE:
                contexts.append(Context(f"At line: {error.line}", error.line, 0, error.path, error.path.rpartition("/")[2]))
        return [
            Finding("0.3.1", "critical", "schema", message, tuple(contexts))
            for message, contexts in list(by_message.items())[:KEPT_PER_RULE]
        ]

    def _root_place(self) -> tuple[int, int]:
        return self.reading.root_place


def _context(record: Record, entry: Entry, places: dict[tuple[int, str | None], tuple[int, int]]) -> Context:
    text = "".join(part if isinstance(part, str) else "line: {}, column: {}".format(*places.get(part, (0, 0))) for part in entry.parts)
    line, column = places.get(entry.at, (record.line, 1))
    xpath, element = _xpath(record, entry.at.ordinal)
    if entry.at.attribute is not None:
        name = messages.label(entry.at.attribute)
        xpath, element = f"{xpath}/@{name}", f"{name} of {element}"
    return Context(text, line, column, xpath, element, entry.until)


def _xpath(record: Record, ordinal: int) -> tuple[str, str]:
    """Absolute path of an element and how one would call it: "value of transaction 2"."""
    node = record.node
    root = node[0].parent.name if node[0].parent else ""
    steps, words = [f"/{root}/{node[0].name}[{record.index + 1}]"], []
    while node[4] != ordinal:
        below = _holder(node, ordinal)
        if below is None:
            break
        alike = [child for child in node[3] if child[0] is below[0]]
        number = next(at for at, child in enumerate(alike, 1) if child is below)
        steps.append(f"/{below[0].label}" + (f"[{number}]" if len(alike) > 1 else ""))
        words.append(below[0].label + (f" {number}" if len(alike) > 1 else ""))
        node = below
    return "".join(steps), " of ".join(reversed(words)) or record.node[0].name


def _holder(node: Node, ordinal: int) -> Node | None:
    """The child that is or contains the element with this ordinal: the last one that does not begin after it."""
    found = None
    for child in node[3]:
        if child[4] > ordinal:
            break
        found = child
    return found


def _title(record: Record) -> str:
    """First narrative of the title (activities) or name (organisations); its own text in 1.x."""
    for name in ("title", "name"):
        if name in record.groups:
            title = record.groups[name][0]
            narrative = next((child[2] for child in title[3] if child[0].name == "narrative"), title[2])
            return narrative.strip()
    return ""

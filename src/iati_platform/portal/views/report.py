"""A validation report as pages show it: summary, filters, findings with the lines of the file they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from iati_platform.web.cells import Cell, State
from iati_platform.web.parts import Choice, CodeLine, FindingView, Place
from iati_platform.web.tables import Column

from .. import words

PER_PAGE = 25
EXCERPT_FROM = 12_000_000
"""Files above this size (bytes) are shown without excerpts: unpacking them for one page would make everybody wait."""
WIDEST = 160
REPORT_EXPORT = (
    *(Column(key, key) for key in ("rule", "severity", "category", "message", "identifier", "title", "place", "path")),
    *(Column(key, key, numeric=True) for key in ("line", "column")),
    Column("codelist", "codelist"),
)


@dataclass(frozen=True)
class SourceFinding:
    """A finding as the portal reads it from a report; `severity` and `category` are the codes of the report."""

    rule: str
    severity: str
    category: str
    message: str
    subject: str
    subject_title: str
    places: Sequence[Place]
    codelist: str = ""


@dataclass(frozen=True)
class ReportView:
    """One page of a report."""

    valid: bool
    total: int
    severities: Sequence[Choice]
    categories: Sequence[Choice]
    findings: Sequence[FindingView]
    page: int
    pages: int
    q: str
    path: str
    parameters: Mapping[str, str]

    def address(self, page: int) -> str:
        return address(self.path, {**self.parameters, "page": str(page) if page > 1 else ""})


def address(path: str, parameters: Mapping[str, str]) -> str:
    kept = {key: value for key, value in parameters.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


def select(findings: Iterable[SourceFinding], query: Mapping[str, str]) -> list[SourceFinding]:
    """The findings the filters of an address leave: severity, category, rule, and words in the activity or message."""
    q = query.get("q", "").casefold().split()
    return [
        one
        for one in findings
        if (not query.get("severity") or one.severity == query["severity"])
        and (not query.get("category") or one.category == query["category"])
        and (not query.get("rule") or one.rule == query["rule"])
        and all(word in f"{one.subject} {one.subject_title} {one.message} {one.rule}".casefold() for word in q)
    ]


def report(path: str, valid: bool, findings: Sequence[SourceFinding], query: Mapping[str, str]) -> ReportView:
    """One page of the filtered report; counts of each filter are over what the other filters leave."""
    parameters = {name: query.get(name, "") for name in ("severity", "category", "rule", "q")}
    chosen = select(findings, parameters)
    by_severity = Counter(one.severity for one in select(findings, {**parameters, "severity": ""}))
    by_category = Counter(one.category for one in select(findings, {**parameters, "category": ""}))
    severities = [Choice("All", sum(by_severity.values()), address(path, {**parameters, "severity": ""}), not parameters["severity"])]
    severities += [
        Choice(state.word, by_severity[code], address(path, {**parameters, "severity": code}), parameters["severity"] == code)
        for code, state in words.SEVERITIES.items()
        if by_severity[code] or parameters["severity"] == code
    ]
    categories = [
        Choice(
            words.CATEGORIES.get(code, code),
            count,
            address(path, {**parameters, "category": "" if parameters["category"] == code else code}),
            parameters["category"] == code,
        )
        for code, count in by_category.most_common()
    ]
    pages = max(1, -(-len(chosen) // PER_PAGE))
    text = query.get("page", "1")
    page = min(max(1, int(text)), pages) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    shown = [finding_view(one, most=3, rest="") for one in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]]
    return ReportView(valid, len(chosen), severities, categories, shown, page, pages, query.get("q", ""), path, parameters)


def grouped(findings: Sequence[SourceFinding], path: str, counts: Mapping[str, int], most: int = 8) -> list[FindingView]:
    """The report in short: one entry per rule, worst and most frequent first, with one place each; `counts` are findings per rule."""
    rank = {code: number for number, code in enumerate(words.SEVERITIES)}
    groups: dict[str, list[SourceFinding]] = {}
    for one in findings:
        groups.setdefault(one.rule, []).append(one)
    order = sorted(groups.values(), key=lambda group: (rank.get(group[0].severity, 9), -len(group), group[0].rule))
    views = []
    for group in order[:most]:
        first = finding_view(group[0], most=1, rest=address(path, {"rule": group[0].rule}))
        views.append(replace(first, count=counts.get(group[0].rule, len(group))))
    return views


def finding_view(one: SourceFinding, *, most: int, rest: str) -> FindingView:
    severity = words.SEVERITIES.get(one.severity, State(words.SEVERITIES["advisory"].tone, one.severity, code=one.severity))
    return FindingView(
        rule=one.rule,
        severity=severity,
        category=words.CATEGORIES.get(one.category, one.category),
        message=one.message,
        places=list(one.places[:most]),
        count=max(1, len(one.places)),
        subject=one.subject if one.subject not in ("file", "noIdentifier") else "",
        subject_title=one.subject_title if one.subject != "file" else "",
        codelist=one.codelist,
        href=rest,
    )


def export_rows(findings: Iterable[SourceFinding]) -> Iterable[list[Cell]]:
    """One row per place, so that a spreadsheet can count and filter them."""
    for one in findings:
        for place in one.places or (Place(""),):
            yield [
                one.rule,
                one.severity,
                one.category,
                one.message,
                one.subject,
                one.subject_title,
                place.text,
                place.path,
                place.line,
                place.column,
                one.codelist,
            ]


def with_excerpts(findings: Sequence[FindingView], data: bytes) -> list[FindingView]:
    """Adds the lines around each place; `data` is the file as UTF-8 text, the text that line numbers count in."""
    wanted = sorted(
        {number for one in findings for place in one.places if place.line for number in (place.line - 1, place.line, place.line + 1)}
    )
    lines = _lines(data, wanted)
    views = []
    for one in findings:
        places = [
            replace(place, excerpt=[_code_line(lines[n], n, place) for n in (place.line - 1, place.line, place.line + 1) if n in lines])
            if place.line
            else place
            for place in one.places
        ]
        views.append(replace(one, places=places))
    return views


def _lines(data: bytes, wanted: Sequence[int]) -> dict[int, bytes]:
    """The wanted lines (numbers from 1, ascending), found in one walk over the line ends."""
    found: dict[int, bytes] = {}
    start, number = 0, 1
    for target in wanted:
        if target < 1:
            continue
        while number < target:
            end = data.find(b"\n", start)
            if end < 0:
                return found
            start, number = end + 1, number + 1
        end = data.find(b"\n", start)
        found[target] = data[start : end if end >= 0 else len(data)].rstrip(b"\r")
    return found


def _code_line(line: bytes, number: int, place: Place) -> CodeLine:
    """Long lines are cut to the part around the place."""
    marked = number == place.line
    text = line.decode("utf-8", "replace")
    if len(text) > WIDEST:
        start = max(0, (place.column or 1) - 1 - WIDEST // 2) if marked else 0
        text = ("…" if start else "") + text[start : start + WIDEST] + ("…" if start + WIDEST < len(text) else "")
    return CodeLine(number, text, marked)

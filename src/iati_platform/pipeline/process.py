"""The process step: bytes in, one artefact out. Pure: no database, clock or network; the file is parsed once.

Sections of the artefact: `report` (validator), `documents` (search), `facts` (dashboard), `table.<name>` (analytics, Arrow).
The header is the small summary that lists and publishing need; it is kept in the database too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from time import perf_counter_ns
from typing import Any, Final

from iati_platform import reading
from iati_platform.dashboard.facts import FactsBuilder
from iati_platform.datastore.documents import DocumentsBuilder
from iati_platform.datastore.tables import TablesBuilder
from iati_platform.pipeline.summaries import split_summary
from iati_platform.reading import ProblemCode
from iati_platform.standard import FileKind
from iati_platform.validator import ReportBuilder, report_to_json

ARTEFACT_FORMAT: Final = 1
#: Date rules are evaluated against this day and keep the day until which they hold, so that a report does not go stale (Report.on).
EPOCH: Final = date(2026, 1, 1)
#: Reasons not to use a file that is XML all the same.
WELL_FORMED_PROBLEMS: Final = frozenset({ProblemCode.NOT_IATI, ProblemCode.DOCTYPE, ProblemCode.TOO_DEEP, ProblemCode.TOO_LARGE})


@dataclass(slots=True)
class Artefact:
    """What one file's bytes become. `header` is JSON-able; `timings` (ns per step) is for benchmarks and is not stored."""

    header: dict[str, Any]
    sections: dict[str, bytes]
    timings: dict[str, int] = field(default_factory=dict)


def process(data: bytes) -> Artefact:
    """Read `data` once and make the report, the documents, the tables and the facts.

    A file that cannot be read (not XML, not IATI, hostile) gives an artefact too: a report that says why, and nothing to search.
    """
    clock = perf_counter_ns
    start = clock()
    source = reading.read(data)
    report = ReportBuilder(source, as_of=EPOCH)
    documents = DocumentsBuilder(source)
    tables = TablesBuilder(source)
    facts = FactsBuilder(source)
    activities = source.kind is FileKind.ACTIVITIES
    of_a_version = source.version == source.tree_version  # a missing or unknown one has no schema to be valid against
    admissible = activities and of_a_version and source.version.startswith("2.")
    records = admitted_records = invalid_records = 0
    spent_report = spent_documents = spent_tables = spent_facts = 0
    for records, record in enumerate(source.records(), 1):  # noqa: B007 (counts: it is read after the loop)
        valid = record.schema_valid
        if not valid:
            invalid_records += 1
        admitted = admissible and valid and bool(record.identifier.strip())
        if admitted:
            admitted_records += 1
        t0 = clock()
        report.add(record)
        t1 = clock()
        documents.add(record, admitted)
        t2 = clock()
        tables.add(record, admitted)
        t3 = clock()
        facts.add(record, admitted)
        t4 = clock()
        spent_report += t1 - t0
        spent_documents += t2 - t1
        spent_tables += t3 - t2
        spent_facts += t4 - t3
    read_done = clock()
    broken = bool(source.problems)
    if broken:  # also one that broke in the middle: slices of a broken file prove nothing, what came before is thrown away
        records = admitted_records = invalid_records = 0
    finished = report.finish()
    t0 = clock()
    sections = {"report": report_to_json(finished)}
    t1 = clock()
    sections["documents"] = b"" if broken else documents.finish()
    t2 = clock()
    if not broken:
        for name, rows in tables.finish().items():
            sections[f"table.{name}"] = rows
    t3 = clock()
    sections["facts"] = facts.finish()
    t4 = clock()
    summary, conditional = split_summary(finished)
    header = {
        "format": ARTEFACT_FORMAT,
        "size": len(data),
        "encoding": source.encoding,
        "kind": source.kind.value if source.kind else None,
        "version": source.version,
        "tree_version": source.tree_version,
        "well_formed": not broken or all(problem.code in WELL_FORMED_PROBLEMS for problem in source.problems),
        "readable": source.kind is not None and not broken,
        "schema_valid": bool(source.kind) and of_a_version and source.schema_valid and not broken,
        "problems": [problem.message for problem in source.problems],
        "records": records,
        "activities": records if activities else 0,
        "organisations": 0 if activities else records,
        "admitted": admitted_records,
        "invalid_records": invalid_records,
        "summary": summary,
        "conditional": conditional,
    }
    timings = {
        "report": spent_report + (t1 - t0) + (t0 - read_done),
        "documents": spent_documents + (t2 - t1),
        "tables": spent_tables + (t3 - t2),
        "facts": spent_facts + (t4 - t3),
    }
    timings["read"] = (read_done - start) - spent_report - spent_documents - spent_tables - spent_facts
    return Artefact(header, sections, timings)

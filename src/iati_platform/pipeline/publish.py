"""Publishing: the single writer of everything that is read. Builds the next generation beside the current one and switches.

What costs is in proportion to what changed: the search index and the tables are hard-linked clones of the previous generation with the
changed datasets replaced; ZIPs copy members that were deflated once; indices and manifest are written whole.

A dataset whose newest file cannot be read keeps, in search and tables, the content that could (`indexed`), while its page, its report
and its download speak of the newest good download (`content`): the last good copy stays, and nobody is told that it is the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from iati_platform.bulk import indices
from iati_platform.bulk.publication import write_bulk
from iati_platform.bulk.service import current_datasets, lost_copies
from iati_platform.dashboard.snapshots import DatasetSummary, take_snapshot
from iati_platform.datastore import tables
from iati_platform.datastore.index import IndexWriter
from iati_platform.datastore.layout import is_current
from iati_platform.datastore.tables import TablesWriter
from iati_platform.datastore.tables.writer import TablesError, read_manifest
from iati_platform.pipeline.generations import Building, Generation, link_tree
from iati_platform.pipeline.house import House
from iati_platform.pipeline.models import Processed, PublishedGeneration
from iati_platform.pipeline.progress import Reporter, Silent
from iati_platform.pipeline.summaries import summary_on
from iati_platform.registry import service as registry
from iati_platform.registry.refs import DatasetRef
from iati_platform.storage.database import reading, writing

#: Files of a tantivy directory that belong to one process and are never carried into a clone.
LOCKS = frozenset({".tantivy-writer.lock", ".tantivy-meta.lock"})


@dataclass(frozen=True, slots=True)
class Changes:
    """What the search index and the tables have to do to get from one manifest to the next."""

    replace: list[tuple[DatasetRef, str, str]]
    """(dataset, content hash, code version of the artefact)"""
    delete: list[str]
    describe: list[DatasetRef]
    """Names, organisation, licence or address changed, the indexed content did not."""

    @property
    def empty(self) -> bool:
        """Whether nothing that is searched changed."""
        return not (self.replace or self.delete or self.describe)


@dataclass(slots=True)
class Published:
    """What a publication did. `seconds` and `cpu` are per part, in seconds of wall and of this process's CPU time."""

    generation: Generation
    replaced: int
    deleted: int
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)


def processed_headers(session: Session, code_version: str) -> dict[str, Processed]:
    """Content hash -> what processing it with this code came to."""
    rows = session.scalars(select(Processed).where(Processed.code_version == code_version))
    return {row.sha256: row for row in rows}


def make_entries(
    datasets: list[DatasetRef],
    processed: dict[str, Processed],
    previous: dict[str, Any],
    code_version: str,
    today: date,
    publishers: Collection[str],
    hashes: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """The manifest's entry for every dataset that has a good copy. Pure.

    `indexed` and `indexed_code` name the artefact that search and tables hold (None when there is none); `header` is what is known
    of `content`; `state` is `ok`, `failed` or `poison`; `summary` counts the findings of the day.
    """
    entries: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        done = processed.get(dataset.content_sha256)
        old = previous.get(dataset.id)
        usable = done is not None and done.state == "ok" and bool(done.header["readable"])
        if usable:
            indexed, indexed_code, counted = dataset.content_sha256, code_version, done.header if done else {}
        elif old is not None and old["indexed"] is not None:
            indexed, indexed_code, counted = old["indexed"], old["indexed_code"], old["counted"]
        else:
            indexed, indexed_code, counted = None, None, {}
        entries[dataset.id] = {
            "short_name": dataset.short_name,
            "reporting_org_id": dataset.reporting_org_id,
            "reporting_org_short_name": dataset.reporting_org_short_name,
            "licence_id": dataset.licence_id,
            "url": dataset.source_url,
            "content": dataset.content_sha256,
            "code_version": code_version,
            "hash": hashes.get(dataset.id),
            "hash_excluding": dataset.hash_excluding,
            "state": done.state if done else "failed",
            "error": done.error if done else "not processed yet",
            # What depends on the day is counted in `summary`; the long list behind it stays in the records.
            "header": {name: value for name, value in done.header.items() if name != "conditional"} if done else {},
            "summary": summary_on(done.header, today, publishers) if done and done.header else {},
            "indexed": indexed,
            "indexed_code": indexed_code,
            "indexed_hash": dataset.hash_excluding if usable or old is None else old["indexed_hash"],
            "counted": {name: counted.get(name, 0) for name in ("activities", "organisations", "admitted", "size")},
        }
    return entries


def changes_between(datasets: list[DatasetRef], entries: dict[str, Any], previous: dict[str, Any]) -> Changes:
    """What must be replaced, deleted or renamed. Pure."""
    replace: list[tuple[DatasetRef, str, str]] = []
    describe: list[DatasetRef] = []
    names = ("short_name", "reporting_org_id", "reporting_org_short_name", "licence_id", "url")
    for dataset in datasets:
        entry, old = entries[dataset.id], previous.get(dataset.id)
        if entry["indexed"] is None:
            continue
        if old is None or (old["indexed"], old["indexed_code"]) != (entry["indexed"], entry["indexed_code"]):
            replace.append((dataset, entry["indexed"], entry["indexed_code"]))
        elif any(old[name] != entry[name] for name in names):
            describe.append(dataset)
    delete = [key for key, old in previous.items() if old["indexed"] is not None and entries.get(key, {}).get("indexed") is None]
    return Changes(replace, delete, describe)


class Stopwatch:
    """Wall and CPU seconds per part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self._wall, self._cpu = perf_counter(), process_time()

    def lap(self, part: str) -> None:
        """What passed since the last lap belongs to `part`."""
        wall, cpu = perf_counter(), process_time()
        self.seconds[part] = self.seconds.get(part, 0.0) + wall - self._wall
        self.cpu[part] = self.cpu.get(part, 0.0) + cpu - self._cpu
        self._wall, self._cpu = wall, cpu


def publish(house: House, *, now: datetime | None = None, report: Reporter | None = None, session_id: int | None = None) -> Published:
    """Make the next generation from the records and artefacts, and switch to it."""
    moment = now or datetime.now(UTC)
    reporter = report or Silent()
    watch = Stopwatch()
    previous = house.generations.current()
    before: dict[str, Any] = previous.manifest["datasets"] if previous else {}
    with reading(house.engine) as session:
        datasets = current_datasets(session)
        processed = processed_headers(session, house.code_version)
        counts = registry.counts(session)
        index_entries = indices.entries(session)
        organisations = registry.public_organisations(session)
    publishers = {organisation.organisation_identifier for organisation in organisations if organisation.organisation_identifier}
    hashes = {entry.dataset.id: entry.copy.hash for entry in index_entries if entry.copy is not None}
    entries = make_entries(datasets, processed, before, house.code_version, house.today(), publishers, hashes)
    # An index or tables of an older format cannot take changes: everything is put in again.
    stale = previous is not None and not (is_current(previous.path / "search") and _tables_are_current(previous.path / "tables"))
    base = None if stale else previous
    changes = changes_between(datasets, entries, {} if base is None else before)
    watch.lap("plan")
    with house.generations.build() as building:
        _write_search(house, building, base, entries, changes, reporter)
        watch.lap("index")
        _write_tables(house, building, base, entries, changes, reporter)
        watch.lap("tables")
        bulk = building.path / "bulk"
        bulk.mkdir()
        step = reporter.step("bulk files", 1)
        written = write_bulk(bulk, index_entries, organisations, house.contents, moment, house.address_of("bulk-data"))
        step.advance()
        watch.lap("bulk")
        totals = {
            "organisations": counts.organisations,
            "publishing_organisations": counts.publishing_organisations,
            "datasets": counts.datasets,
            "datasets_with_copy": len(entries),
            "datasets_indexed": sum(entry["indexed"] is not None for entry in entries.values()),
            "datasets_valid": sum(bool(entry["header"].get("schema_valid")) for entry in entries.values()),
            "activities": sum(entry["counted"]["activities"] for entry in entries.values()),
            "admitted": sum(entry["counted"]["admitted"] for entry in entries.values()),
            "bytes": sum(entry["header"].get("size", 0) for entry in entries.values()),
            **tables_totals(building),
        }
        _snapshot(house, building, entries, moment)
        watch.lap("snapshot")
        house.objects.flush()
        generation = house.generations.switch(
            building, {"datasets": entries, "totals": totals, "code_version": house.code_version, "session": session_id}, now=moment
        )
        watch.lap("switch")
    with writing(house.engine) as session:
        lost_copies(session, written.missing)
        # The number may have been used by a generation that records of a backup remember.
        session.execute(delete(PublishedGeneration).where(PublishedGeneration.number == generation.number))
        session.execute(
            insert(PublishedGeneration).values(
                number=generation.number,
                at=moment,
                datasets=len(entries),
                activities=totals["activities"],
                changed=len(changes.replace) + len(changes.delete) + len(changes.describe),
                seconds=sum(watch.seconds.values()),
            )
        )
    watch.lap("record")
    return Published(generation, len(changes.replace), len(changes.delete), watch.seconds, watch.cpu)


def as_indexed(dataset: DatasetRef, entries: dict[str, Any]) -> DatasetRef:
    """The dataset with the content that search and tables hold for it."""
    entry = entries[dataset.id]
    return replace(dataset, content_sha256=entry["indexed"], hash_excluding=entry["indexed_hash"])


def _write_search(
    house: House, building: Building, previous: Generation | None, entries: dict[str, Any], changes: Changes, reporter: Reporter
) -> None:
    directory = building.path / "search"
    if previous is not None:
        link_tree(previous.path / "search", directory, without=LOCKS)
        if changes.empty:
            return
    directory.mkdir(exist_ok=True)
    step = reporter.step("index", len(changes.replace) + len(changes.delete) + len(changes.describe))
    writer = IndexWriter(directory)
    for dataset_id in changes.delete:
        writer.delete(dataset_id)
        step.advance()
    for dataset, content, code in changes.replace:
        writer.replace(as_indexed(dataset, entries), house.artefacts.read_section(content, code, "documents"))
        step.advance()
    for dataset in changes.describe:  # the index holds names beside the text: the same documents again, under the new ones
        entry = entries[dataset.id]
        writer.replace(as_indexed(dataset, entries), house.artefacts.read_section(entry["indexed"], entry["indexed_code"], "documents"))
        step.advance()
    writer.commit()


def _write_tables(
    house: House, building: Building, previous: Generation | None, entries: dict[str, Any], changes: Changes, reporter: Reporter
) -> None:
    directory = building.path / "tables"
    if previous is not None and changes.empty:
        link_tree(previous.path / "tables", directory)
        return
    step = reporter.step("tables", len(changes.replace))
    writer = TablesWriter(directory, previous.path / "tables" if previous else None)
    for dataset_id in changes.delete:
        writer.delete(dataset_id)
    for dataset in changes.describe:
        writer.describe(as_indexed(dataset, entries))
    for dataset, content, code in changes.replace:
        names = [name for name in house.artefacts.section_names(content, code) if name.startswith("table.")]
        sections = house.artefacts.read_sections(content, code, names)
        writer.replace(as_indexed(dataset, entries), {name.removeprefix("table."): data for name, data in sections.items()})
        step.advance()
    writer.commit()


def tables_totals(building: Building) -> dict[str, int]:
    """How many transactions and budgets there are, for the portal."""
    with tables.connect(building.path / "tables") as connection:
        counted = {}
        for name in ("transaction", "budget"):
            row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            counted[f"{name}s"] = int(row[0]) if row else 0
        return counted


def _tables_are_current(directory: Path) -> bool:
    try:
        read_manifest(directory)
    except TablesError:
        return False
    return True


def _snapshot(house: House, building: Building, entries: dict[str, dict[str, Any]], moment: datetime) -> None:
    summaries = [
        DatasetSummary(
            dataset_id=key,
            reporting_org_id=entry["reporting_org_id"],
            kind=entry["header"].get("kind"),
            version=entry["header"].get("version", ""),
            size=entry["header"].get("size", 0),
            well_formed=bool(entry["header"].get("well_formed")),
            iati_root=entry["header"].get("kind") is not None,
            schema_valid=bool(entry["header"].get("schema_valid")),
            activities=entry["header"].get("activities", 0),
        )
        for key, entry in entries.items()
    ]
    with tables.connect(building.path / "tables") as connection, writing(house.engine) as session:
        take_snapshot(session, connection, summaries, house.today(), made_at=moment, code_version=house.code_version)

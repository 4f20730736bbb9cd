"""Looks a platform over: does everything that is served agree with everything that is recorded? Used by `iati doctor` and by tests.

`verify` compares the current generation with itself and with the stores: counts of index, tables and manifest, every content's
presence and, on request, its hash, and both ZIPs. After a kill at any moment and a new cycle it must find nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from iati_platform import standard
from iati_platform.datastore import tables
from iati_platform.datastore.index import IndexReader
from iati_platform.datastore.service import counts as index_counts
from iati_platform.pipeline.generations import Generation
from iati_platform.pipeline.house import House
from iati_platform.pipeline.retention import processed_count
from iati_platform.registry import service as registry
from iati_platform.storage.database import reading

LITTLE_SPACE = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `iati doctor`: `state` is ok, warn or bad; `text` says what is and, if it is not good, what to do."""

    state: str
    name: str
    text: str


def examine(house: House) -> list[Finding]:
    """All checks a person wants in one look."""
    findings = [Finding("ok", "data directory", str(house.folder))]
    free = shutil.disk_usage(house.folder).free
    findings.append(
        Finding(
            "ok" if free > LITTLE_SPACE else "warn",
            "disk",
            f"{free / 1e9:.1f} GB free" + ("" if free > LITTLE_SPACE else ": make room soon"),
        )
    )
    with reading(house.engine) as session:
        counts = registry.counts(session)
        sources = registry.sources(session)
    findings.append(
        Finding("ok", "records", f"{house.engine.dialect.name}, {counts.organisations:,} organisations, {counts.datasets:,} datasets")
    )
    if not sources:
        findings.append(Finding("warn", "source", "none: `iati import SOURCE`, or `iati up --demo` to look around"))
    for source in sources:
        refused = source.last_refusal
        findings.append(Finding("warn" if refused else "ok", "source", f"{source.spec}: {refused}" if refused else source.spec))
    findings.append(
        Finding("ok", "reference data", f"{standard.data_version()}, versions {standard.VERSIONS[0]} to {standard.VERSIONS[-1]}")
    )
    findings.append(
        Finding(
            "ok",
            "process step",
            f"code {house.code_version}, {processed_count(house):,} contents processed, executor {house.settings.executor}",
        )
    )
    generation = house.generations.current()
    if generation is None:
        findings.append(Finding("warn", "generation", "none yet: run `iati refresh`"))
        return findings
    age = datetime.now(UTC) - generation.created
    stale = age > timedelta(seconds=house.settings.refresh_interval * 6)
    text = f"number {generation.number} of {generation.created:%Y-%m-%d %H:%M} UTC"
    findings.append(Finding("warn" if stale else "ok", "generation", text + (": old, is a refresh running?" if stale else "")))
    problems = verify(house)
    findings.extend(Finding("bad", "consistency", problem) for problem in problems)
    if not problems:
        findings.append(Finding("ok", "consistency", "manifest, index, tables, contents and ZIPs agree"))
    return findings


def verify(house: House, *, hashes: bool = False) -> list[str]:
    """Disagreements within the current generation, in words; empty when there are none. `hashes` reads every content."""
    generation = house.generations.current()
    if generation is None:
        return []
    return [*_verify_counts(generation), *_verify_contents(house, generation, hashes=hashes), *_verify_zips(generation)]


def _verify_counts(generation: Generation) -> list[str]:
    entries = generation.manifest["datasets"].values()
    records = sum(entry["counted"]["activities"] for entry in entries)
    admitted = sum(entry["counted"]["admitted"] for entry in entries)
    problems = []
    indexed = index_counts(IndexReader(generation.path / "search"))
    if indexed["activity"] != admitted:
        problems.append(f"the index has {indexed['activity']} admitted activities, the manifest {admitted}")
    if indexed["activity"] + indexed["held_back"] != records:
        problems.append(f"the index has {indexed['activity'] + indexed['held_back']} activities in all, the manifest {records}")
    with tables.connect(generation.path / "tables") as connection:
        for name, expected in (("activity", records),):
            row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            if row is None or row[0] != expected:
                problems.append(f"table {name} has {row[0] if row else 0} rows, the manifest {expected}")
        row = connection.execute(
            'SELECT count(*) FROM "transaction" JOIN activity USING (dataset_id, activity_index) WHERE activity.admitted'
        ).fetchone()
        if row is None or row[0] != indexed["transaction"]:
            problems.append(f"table transaction has {row[0] if row else 0} admitted rows, the index {indexed['transaction']}")
    return problems


def _verify_contents(house: House, generation: Generation, *, hashes: bool) -> list[str]:
    problems = []
    for entry in generation.manifest["datasets"].values():
        if not house.contents.exists(entry["content"]):
            problems.append(f"{entry['short_name']}: its content {entry['content'][:12]} is not in the store")
        elif hashes and hashlib.sha256(house.contents.read(entry["content"])).hexdigest() != entry["content"]:
            problems.append(f"{entry['short_name']}: its content {entry['content'][:12]} is damaged")
        if entry["state"] == "ok" and not house.artefacts.exists(entry["content"], entry["code_version"]):
            problems.append(f"{entry['short_name']}: its artefact is missing")
    return problems


def _verify_zips(generation: Generation) -> list[str]:
    problems = []
    copies = {f"iati-data/datasets/{e['reporting_org_short_name']}/{e['short_name']}.xml" for e in generation.manifest["datasets"].values()}
    with zipfile.ZipFile(generation.path / "bulk" / "iati-data.zip") as archive:
        damaged = archive.testzip()
        if damaged is not None:
            problems.append(f"iati-data.zip: {damaged} is damaged")
        held = {name for name in archive.namelist() if name.startswith("iati-data/datasets/") and name.endswith(".xml")}
    if held != copies:
        problems.append(f"iati-data.zip holds {len(held)} files, the manifest {len(copies)}")
    with zipfile.ZipFile(generation.path / "bulk" / "code-for-iati-data-download.zip") as archive:
        damaged = archive.testzip()
        if damaged is not None:
            problems.append(f"code-for-iati-data-download.zip: {damaged} is damaged")
    return problems

"""One cycle: import the remembered sources, fetch what is due, process what is new, publish, tidy up.

Fetching and processing overlap: a content goes to the executor as soon as it is in the store. Every step can be repeated; killed at any
moment, the next cycle finds what is missing from the records alone and finishes the work.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from iati_platform.bulk import service as bulk
from iati_platform.bulk.events import SessionSummary
from iati_platform.bulk.exchange import FetchResult
from iati_platform.bulk.fetcher import make_fetcher
from iati_platform.bulk.recorder import Recorder
from iati_platform.pipeline import executor, retention
from iati_platform.pipeline.house import House
from iati_platform.pipeline.models import Processed
from iati_platform.pipeline.progress import Reporter, Silent, Step
from iati_platform.pipeline.publish import Published, publish
from iati_platform.pipeline.worker import ProcessContent
from iati_platform.registry.importers import ImportResult, import_remembered
from iati_platform.storage.database import reading, writing

#: A content whose processing failed is tried again after this time, in case the cause was the machine's and not the file's.
RETRY_FAILED = timedelta(hours=24)
BATCH = 200


@dataclass(slots=True)
class Cycle:
    """What one cycle did, for people (the summary), machines (`--json`) and benchmarks (`timings`, CPU seconds)."""

    started: datetime
    imports: list[ImportResult] = field(default_factory=list)
    session: SessionSummary | None = None
    processed: int = 0
    failed: list[str] = field(default_factory=list)
    poison: list[str] = field(default_factory=list)
    bytes_processed: int = 0
    published: Published | None = None
    removed: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    worker_seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-able, keys stable."""
        session = self.session
        generation = self.published.generation if self.published else None
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "imports": [
                {
                    "source": result.source,
                    "organisations": {
                        "added": result.organisations.added,
                        "changed": result.organisations.changed,
                        "gone": result.organisations.gone,
                    },
                    "datasets": {"added": result.datasets.added, "changed": result.datasets.changed, "gone": result.datasets.gone},
                    "rejected": len(result.rejected),
                    "held": list(result.held),
                    "refused": result.refused,
                }
                for result in self.imports
            ],
            "checked": session.checked if session else 0,
            "unchanged": session.unchanged if session else 0,
            "changed": session.changed if session else 0,
            "failed_downloads": session.failed if session else 0,
            "errors": session.errors if session else {},
            "bytes_downloaded": session.bytes if session else 0,
            "processed": self.processed,
            "failed_processing": self.failed,
            "poison": self.poison,
            "bytes_processed": self.bytes_processed,
            "generation": generation.number if generation else None,
            "totals": generation.manifest["totals"] if generation else {},
            "removed": self.removed,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "cpu_seconds": {name: round(value, 3) for name, value in self.cpu.items()},
            "worker_seconds": {name: round(value, 3) for name, value in self.worker_seconds.items()},
        }


def refresh(
    house: House,
    *,
    names: Collection[str] = (),
    organisations: Collection[str] = (),
    force: bool = False,
    import_sources: bool = True,
    report: Reporter | None = None,
    now: datetime | None = None,
) -> Cycle:
    """Run one cycle. The caller holds the writer's lock. Single publishers that fail do not fail the cycle."""
    cycle = Cycle(now or datetime.now(UTC))
    reporter = report or Silent()
    watch = _Watch(cycle)
    house.generations.sweep(keep=house.settings.retention_versions)
    house.objects.sweep()
    watch.lap("recover")
    if import_sources:
        cycle.imports = import_remembered(house.engine, allow_private=house.settings.fetch_allow_private, now=now)
    watch.lap("import")
    with _Processing(house, cycle, reporter) as processing:
        _fetch(house, cycle, processing, names, organisations, force, reporter, now)
        watch.lap("fetch")
        processing.everything_due()
    watch.lap("process")
    cycle.published = publish(house, now=now, report=reporter, session_id=cycle.session.id if cycle.session else None)
    for name in cycle.published.cpu:
        cycle.cpu[f"publish.{name}"] = cycle.published.cpu[name]
        cycle.seconds[f"publish.{name}"] = cycle.published.seconds[name]
    watch.lap("publish")
    cycle.removed = retention.collect(house, now=now)
    watch.lap("retention")
    return cycle


class _Watch:
    """CPU of this process and of its ended children, and wall time, per step."""

    def __init__(self, cycle: Cycle) -> None:
        self._cycle = cycle
        self._wall, self._cpu = perf_counter(), self._now()

    @staticmethod
    def _now() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return process_time() + children.ru_utime + children.ru_stime

    def lap(self, name: str) -> None:
        wall, cpu = perf_counter(), self._now()
        self._cycle.seconds[name] = wall - self._wall
        self._cycle.cpu[name] = cpu - self._cpu
        self._wall, self._cpu = wall, cpu


def _fetch(
    house: House,
    cycle: Cycle,
    processing: _Processing,
    names: Collection[str],
    organisations: Collection[str],
    force: bool,
    reporter: Reporter,
    now: datetime | None,
) -> None:
    moment = now or datetime.now(UTC)
    with writing(house.engine) as session:
        requests = bulk.due(session, moment, force, names, organisations)
    step = reporter.step("fetch", len(requests))
    recorder = Recorder(
        house.engine, house.contents, now=(lambda: moment) if now else (lambda: datetime.now(UTC)), on_content=processing.offer
    )
    fetcher = make_fetcher(house.settings)

    def on_result(result: FetchResult) -> None:
        recorder.add(result)
        step.advance()

    fetcher.run(requests, on_result)
    cycle.session = recorder.finish()
    with writing(house.engine) as session:
        bulk.expire(session, moment)


class _Processing:
    """Feeds contents to the executor and writes down what came back, a few hundred at a time."""

    def __init__(self, house: House, cycle: Cycle, reporter: Reporter) -> None:
        self._house = house
        self._cycle = cycle
        self._reporter = reporter
        self._step: Step | None = None
        self._offered: set[str] = set()
        self._rows: list[dict[str, Any]] = []
        self._timings: Counter[str] = Counter()
        task = ProcessContent(house.settings.object_store_url, house.code_version)
        self._runner = executor.Runner(make_executor(house), task, window=house.settings.workers * 4)

    def __enter__(self) -> _Processing:
        self._runner.__enter__()
        with reading(self._house.engine) as session:
            done, self._resting = _settled(session, self._house.code_version)
        # The row alone proves nothing: the records may have been restored without the artefacts.
        self._known = done & {sha256 for sha256, _, _ in self._house.artefacts.list(self._house.code_version)}
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                for outcome in self._runner.drain():
                    self._take(outcome)
                self._write()
        finally:
            self._runner.__exit__(kind, *rest)
            self._cycle.worker_seconds = {name: value / 1e9 for name, value in self._timings.items()}

    def offer(self, sha256: str) -> None:
        """A content came into the store just now: process it unless that was done already."""
        if sha256 in self._known or sha256 in self._offered:
            return
        self._offered.add(sha256)
        if self._step is None:
            self._step = self._reporter.step("process", 0)
        self._step.total(len(self._offered))
        while self._runner.full:
            self._collect(block=True)
        self._runner.submit(sha256)
        self._collect(block=False)

    def everything_due(self) -> None:
        """Offer every current content: catches what an earlier, interrupted cycle fetched but did not process, and new code."""
        with reading(self._house.engine) as session:
            due = sorted({dataset.content_sha256 for dataset in bulk.current_datasets(session)})
        for sha256 in due:
            if sha256 not in self._resting:
                self.offer(sha256)

    def _collect(self, *, block: bool) -> None:
        for outcome in self._runner.collect(block=block):
            self._take(outcome)

    def _take(self, outcome: executor.Outcome) -> None:
        if self._step is not None:
            self._step.advance()
        state, header, error = "ok", {}, outcome.error
        if outcome.poison:
            state = "poison"
            self._cycle.poison.append(outcome.key)
        elif outcome.error is not None:
            state = "failed"
            self._cycle.failed.append(outcome.key)
        else:
            header = outcome.result["header"]
            self._timings.update(outcome.result["timings"])
            self._cycle.processed += 1
            self._cycle.bytes_processed += header["size"]
        self._rows.append(
            {
                "sha256": outcome.key,
                "code_version": self._house.code_version,
                "state": state,
                "header": header,
                "error": error,
                "at": datetime.now(UTC),
            }
        )
        if len(self._rows) >= BATCH:
            self._write()

    def _write(self) -> None:
        if not self._rows:
            return
        with writing(self._house.engine) as session:
            keys = [row["sha256"] for row in self._rows]
            session.execute(delete(Processed).where(Processed.code_version == self._house.code_version, Processed.sha256.in_(keys)))
            session.execute(insert(Processed), self._rows)
        self._rows.clear()


def _settled(session: Session, code_version: str) -> tuple[set[str], set[str]]:
    """Contents processed with this code, and contents whose processing failed too recently to try again unasked."""
    again = datetime.now(UTC) - RETRY_FAILED
    done: set[str] = set()
    resting: set[str] = set()
    statement = select(Processed.sha256, Processed.state, Processed.at).where(Processed.code_version == code_version)
    for sha256, state, at in session.execute(statement):
        if state == "ok":
            done.add(sha256)
        elif at > again:
            resting.add(sha256)
    return done, resting


def make_executor(house: House) -> Callable[[], Executor]:
    """What `IATI_EXECUTOR` says: `process` (default), `inline`, `dask://host:port`."""
    choice = house.settings.executor
    if choice == "inline":
        return executor.Immediate
    if choice.startswith("dask://"):
        return lambda: executor.dask(choice.removeprefix("dask://"))
    return lambda: executor.process_pool(house.settings.workers)

"""What a worker process does with one content hash: read the bytes, process, store the artefact, hand the small header back.

Nothing large crosses the process boundary. Stateless but for the store it opens once.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter_ns, process_time_ns
from typing import Any, Final

from iati_platform.pipeline.process import process
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore
from iati_platform.storage.objects import ObjectStore

#: A file may cost this many seconds of wall time; then the worker is ended and the file counts as poison after a second try.
SECONDS_PER_FILE: Final = 900
#: Bytes of files between two searches for reference cycles.
COLLECT_EVERY: Final = 64_000_000


@lru_cache(maxsize=4)
def _stores(url: str) -> tuple[ContentStore, ArtefactStore]:
    objects = ObjectStore(url)
    return ContentStore(objects), ArtefactStore(objects)


_since_collection = 0


@contextmanager
def _without_cycle_search(size: int) -> Iterator[None]:
    """Files become millions of short-lived tuples without cycles; looking for cycles among them costs a fifth of the step.

    What cycles there are is collected after every COLLECT_EVERY bytes of files instead.
    """
    global _since_collection
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        _since_collection += size
        if _since_collection > COLLECT_EVERY:
            _since_collection = 0
            gc.collect()


@dataclass(frozen=True, slots=True)
class ProcessContent:
    """The task: picklable, knows where the stores are and which code version it speaks for."""

    store_url: str
    code_version: str
    force: bool = False

    def __call__(self, sha256: str) -> dict[str, Any]:
        """Process one content. Returns `{"header": ..., "timings": ns per step, "cpu": ns}`; repeats are cheap (the artefact is there)."""
        if os.environ.get("IATI_TEST_KILL_CONTENT") == sha256:
            os._exit(9)  # the test-only hook: a file that ends its worker
        contents, artefacts = _stores(self.store_url)
        if not self.force and artefacts.exists(sha256, self.code_version):
            return {"header": artefacts.header(sha256, self.code_version), "timings": {}, "cpu": 0}
        in_worker = multiprocessing.parent_process() is not None
        if in_worker:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process even inside a C library: the pool then isolates the file
            signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_FILE)
        try:
            before = process_time_ns()
            t0 = perf_counter_ns()
            data = contents.read(sha256)
            t1 = perf_counter_ns()
            with _without_cycle_search(len(data)):
                artefact = process(data)
            t2 = perf_counter_ns()
            artefacts.write(sha256, self.code_version, artefact.sections, artefact.header)
            t3 = perf_counter_ns()
            timings = {**artefact.timings, "load": t1 - t0, "store": t3 - t2}
            return {"header": artefact.header, "timings": timings, "cpu": process_time_ns() - before}
        finally:
            if in_worker:
                signal.setitimer(signal.ITIMER_REAL, 0)

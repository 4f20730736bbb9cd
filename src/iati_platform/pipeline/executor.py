"""Runs the process step somewhere: in this process, in a pool of processes, or on a Dask cluster. All are `concurrent.futures` executors.

A pool of processes breaks as a whole when one worker dies (throughput.md §7: 12 of 20 results lost). `run` therefore rebuilds the pool,
hands the unfinished files out again, and when it breaks repeatedly runs the suspects one at a time: the file that kills a worker twice
alone is reported as poison, every other one is processed.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Final, Protocol

KILLS_BEFORE_POISON: Final = 2


class Task(Protocol):
    """A picklable callable: content hash in, small result out."""

    def __call__(self, key: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one key: a result, an error raised by the task, or the verdict that it kills its worker."""

    key: str
    result: Any = None
    error: str | None = None
    poison: bool = False


class Immediate(Executor):
    """Runs every task at once in this process (`IATI_EXECUTOR=inline`): for debugging and tiny machines."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run now; the returned future is already done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Runner:
    """Feeds keys to an executor and yields outcomes as they are done; at most `window` keys are under way.

    `make` builds a new executor; it is called lazily (an unchanged refresh never starts a pool) and again after a worker died.
    """

    def __init__(self, make: Callable[[], Executor], task: Task, *, window: int) -> None:
        self._make = make
        self._task = task
        self._window = max(1, window)
        self._executor: Executor | None = None
        self._pending: dict[Future[Any], str] = {}
        self._kills: dict[str, int] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    @property
    def full(self) -> bool:
        """True when `submit` should wait for `collect`."""
        return len(self._pending) >= self._window

    def submit(self, key: str) -> None:
        """Hand one key out."""
        if self._executor is None:
            self._executor = self._make()
        try:
            self._pending[self._executor.submit(self._task, key)] = key
        except BrokenProcessPool:
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("the pool broke before this file was started"))
            self._pending[future] = key

    def collect(self, *, block: bool) -> Iterator[Outcome]:
        """Outcomes that are ready; with `block` wait until there is at least one (or nothing is pending)."""
        if not self._pending:
            return
        done, _ = wait(self._pending, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        broken: list[str] = []
        for future in done:
            key = self._pending.pop(future)
            try:
                yield Outcome(key, result=future.result())
            except (BrokenProcessPool, CancelledError):
                broken.append(key)
            except Exception as error:
                if type(error).__name__ == "KilledWorker":  # Dask: the file killed several workers (allowed-failures)
                    yield Outcome(key, poison=True, error="the file ended every worker that read it")
                else:
                    yield Outcome(key, error=f"{type(error).__name__}: {error}")
        if broken:
            yield from self._isolate(broken)

    def drain(self) -> Iterator[Outcome]:
        """Everything still under way."""
        while self._pending:
            yield from self.collect(block=True)

    def _isolate(self, broken: list[str]) -> Iterator[Outcome]:
        """The pool died: every unfinished file is a suspect. Run them one at a time in pools of their own."""
        suspects = [*broken, *self._pending.values()]
        self._pending.clear()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        pool: Executor | None = None
        for key in suspects:
            while True:
                pool = pool or self._make()
                try:
                    yield Outcome(key, result=pool.submit(self._task, key).result())
                    break
                except BrokenProcessPool:
                    pool = None
                    self._kills[key] = self._kills.get(key, 0) + 1
                    if self._kills[key] >= KILLS_BEFORE_POISON:
                        yield Outcome(key, poison=True, error="the file ended every worker that read it")
                        break
                except Exception as error:
                    yield Outcome(key, error=f"{type(error).__name__}: {error}")
                    break
        self._executor = pool


def run(make: Callable[[], Executor], task: Task, keys: Iterable[str], *, window: int) -> Iterator[Outcome]:
    """All keys through one runner, outcomes as they come."""
    with Runner(make, task, window=window) as runner:
        for key in keys:
            while runner.full:
                yield from runner.collect(block=True)
            runner.submit(key)
            yield from runner.collect(block=False)
        yield from runner.drain()


def process_pool(workers: int) -> Executor:
    """A pool of fresh processes (never forked from a process with threads); imports are paid once by the fork server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["iati_platform.pipeline.worker"])
    return ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_leave_with_parent)


def _leave_with_parent() -> None:
    """End this worker when the process that made the pool is gone, also when it was killed.

    The pool's own queue never tells: every worker holds its writing end open, so an idle one would wait for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()


def dask(address: str) -> Executor:
    """The executor of a running Dask cluster at `address` (`host:port`)."""
    from distributed import Client  # an optional dependency: `pip install iati-platform[dask]`

    client = Client(address, set_as_default=False)
    executor: Executor = client.get_executor(pure=False, retries=KILLS_BEFORE_POISON)
    return executor

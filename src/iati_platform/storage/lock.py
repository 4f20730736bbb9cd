"""One process writes a data directory at a time.

The lock is the operating system's (flock on `writer.lock`): it is free the moment its holder ends, also by kill -9.
What stands in the file only tells others who holds it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

FILE_NAME = "writer.lock"
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as far as it is known."""

    pid: int
    command: str
    since: str
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {self.since}"


class WriterBusy(Exception):
    """Another process writes this data directory; `holder` says which, when it is known."""

    def __init__(self, data_dir: Path, holder: Holder | None) -> None:
        self.holder = holder
        who = str(holder) if holder else "another process"
        super().__init__(f"{data_dir} is being written by {who}: wait for it or stop it, then try again")


class WriterLock:
    """The right to write a data directory; a context manager once acquired.

        with WriterLock(data_dir).acquire(wait_seconds=60):
            ...

    Child processes do not inherit it: workers that outlive a killed writer do not keep the next one out.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / FILE_NAME
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float = 0.0) -> Self:
        """Take the lock, waiting at most `wait_seconds`. Raises `WriterBusy` naming the other; the directory must exist."""
        if self._descriptor is not None:
            raise RuntimeError("this lock is held already")
        deadline = time.monotonic() + wait_seconds
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while not _try_lock(descriptor):
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise WriterBusy(self._data_dir, holder(self._data_dir))
                time.sleep(min(_POLL_SECONDS, remaining))
            _write_holder(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _held.add(descriptor)
        return self

    def release(self) -> None:
        """Give it back; fine when it is not held."""
        if self._descriptor is not None:
            _held.discard(self._descriptor)
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        if self._descriptor is None:
            self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def holder(data_dir: Path) -> Holder | None:
    """Who the lock file names; it may be gone already (ask `is_held` for certainty)."""
    try:
        content = orjson.loads((data_dir / FILE_NAME).read_bytes())
        return Holder(int(content["pid"]), str(content["command"]), str(content["since"]), str(content["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(data_dir: Path) -> bool:
    """Whether some process writes this data directory now."""
    try:
        descriptor = os.open(data_dir / FILE_NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


_held: set[int] = set()


def _drop_in_child() -> None:
    """Close the parent's lock files in a forked child: an flock lives as long as any copy of its descriptor."""
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_drop_in_child)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN):
            return False
        raise
    return True


def _write_holder(descriptor: int) -> None:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    command = " ".join([name, *sys.argv[1:2]])  # the subcommand, but never its options: they may hold secrets
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = orjson.dumps(asdict(Holder(os.getpid(), command, now, socket.gethostname())))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)

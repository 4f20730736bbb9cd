"""What goes into a fetch and what comes out: requests, results, bodies, and the one method a fetcher has.

Nothing here knows how bytes travel; `curl.py` speaks HTTP, `folder.py` reads a registry folder, `fetcher.py` chooses.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

from iati_platform.bulk.catalogue import Cause, ErrorType

# A body stays in memory up to this size and moves to a temporary file beyond it, so that memory in flight is bounded by
# (number of open transfers) x this, whatever publishers send.
SPOOL_BYTES = 1 << 20


class Outcome(StrEnum):
    """What one check came to, before anybody looked into the bytes."""

    CONTENT = "content"  # a full body with status 200
    UNCHANGED = "unchanged"  # the server (or the folder) says that what we hold is current
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One dataset to check. `etag` and `last_modified` are sent only when the copy they belong to is still held."""

    dataset_id: str
    url: str
    folder: str | None = None  # a folder SOURCE; then `path` is read and no network is used
    path: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    failing: bool = False  # the previous check failed: an unchanged answer then ends the failure

    @property
    def conditional(self) -> bool:
        return self.etag is not None or self.last_modified is not None


def place(url: str | None, folder: str | None, path: str | None) -> str:
    """Where a dataset's file is looked for, as one text: when it differs from the last check, validators do not apply."""
    return url or "" if folder is None else f"{folder}/{path or ''} {url or ''}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a check failed: `type` is the published catalogue, `cause` our finer reason, `detail` the library's words."""

    type: ErrorType
    cause: Cause
    summary: str
    detail: str | None = None


class Body:
    """Bytes of one response, in memory while small and in an unnamed temporary file beyond SPOOL_BYTES."""

    __slots__ = ("_file", "size")

    def __init__(self, content: bytes = b"", directory: Path | None = None) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES, dir=None if directory is None else str(directory))  # noqa: SIM115
        self.size = 0
        if content:
            self.write(content)

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size += len(chunk)

    def head(self, length: int) -> bytes:
        """The first `length` bytes; writing may go on afterwards."""
        self._file.seek(0)
        start = self._file.read(length)
        self._file.seek(0, 2)
        return start

    def read(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class FetchResult:
    """What one check brought. `body` is set for CONTENT only and is closed by whoever consumed it."""

    request: FetchRequest
    outcome: Outcome
    status: int | None = None
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    final_url: str | None = None
    redirects: int = 0
    body: Body | None = None
    failure: Failure | None = None
    tls_problem: str | None = None  # why the certificate was not accepted, when the file was fetched all the same
    retry_after: datetime | None = None
    host: str = ""
    seconds: float = 0.0
    received: int = 0  # bytes on the wire

    @property
    def etag(self) -> str | None:
        return self.headers.get("ETag")

    @property
    def last_modified(self) -> str | None:
        return self.headers.get("Last-Modified")


OnResult = Callable[[FetchResult], None]


class Fetcher(Protocol):
    """Checks datasets. `run` returns when every request has had its result, or soon after `stop()` turned true.

    `on_result` is called in the thread of `run`, once per request, in order of completion; an exception it raises ends the run
    and closes every connection.
    """

    def run(self, requests: Iterable[FetchRequest], on_result: OnResult, stop: Callable[[], bool] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much patience and memory one file may cost. Sizes in bytes of the decoded body, times in seconds."""

    max_size: int = 200_000_000
    connect_seconds: float = 15.0
    total_seconds: float = 600.0
    slow_bytes_per_second: int = 1000  # below this speed ...
    slow_seconds: int = 30  # ... for this long, the transfer is given up; also the longest wait for a first byte
    max_redirects: int = 30
    retries: int = 2  # connection-level errors only; a status is never asked twice in a run
    retry_pause: float = 0.2
    host_failures: int = 10  # connections that fail one after the other before a host is left alone for the rest of the run
    expansion_ratio: int = 500  # decoded : encoded, looked at beyond `expansion_floor`; real XML stays below 100
    expansion_floor: int = 16_000_000

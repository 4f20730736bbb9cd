"""Fetching from a registry folder: the same questions and answers as over HTTP, without a network.

A present file counts as status 200, a missing one as 404, one whose stamp is the one we hold as unchanged. Nothing outside the folder
is ever opened, whatever `path` and symbolic links say.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.exchange import Body, Failure, FetchLimits, FetchRequest, FetchResult, OnResult, Outcome

FOLDER_HOST = "folder"


class FolderFetcher:
    """A Fetcher for requests that carry a `folder`."""

    def __init__(self, limits: FetchLimits | None = None, spool: Path | None = None) -> None:
        self.limits = limits or FetchLimits()
        self.spool = spool

    def run(self, requests: Iterable[FetchRequest], on_result: OnResult, stop: Callable[[], bool] | None = None) -> None:
        # Parent folders are resolved once per run: 9,000 unchanged files cost 9,000 stat calls and little else.
        inside: dict[tuple[str, str], str | None] = {}
        for request in requests:
            if stop is not None and stop():
                return
            started = time.monotonic()
            result = self._check(request, inside)
            result.seconds = time.monotonic() - started
            on_result(result)

    def _check(self, request: FetchRequest, inside: dict[tuple[str, str], str | None]) -> FetchResult:
        folder, path = request.folder or "", request.path or ""
        parent, slash, name = path.rpartition("/")
        if not folder or not name or "\0" in path:
            return _missing(request)
        key = (folder, parent if parent or not slash else "/")
        try:
            directory = inside[key]
        except KeyError:
            directory = inside[key] = _resolved_inside(folder, key[1])
        if directory is None or name in (".", ".."):
            return _outside(request)
        full = f"{directory}/{name}"
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                resolved = _resolved_inside(folder, path)
                if resolved is None:
                    return _outside(request)
                full = resolved
                status = os.lstat(full)
        except OSError:
            return _missing(request)
        if not stat.S_ISREG(status.st_mode):
            return _missing(request)
        stamp = _stamp(status)
        if stamp == request.etag:
            return FetchResult(request, Outcome.UNCHANGED, status=304, headers={"ETag": stamp}, host=FOLDER_HOST)
        if status.st_size > self.limits.max_size:
            failure = Failure(
                ErrorType.OTHER_ERROR, Cause.TOO_LARGE, "The file is larger than this service accepts.", f"{status.st_size} bytes"
            )
            return FetchResult(request, Outcome.FAILED, status=200, reason="OK", failure=failure, host=FOLDER_HOST)
        return self._read(request, full)

    def _read(self, request: FetchRequest, full: str) -> FetchResult:
        """The bytes of a file just looked at; the stamp is of the file that was opened, not of the one looked at."""
        try:
            # A link or a device put in its place since then is not followed.
            descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return _missing(request)
        except OSError as error:
            return _unreadable(request, error)
        body = Body(directory=self.spool)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                body.close()
                return _missing(request)
            try:
                while chunk := file.read(1 << 20):
                    if body.size + len(chunk) > self.limits.max_size:
                        body.close()
                        failure = Failure(ErrorType.OTHER_ERROR, Cause.TOO_LARGE, "The file is larger than this service accepts.")
                        return FetchResult(request, Outcome.FAILED, status=200, reason="OK", failure=failure, host=FOLDER_HOST)
                    body.write(chunk)
            except OSError as error:
                body.close()
                return _unreadable(request, error)
        headers = {"ETag": _stamp(status), "Content-Length": str(body.size)}
        return FetchResult(
            request, Outcome.CONTENT, status=200, reason="OK", headers=headers, body=body, host=FOLDER_HOST, received=body.size
        )


def _resolved_inside(folder: str, path: str) -> str | None:
    """`path` below `folder` with every link resolved, or None when it leads outside."""
    root = os.path.realpath(folder)
    resolved = os.path.realpath(os.path.join(root, path))  # noqa: PTH118 - pathlib costs ten times as much here
    if resolved == root or resolved.startswith(root.rstrip("/") + "/"):
        return resolved
    return None


def _stamp(status: os.stat_result) -> str:
    """Changes whenever the file's bytes may have: size, modification, change of inode, and the inode itself."""
    return f'"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_ino:x}"'


def _missing(request: FetchRequest) -> FetchResult:
    failure = Failure(ErrorType.HTTP_NON_200, Cause.STATUS, "The file is not in the registry folder.")
    return FetchResult(request, Outcome.FAILED, status=404, reason="Not Found", failure=failure, host=FOLDER_HOST)


def _outside(request: FetchRequest) -> FetchResult:
    failure = Failure(ErrorType.OTHER_ERROR, Cause.OUTSIDE_FOLDER, "The path leads out of the registry folder.")
    return FetchResult(request, Outcome.FAILED, failure=failure, host=FOLDER_HOST)


def _unreadable(request: FetchRequest, error: OSError) -> FetchResult:
    failure = Failure(ErrorType.OTHER_ERROR, Cause.UNREADABLE, "The file could not be read.", error.strerror)
    return FetchResult(request, Outcome.FAILED, failure=failure, host=FOLDER_HOST)

"""Bytes under keys: one interface to a local folder (default) and to S3, Google Cloud and Azure storage.

A put is atomic: readers see the old bytes or the new ones, also when the process is killed in the middle. It is durable
against power loss after `flush()`; see docs/decisions/003-files-on-disk.md for why not after every put.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

KEY_MAXIMUM = 900  # S3 ends at 1,024 bytes; the bucket prefix needs room
_SEGMENT = r"[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]*"
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
_PREFIX = re.compile(rf"({_SEGMENT}/?)?({_SEGMENT}/?)*")


class ObjectMissing(KeyError):
    """There is nothing under this key."""


class ObjectStoreError(Exception):
    """The store cannot be reached or refuses; the message says which and why."""


class Backend(Protocol):
    """What stands behind `ObjectStore`; keys arrive checked."""

    def put(self, key: str, data: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def get_range(self, key: str, start: int, length: int) -> bytes: ...
    def size(self, key: str) -> int | None: ...
    def delete(self, key: str) -> None: ...
    def list(self, prefix: str) -> Iterator[tuple[str, int]]: ...
    def local_path(self, key: str) -> Path | None: ...
    def flush(self) -> None: ...
    def sweep(self) -> int: ...


class ObjectStore:
    """Bytes under keys such as `content/ab/abcd….gz`.

    Keys are relative paths of letters, digits and `._=@+-`; no segment starts with a dot (ValueError otherwise).
    Safe to use from several threads and processes at once. Missing keys raise `ObjectMissing`, an unreachable or full
    store `ObjectStoreError` or `OSError` (local).
    """

    def __init__(self, url: str | Path) -> None:
        """`url`: a folder (path or `file:///…`; made when missing), `s3://…`, `gs://…` or `az://…`."""
        self.url = str(url)
        self._backend = _backend(self.url)

    def __repr__(self) -> str:
        return f"ObjectStore({urlsplit(self.url)._replace(query='').geturl()!r})"

    def put(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there."""
        self._backend.put(_checked(key), data)

    def get(self, key: str) -> bytes:
        """All bytes under the key."""
        return self._backend.get(_checked(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; fewer (or none) at the end."""
        if start < 0 or length < 0:
            raise ValueError("a range starts at 0 or later and is not negative")
        return self._backend.get_range(_checked(key), start, length)

    def size(self, key: str) -> int | None:
        """The number of bytes; None when there is nothing."""
        return self._backend.size(_checked(key))

    def exists(self, key: str) -> bool:
        """Whether there is something under the key."""
        return self.size(key) is not None

    def delete(self, key: str) -> None:
        """Remove the key; fine when it is gone already."""
        self._backend.delete(_checked(key))

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """`(key, size)` of everything below the folder `prefix` (`content` or `content/`), in no particular order."""
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"not a key prefix: {prefix!r}")
        return self._backend.list(prefix.strip("/"))

    def local_path(self, key: str) -> Path | None:
        """Where the object lies as a file, for `sendfile` and the like; None in a cloud store or when it is missing."""
        return self._backend.local_path(_checked(key))

    def flush(self) -> None:
        """Return when everything put so far, by any process, survives a power cut."""
        self._backend.flush()

    def sweep(self) -> int:
        """Remove what killed processes left half-written; returns how many. A put under way is never touched."""
        return self._backend.sweep()


def _checked(key: str) -> str:
    if len(key) > KEY_MAXIMUM or not _KEY.fullmatch(key):
        raise ValueError(f"not an object key: {key[:200]!r}")
    return key


def _backend(url: str) -> Backend:
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme in ("", "file"):
        from iati_platform.storage.folder import FolderBackend

        return FolderBackend(Path(unquote(urlsplit(url).path)) if scheme else Path(url))
    if scheme in ("s3", "gs", "az"):
        from iati_platform.storage.bucket import BucketBackend

        return BucketBackend(url)
    raise ValueError(f"no object store for {scheme}://: use a folder, s3://, gs:// or az://")

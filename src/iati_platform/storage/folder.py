"""The object store in a local folder: plain files, written aside and renamed into place."""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from iati_platform.storage.objects import ObjectMissing

_INCOMING = ".incoming"  # no key starts with a dot, so nothing in here can be mistaken for an object
_ABANDONED_SECONDS = 600  # a put takes seconds; its process may run in another container, so asking for its id would mislead


class FolderBackend:
    """Files below `root`. Own code rather than obstore's local store: see docs/decisions/003-files-on-disk.md."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(root)  # noqa: PTH100 (symbolic links stay as they are)
        self._incoming = os.path.join(self._root, _INCOMING)  # noqa: PTH118 (plain strings on the hot path)
        self._numbers = itertools.count()
        Path(self._incoming).mkdir(parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> None:
        target = f"{self._root}/{key}"
        aside = f"{self._incoming}/{os.getpid()}-{next(self._numbers)}-{os.urandom(4).hex()}"
        try:
            with open(aside, "xb", buffering=0) as file:  # noqa: PTH123
                _write_all(file.fileno(), data)
            try:
                os.replace(aside, target)  # noqa: PTH105
            except FileNotFoundError:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(aside, target)  # noqa: PTH105
        except BaseException:
            Path(aside).unlink(missing_ok=True)  # a full disk must not be filled by the attempts
            raise

    def get(self, key: str) -> bytes:
        try:
            with open(f"{self._root}/{key}", "rb", buffering=0) as file:  # noqa: PTH123
                return file.readall()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectMissing(key) from None

    def get_range(self, key: str, start: int, length: int) -> bytes:
        try:
            with open(f"{self._root}/{key}", "rb", buffering=0) as file:  # noqa: PTH123
                file.seek(start)
                return file.read(length) or b""
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectMissing(key) from None

    def size(self, key: str) -> int | None:
        path = self.local_path(key)
        return None if path is None else path.stat().st_size

    def delete(self, key: str) -> None:
        path = Path(self._root, key)
        if path.is_file():
            path.unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        waiting = [f"{self._root}/{prefix}" if prefix else self._root]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            try:
                                yield entry.path[len(self._root) + 1 :], entry.stat().st_size
                            except FileNotFoundError:
                                continue  # deleted meanwhile
            except (FileNotFoundError, NotADirectoryError):
                continue

    def local_path(self, key: str) -> Path | None:
        path = Path(self._root, key)
        return path if path.is_file() else None

    def flush(self) -> None:
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            _sync_filesystem(descriptor)
        finally:
            os.close(descriptor)

    def sweep(self) -> int:
        removed = 0
        for path in Path(self._incoming).iterdir():
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # moved into place meanwhile
        return removed


def _write_all(descriptor: int, data: bytes) -> None:
    """One write takes at most 2 GiB on Linux and may be cut short by a signal or a filling disk."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _sync_filesystem(descriptor: int) -> None:
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    else:
        os.sync()

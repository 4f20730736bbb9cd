"""Generations: complete, immutable sets of everything that is read.

A generation is a directory ``generations/<number>``: the search index, the analytics tables, the bulk files and a manifest.
The file ``generations/CURRENT`` names the one that readers open. A new generation is built beside the others under the name
``<number>.building`` (large files are hard links of the previous one) and becomes visible in two atomic renames: the directory,
then CURRENT. Killed at any moment, the old one stays whole; what is left lying is removed by `Generations.sweep`.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

MANIFEST: Final = "manifest.json"
CURRENT: Final = "CURRENT"
BUILDING: Final = ".building"
MANIFEST_FORMAT: Final = 1


class GenerationError(RuntimeError):
    """A generation that cannot be read: missing or written by a newer version."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete generation on disk. `manifest` holds `datasets` (id -> entry) and the totals shown on pages."""

    number: int
    path: Path
    created: datetime
    manifest: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Building:
    """A generation under construction: fill `path`, then hand a manifest to `Generations.switch`."""

    number: int
    path: Path


def fsync_directory(path: Path) -> None:
    """Make renames inside `path` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes) -> None:
    """Write a small file so that it is either absent, old or whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)


def link_tree(source: Path, target: Path, *, without: frozenset[str] = frozenset()) -> None:
    """Hard-link every file below `source` into `target` (names in `without` left out); both on one file system."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(source):
        if entry.name in without:
            continue
        if entry.is_dir(follow_symlinks=False):
            link_tree(Path(entry.path), target / entry.name, without=without)
        else:
            os.link(entry.path, target / entry.name)


class Generations:
    """The generations of one data directory. Reading is safe from any process; building needs the writer's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._current: Generation | None = None

    def current(self) -> Generation | None:
        """The generation readers should use now, or None on an empty platform. Costs one `stat` when nothing changed."""
        try:
            status = (self.folder / CURRENT).stat()
        except FileNotFoundError:
            return None
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    self._current = self.load(int((self.folder / CURRENT).read_text()))
                    self._stamp = stamp
        return self._current

    def load(self, number: int) -> Generation:
        """Read one generation's manifest."""
        path = self.folder / f"{number:08d}"
        try:
            manifest = orjson.loads((path / MANIFEST).read_bytes())
        except FileNotFoundError as error:
            raise GenerationError(f"generation {number} is not complete: {path / MANIFEST} is missing") from error
        if manifest["format"] > MANIFEST_FORMAT:
            raise GenerationError(f"generation {number} was written by a newer version of the platform: upgrade, then start again")
        return Generation(number, path, datetime.fromisoformat(manifest["created"]), manifest)

    def numbers(self) -> list[int]:
        """Numbers of all complete generations, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in self.folder.iterdir() if entry.name.isdigit())

    @contextmanager
    def build(self) -> Iterator[Building]:
        """A fresh directory for the next generation; removed again unless `switch` was reached."""
        self.folder.mkdir(parents=True, exist_ok=True)
        current = self.current()
        number = max([*self.numbers(), current.number if current else 0]) + 1
        path = self.folder / f"{number:08d}{BUILDING}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        try:
            yield Building(number, path)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def switch(self, building: Building, manifest: dict[str, Any], *, now: datetime | None = None) -> Generation:
        """Complete `building` and let readers see it. All or nothing."""
        created = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        document = {"format": MANIFEST_FORMAT, "number": building.number, "created": created, **manifest}
        write_durably(building.path / MANIFEST, orjson.dumps(document))
        for folder, _, _ in os.walk(building.path):
            fsync_directory(Path(folder))
        final = self.folder / f"{building.number:08d}"
        building.path.rename(final)
        fsync_directory(self.folder)
        write_durably(self.folder / CURRENT, f"{building.number}\n".encode())
        return self.load(building.number)

    def sweep(self, *, keep: int = 2) -> list[int]:
        """Remove half-built generations and all complete ones but the newest `keep` (never the current one).

        Readers that hold files of a removed generation open keep reading them: the names go, the bytes stay until closed.
        """
        removed: list[int] = []
        if not self.folder.is_dir():
            return removed
        for entry in self.folder.iterdir():
            if entry.name.endswith((BUILDING, ".tmp")):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
        current = self.current()
        numbers = self.numbers()
        kept = set(numbers[-keep:]) | ({current.number} if current else set())
        for number in numbers:
            # A number above the current one was built but never switched to: it is not part of anybody's view.
            if number not in kept or (current is not None and number > current.number) or current is None:
                shutil.rmtree(self.folder / f"{number:08d}", ignore_errors=True)
                removed.append(number)
        return removed

"""Notes that the writers of a generation's bulk files leave for `api.py`: ETags, sizes, and which content stands behind which name.

`write_indices` and `write_zips` each leave one beside what they wrote; `Published` reads both.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

INDICES_NOTE = "indices.note"
ZIPS_NOTE = "zips.note"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of the directory: ETag without quotes, sizes, media type, and the name of its gzip form if there is one."""

    name: str
    etag: str
    size: int
    media_type: str
    packed: str | None
    packed_size: int


@dataclass(frozen=True, slots=True)
class PublishedCopy:
    """The content behind `{org}/{dataset}`."""

    sha256: str
    size: int
    crc32: int
    deflated_size: int
    encoding: str
    zip_etag: str
    modified: int  # seconds since 1970


class Published:
    """What one generation publishes, read from its notes."""

    def __init__(self, directory: Path) -> None:
        indices = _read(directory / INDICES_NOTE)
        zips = _read(directory / ZIPS_NOTE)
        self.directory = directory
        self.created: int = indices["created"]
        self.datasets: int = indices["datasets"]
        self.files = {file["name"]: PublishedFile(**file) for file in (*indices["files"], *zips["files"])}
        self._copies: dict[str, list[Any]] = indices["copies"]

    @property
    def copies(self) -> int:
        return len(self._copies)

    def copy(self, organisation: str, dataset: str) -> PublishedCopy | None:
        """The copy published under these short names."""
        found = self._copies.get(f"{organisation}/{dataset}")
        return None if found is None else PublishedCopy(*found)


def write_indices_note(directory: Path, created: int, datasets: int, files: list[PublishedFile], copies: dict[str, PublishedCopy]) -> None:
    """What `write_indices` wrote; `copies` by `{organisation}/{dataset}`."""
    rows = {key: list(asdict(copy).values()) for key, copy in copies.items()}
    note = {"format": FORMAT, "created": created, "datasets": datasets, "files": [asdict(file) for file in files], "copies": rows}
    write_whole(directory / INDICES_NOTE, orjson.dumps(note))


def write_zips_note(directory: Path, files: list[PublishedFile]) -> None:
    """What `write_zips` wrote."""
    write_whole(directory / ZIPS_NOTE, orjson.dumps({"format": FORMAT, "files": [asdict(file) for file in files]}))


def _read(path: Path) -> dict[str, Any]:
    note: dict[str, Any] = orjson.loads(path.read_bytes())
    if note["format"] != FORMAT:
        raise ValueError(f"{path.name} has format {note['format']}, this version reads {FORMAT}: publish again")
    return note


def write_whole(path: Path, content: bytes) -> None:
    """Write a file durably under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def packed_etag(etag: str) -> str:
    """The ETag of the gzip form of a representation: other bytes, another tag."""
    return hashlib.sha256(f"{etag} gzip".encode()).hexdigest()

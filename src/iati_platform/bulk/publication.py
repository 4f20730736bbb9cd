"""The bulk part of a generation: indices, ZIPs and the list of copies, written together from one reading of the records.

`files.json` is our own note to `api.py`: ETags of what lies in the directory, and which content stands behind which published name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from isal import igzip

from iati_platform.bulk.indices import Entry, write_indices
from iati_platform.bulk.zips import LEGACY, NATIVE, ZipReport, write_zips
from iati_platform.registry.records import Organisation
from iati_platform.storage.content import ContentStore

MANIFEST = "files.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What was published. `missing` are datasets whose content was not in the store: hand them to `service.lost_copies`."""

    datasets: int
    copies: int
    zips: ZipReport
    missing: Sequence[str]


def write_bulk(
    directory: Path,
    entries: Sequence[Entry],
    organisations: Collection[Organisation],
    contents: ContentStore,
    created: datetime,
    base_url: str,
) -> BulkReport:
    """Write everything this room publishes into `directory`. `base_url` as in `write_indices`.

    A copy that is recorded but not in the store is published as none, in the indices and in both ZIPs alike.
    """
    lost = [entry.dataset.id for entry in entries if entry.copy is not None and not contents.exists(entry.copy.sha256)]
    if lost:
        gone = frozenset(lost)
        entries = [replace(entry, copy=None) if entry.dataset.id in gone else entry for entry in entries]
    indices = write_indices(directory, entries, organisations, created, base_url)
    zips = write_zips(directory, entries, organisations, contents, created)
    files: dict[str, dict[str, Any]] = {}
    for name, file in indices.items():
        # Clients that accept gzip get these bytes, under an ETag of their own: nothing is compressed per request.
        packed = igzip.compress((directory / name).read_bytes(), compresslevel=2, mtime=0)
        _write(directory / f"{name}.gz", packed)
        tag = file.etag.strip('"')
        files[name] = {"etag": tag, "size": file.size, "type": "application/json", "packed": f"{name}.gz", "packed_size": len(packed)}
    for name, summary in ((NATIVE, zips.native), (LEGACY, zips.legacy)):
        files[name] = {"etag": summary.etag, "size": summary.size, "type": "application/zip", "packed": None, "packed_size": 0}
    copies = {
        entry.key: [copy.sha256, copy.size, copy.crc32, copy.deflated_size, copy.encoding, entry.zip_etag, int(copy.modified.timestamp())]
        for entry in entries
        if (copy := entry.copy) is not None
    }
    note = {"format": FORMAT, "created": int(created.timestamp()), "datasets": len(entries), "files": files, "copies": copies}
    _write(directory / MANIFEST, orjson.dumps(note))
    return BulkReport(len(entries), len(copies), zips, sorted({*lost, *zips.missing}))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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
    """What one generation publishes, read from its `files.json`."""

    def __init__(self, directory: Path) -> None:
        note = orjson.loads((directory / MANIFEST).read_bytes())
        self.directory = directory
        self.created: int = note["created"]
        self.datasets: int = note["datasets"]
        self.files = {
            name: PublishedFile(name, file["etag"], file["size"], file["type"], file["packed"], file["packed_size"])
            for name, file in note["files"].items()
        }
        self._copies: dict[str, list[Any]] = note["copies"]

    @property
    def copies(self) -> int:
        return len(self._copies)

    def copy(self, organisation: str, dataset: str) -> PublishedCopy | None:
        """The copy published under these short names."""
        found = self._copies.get(f"{organisation}/{dataset}")
        if found is None:
            return None
        sha256, size, crc32, deflated_size, encoding, zip_etag, modified = found
        return PublishedCopy(sha256, size, crc32, deflated_size, encoding, zip_etag.strip('"'), modified)


def packed_etag(etag: str) -> str:
    """The ETag of the gzip form of a representation: other bytes, another tag."""
    return hashlib.sha256(f"{etag} gzip".encode()).hexdigest()

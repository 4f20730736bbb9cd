"""A ZIP writer that never compresses: it joins members deflated long ago, so its cost is the bytes it copies.

Follows APPNOTE 6.3.10 (PKWARE): local headers with known sizes (no data descriptors), UTF-8 names, ZIP64 where a size, an offset or
the number of entries needs it. Equal input gives equal bytes. The archive is written under a temporary name, read back through its
central directory, made durable, then renamed: a reader sees the old one or the whole new one.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from isal import isal_zlib

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_UTF8_NAME = 0x800
_STORED, _DEFLATED = 0, 8
_VERSION, _VERSION64 = 20, 45
_MADE_BY_UNIX = 3 << 8
_FILE_MODE = 0o100644 << 16
_DIRECTORY_MODE = (0o040755 << 16) | 0x10
# Above these, the true value goes into the ZIP64 records. A test lowers them to see every branch with small files.
SIZE_LIMIT = 0xFFFFFFFF
COUNT_LIMIT = 0xFFFF
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ArchiveError(Exception):
    """The archive that was written is not the one that was meant; it was not published."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the central directory."""

    name: str
    method: int
    crc32: int
    compressed: int
    size: int
    offset: int
    time: int
    date: int
    attributes: int


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """A finished archive. `etag` is made from its central directory: names, CRCs, sizes and offsets of everything in it."""

    path: Path
    entries: int
    size: int
    etag: str


class ArchiveWriter:
    """Writes `path`; use as a context manager. Leaving it normally publishes the archive, an exception leaves no trace."""

    def __init__(self, path: Path, modified: datetime | None = None) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._members: list[Member] = []
        self._names: set[str] = set()
        self._offset = 0
        self._stamp = _dos_time(modified)
        self._file: BinaryIO = BytesIO()  # until entered
        self._summary: ArchiveSummary | None = None

    def __enter__(self) -> ArchiveWriter:
        self._file = self._temporary.open("wb", buffering=1 << 20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        file = self._file
        try:
            if kind is None:
                digest = self._finish(file)
                file.flush()
                self._verify()
                os.fsync(file.fileno())
                file.close()
                self._temporary.replace(self.path)
                self._summary = ArchiveSummary(self.path, len(self._members), self._offset, digest)
        finally:
            file.close()
            self._temporary.unlink(missing_ok=True)

    @property
    def summary(self) -> ArchiveSummary:
        """What was published; only after the context ended normally."""
        if self._summary is None:
            raise ArchiveError("the archive is not finished")
        return self._summary

    def add_deflated(self, name: str, raw: bytes, crc32: int, size: int, modified: datetime | None = None) -> None:
        """A file whose raw deflate stream is at hand."""
        self._add(name, _DEFLATED, raw, crc32, size, _FILE_MODE, modified)

    def add_bytes(self, name: str, data: bytes, modified: datetime | None = None) -> None:
        """A file given as plain bytes: deflated here, or stored when that makes it smaller."""
        raw = isal_zlib.compress(data, level=2, wbits=-15) if data else b""
        if len(raw) < len(data):
            self._add(name, _DEFLATED, raw, isal_zlib.crc32(data), len(data), _FILE_MODE, modified)
        else:
            self._add(name, _STORED, data, isal_zlib.crc32(data), len(data), _FILE_MODE, modified)

    def add_directory(self, name: str) -> None:
        """An entry for a folder; `name` ends with a slash."""
        self._add(name, _STORED, b"", 0, 0, _DIRECTORY_MODE, None)

    def _add(self, name: str, method: int, raw: bytes, crc32: int, size: int, attributes: int, modified: datetime | None) -> None:
        file = self._file
        if name in self._names:
            raise ArchiveError(f"two entries with the name {name}")
        self._names.add(name)
        time, date = self._stamp if modified is None else _dos_time(modified)
        member = Member(name, method, crc32, len(raw), size, self._offset, time, date, attributes)
        encoded = name.encode()
        large = size >= SIZE_LIMIT or len(raw) >= SIZE_LIMIT
        # In a local header both sizes go into the extra field when one of them has to (4.5.3).
        extra = struct.pack("<HHQQ", 1, 16, size, len(raw)) if large else b""
        header = _LOCAL.pack(
            b"PK\x03\x04",
            _VERSION64 if large else _VERSION,
            _UTF8_NAME,
            method,
            time,
            date,
            crc32,
            0xFFFFFFFF if large else len(raw),
            0xFFFFFFFF if large else size,
            len(encoded),
            len(extra),
        )
        file.write(header + encoded + extra)
        file.write(raw)
        self._members.append(member)
        self._offset += len(header) + len(encoded) + len(extra) + len(raw)

    def _finish(self, file: BinaryIO) -> str:
        start = self._offset
        digest = hashlib.sha256()
        for member in self._members:
            entry = _central_entry(member)
            digest.update(entry)
            file.write(entry)
            self._offset += len(entry)
        size, count = self._offset - start, len(self._members)
        if start >= SIZE_LIMIT or size >= SIZE_LIMIT or count >= COUNT_LIMIT:
            end64 = _END64.pack(b"PK\x06\x06", _END64.size - 12, _MADE_BY_UNIX | _VERSION64, _VERSION64, 0, 0, count, count, size, start)
            locator = _LOCATOR.pack(b"PK\x06\x07", 0, self._offset, 1)
            file.write(end64 + locator)
            self._offset += len(end64) + len(locator)
        short_count = 0xFFFF if count >= COUNT_LIMIT else count
        end = _END.pack(
            b"PK\x05\x06",
            0,
            0,
            short_count,
            short_count,
            0xFFFFFFFF if size >= SIZE_LIMIT else size,
            0xFFFFFFFF if start >= SIZE_LIMIT else start,
            0,
        )
        file.write(end)
        self._offset += len(end)
        return digest.hexdigest()

    def _verify(self) -> None:
        """Read the directory back with another implementation and compare it entry by entry with what was meant."""
        if self._temporary.stat().st_size != self._offset:
            raise ArchiveError("the archive is shorter than what was written to it")
        try:
            with zipfile.ZipFile(self._temporary) as archive:
                found = [
                    (entry.filename, entry.compress_type, entry.CRC, entry.compress_size, entry.file_size, entry.header_offset)
                    for entry in archive.infolist()
                ]
        except zipfile.BadZipFile as error:
            raise ArchiveError("the archive cannot be read back") from error
        meant = [(member.name, member.method, member.crc32, member.compressed, member.size, member.offset) for member in self._members]
        if found != meant:
            raise ArchiveError("the central directory differs from what was written")


def _central_entry(member: Member) -> bytes:
    extra = b""
    sizes = []
    for value in (member.size, member.compressed, member.offset):  # the order of the ZIP64 field (4.5.3)
        if value >= SIZE_LIMIT:
            extra += struct.pack("<Q", value)
            sizes.append(0xFFFFFFFF)
        else:
            sizes.append(value)
    if extra:
        extra = struct.pack("<HH", 1, len(extra)) + extra
    encoded = member.name.encode()
    version = _VERSION64 if extra else _VERSION
    return (
        _CENTRAL.pack(
            b"PK\x01\x02",
            _MADE_BY_UNIX | version,
            version,
            _UTF8_NAME,
            member.method,
            member.time,
            member.date,
            member.crc32,
            sizes[1],
            sizes[0],
            len(encoded),
            len(extra),
            0,
            0,
            0,
            member.attributes,
            sizes[2],
        )
        + encoded
        + extra
    )


def single_member_zip(name: str, raw: bytes, crc32: int, size: int, modified: datetime | None = None) -> bytes:
    """A whole archive with one deflated file, in memory: the per-dataset ZIP. For members below 4 GiB."""
    time, date = _dos_time(modified)
    encoded = name.encode()
    local = _LOCAL.pack(b"PK\x03\x04", _VERSION, _UTF8_NAME, _DEFLATED, time, date, crc32, len(raw), size, len(encoded), 0) + encoded
    central = _central_entry(Member(name, _DEFLATED, crc32, len(raw), size, 0, time, date, _FILE_MODE))
    end = _END.pack(b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local) + len(raw), 0)
    return b"".join((local, raw, central, end))


def _dos_time(moment: datetime | None) -> tuple[int, int]:
    """Time and date words: two-second steps from 1980 on; earlier or unknown is the first of them."""
    year, month, day, hour, minute, second = _EPOCH if moment is None else moment.timetuple()[:6]
    if not 1980 <= year <= 2107:
        year, month, day, hour, minute, second = _EPOCH
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day

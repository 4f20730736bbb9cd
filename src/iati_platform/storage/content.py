"""Contents: the files publishers put out, kept once under the SHA-256 of their bytes.

Each is deflated once, when it arrives, and framed as gzip: `content/ab/<sha256>.gz`. The deflate stream between the
10-byte header and the 8-byte trailer is what a ZIP member is made of, so ZIPs and compressed answers cost no second pass.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import isal_zlib

from iati_platform.storage.objects import ObjectMissing, ObjectStore

FOLDER = "content"
LEVEL = 2  # docs/decisions/004-contents-deflated-once.md
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time: equal bytes give equal files
_TRAILER = struct.Struct("<II")  # CRC-32 and size modulo 2^32 (RFC 1952)
_FRAME = len(_HEADER) + _TRAILER.size


class ContentMissing(KeyError):
    """No content with this hash is stored."""


class ContentDamaged(Exception):
    """The stored bytes are not those the hash names (a disk error, a power cut before a flush): fetch it again."""


@dataclass(frozen=True, slots=True)
class Content:
    """A stored content: its hash (lower-case hex), bytes, CRC-32, and the bytes of its deflate stream."""

    sha256: str
    size: int
    crc32: int
    deflated_size: int


class ContentStore:
    """Contents by hash. Sizes stay below 4 GiB (the fetcher's limit is far lower)."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def put(self, data: bytes) -> Content:
        """Store `data` unless it is there; returns what it is. Holds `data` and its deflated form, nothing else."""
        sha256 = hashlib.sha256(data).hexdigest()
        crc32 = isal_zlib.crc32(data)
        present = self._info(sha256)
        if present is not None and present.crc32 == crc32 and present.size == len(data) & 0xFFFFFFFF:
            return present
        deflated = isal_zlib.compress(data, level=LEVEL, wbits=-15)
        self._objects.put(_key(sha256), b"".join((_HEADER, deflated, _TRAILER.pack(crc32, len(data) & 0xFFFFFFFF))))
        return Content(sha256, len(data), crc32, len(deflated))

    def info(self, sha256: str) -> Content:
        """What is stored under the hash, without reading it."""
        content = self._info(sha256)
        if content is None:
            raise ContentMissing(sha256)
        return content

    def exists(self, sha256: str) -> bool:
        """Whether the content is stored."""
        return self._objects.exists(_key(sha256))

    def read(self, sha256: str) -> bytes:
        """The original bytes, checked against their CRC."""
        try:
            return isal_zlib.decompress(self.gzip_bytes(sha256), wbits=31)
        except isal_zlib.error as error:  # type: ignore[misc]
            raise ContentDamaged(sha256) from error

    def member(self, sha256: str) -> bytes:
        """The raw deflate stream, as a ZIP member holds it."""
        framed = self.gzip_bytes(sha256)
        if len(framed) < _FRAME or not framed.startswith(_HEADER):
            raise ContentDamaged(sha256)
        return framed[len(_HEADER) : -_TRAILER.size]

    def gzip_bytes(self, sha256: str) -> bytes:
        """The stored gzip file, ready for `Content-Encoding: gzip`."""
        try:
            return self._objects.get(_key(sha256))
        except ObjectMissing:
            raise ContentMissing(sha256) from None

    def gzip_path(self, sha256: str) -> Path | None:
        """The gzip file itself when the store is a local folder."""
        return self._objects.local_path(_key(sha256))

    def delete(self, sha256: str) -> None:
        """Forget the content; fine when it is gone already."""
        self._objects.delete(_key(sha256))

    def list(self) -> Iterator[tuple[str, int]]:
        """`(sha256, stored bytes)` of every content, in no particular order."""
        for key, size in self._objects.list(FOLDER):
            yield key.rpartition("/")[2].removesuffix(".gz"), size

    def _info(self, sha256: str) -> Content | None:
        key = _key(sha256)
        stored = self._objects.size(key)
        if stored is None or stored < _FRAME:
            return None
        try:
            trailer = self._objects.get_range(key, stored - _TRAILER.size, _TRAILER.size)
        except ObjectMissing:
            return None
        crc32, size = _TRAILER.unpack(trailer)
        return Content(sha256, size, crc32, stored - _FRAME)


def _key(sha256: str) -> str:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256[:80]!r}")
    return f"{FOLDER}/{sha256[:2]}/{sha256}.gz"

"""Artefacts: what the process step made of one content, one container file per content and code version.

Layout of `artefacts/<code_version>/ab/<sha256>` (little-endian):

    8 bytes   magic `IATIART` and the format version as one byte
    4 bytes   length of the header, 4 bytes CRC-32 of the header
    header    JSON: {"sha256", "code_version", "header": {…}, "sections": {name: {"offset", "stored", "size", "coding", "crc32"}}}
    sections  one after the other; `offset` counts from the end of the header

A section is gzip unless it is compressed already (`coding` "gzip" or "identity"); `crc32` is that of the stored bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from isal import igzip, isal_zlib

from iati_platform.storage.objects import ObjectMissing, ObjectStore

FOLDER = "artefacts"
FORMAT = 1
_MAGIC = b"IATIART"
_PREFIX = struct.Struct("<7sBII")
_HEAD_GUESS = 8192  # one read usually brings prefix and header together
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"\xff\xff\xff\xff")  # gzip, zstd, Parquet, Arrow IPC (zstd inside)


class ArtefactMissing(KeyError):
    """There is no artefact for this content and code version (or no such section in it)."""


class ArtefactDamaged(Exception):
    """The file is not a whole artefact of a known format: delete it and process the content again."""


class ArtefactStore:
    """Artefacts by content hash and code version."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def write(self, sha256: str, code_version: str, sections: Mapping[str, bytes], header: Mapping[str, Any]) -> None:
        """Store an artefact, replacing an earlier one. `header` is any JSON object; it comes back from `header()`."""
        table: dict[str, dict[str, object]] = {}
        stored: list[bytes] = []
        offset = 0
        for name, data in sections.items():
            compressed = data.startswith(_COMPRESSED)
            body = data if compressed else igzip.compress(data, compresslevel=2, mtime=0)
            table[name] = {
                "offset": offset,
                "stored": len(body),
                "size": len(data),
                "coding": "identity" if compressed else "gzip",
                "crc32": isal_zlib.crc32(body),
            }
            stored.append(body)
            offset += len(body)
        head = orjson.dumps({"sha256": sha256, "code_version": code_version, "header": header, "sections": table})
        prefix = _PREFIX.pack(_MAGIC, FORMAT, len(head), isal_zlib.crc32(head))
        self._objects.put(_key(sha256, code_version), b"".join((prefix, head, *stored)))

    def exists(self, sha256: str, code_version: str) -> bool:
        """Whether the artefact is stored."""
        return self._objects.exists(_key(sha256, code_version))

    def header(self, sha256: str, code_version: str) -> dict[str, Any]:
        """The header given to `write`."""
        header: dict[str, Any] = self._head(_key(sha256, code_version))[0]["header"]
        return header

    def section_names(self, sha256: str, code_version: str) -> list[str]:
        """The names of the sections, in the order they were written."""
        return list(self._head(_key(sha256, code_version))[0]["sections"])

    def read_section(self, sha256: str, code_version: str, name: str) -> bytes:
        """One section as it was given to `write`."""
        key = _key(sha256, code_version)
        head, start, beginning = self._head(key)
        if name not in head["sections"]:
            raise ArtefactMissing(f"{sha256} {code_version} {name}")
        entry = head["sections"][name]
        first = start + entry["offset"]
        if first + entry["stored"] <= len(beginning):  # small artefacts arrive with the first read
            body = beginning[first : first + entry["stored"]]
        else:
            body = self._range(key, first, entry["stored"])
        return _open_section(key, entry, body)

    def read_sections(self, sha256: str, code_version: str, names: Iterable[str] | None = None) -> dict[str, bytes]:
        """Several sections (default: all) with a single read of the file."""
        key = _key(sha256, code_version)
        whole = self._get(key)
        head, start = _parse_head(key, whole)
        wanted = head["sections"] if names is None else {name: head["sections"].get(name) for name in names}
        sections: dict[str, bytes] = {}
        for name, entry in wanted.items():
            if entry is None:
                raise ArtefactMissing(f"{sha256} {code_version} {name}")
            first = start + entry["offset"]
            sections[name] = _open_section(key, entry, whole[first : first + entry["stored"]])
        return sections

    def delete(self, sha256: str, code_version: str) -> None:
        """Forget one artefact; fine when it is gone already."""
        self._objects.delete(_key(sha256, code_version))

    def list(self, code_version: str | None = None) -> Iterator[tuple[str, str, int]]:
        """`(sha256, code_version, stored bytes)` of every artefact, of one code version or of all."""
        for key, size in self._objects.list(FOLDER if code_version is None else f"{FOLDER}/{code_version}"):
            _, version, _, sha256 = key.split("/")
            yield sha256, version, size

    def _head(self, key: str) -> tuple[dict[str, Any], int, bytes]:
        """The parsed header, where the sections start, and the bytes read so far."""
        beginning = self._range(key, 0, _HEAD_GUESS)
        if len(beginning) >= _PREFIX.size:
            needed = _PREFIX.size + _PREFIX.unpack_from(beginning)[2]
            if needed > len(beginning) and len(beginning) == _HEAD_GUESS:
                beginning += self._range(key, _HEAD_GUESS, needed - _HEAD_GUESS)
        head, start = _parse_head(key, beginning)
        return head, start, beginning

    def _range(self, key: str, start: int, length: int) -> bytes:
        try:
            return self._objects.get_range(key, start, length)
        except ObjectMissing:
            raise ArtefactMissing(key) from None

    def _get(self, key: str) -> bytes:
        try:
            return self._objects.get(key)
        except ObjectMissing:
            raise ArtefactMissing(key) from None


def _parse_head(key: str, data: bytes) -> tuple[dict[str, Any], int]:
    if len(data) < _PREFIX.size:
        raise ArtefactDamaged(f"{key}: shorter than its prefix")
    magic, version, length, crc32 = _PREFIX.unpack_from(data)
    if magic != _MAGIC or version != FORMAT:
        raise ArtefactDamaged(f"{key}: not an artefact of format {FORMAT}")
    head = data[_PREFIX.size : _PREFIX.size + length]
    if len(head) != length or isal_zlib.crc32(head) != crc32:
        raise ArtefactDamaged(f"{key}: its header is damaged")
    parsed: dict[str, Any] = orjson.loads(head)
    return parsed, _PREFIX.size + length


def _open_section(key: str, entry: Mapping[str, Any], body: bytes) -> bytes:
    if len(body) != entry["stored"] or isal_zlib.crc32(body) != entry["crc32"]:
        raise ArtefactDamaged(f"{key}: a section is damaged")
    return body if entry["coding"] == "identity" else isal_zlib.decompress(body, wbits=31)


def _key(sha256: str, code_version: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256[:80]!r}")
    if not re.fullmatch(r"[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]{0,99}", code_version):
        raise ValueError(f"not a code version: {code_version[:120]!r}")
    return f"{FOLDER}/{code_version}/{sha256[:2]}/{sha256}"

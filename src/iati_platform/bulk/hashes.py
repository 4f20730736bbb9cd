"""The two SHA-1 digests by which the whole sector recognises a file's content (§3.3).

`hash` is of the bytes as received. `excluding` leaves out every `generated-datetime="…"`, so that a file that was merely generated
again does not count as changed. For encodings in which ASCII is one byte per character, cutting the bytes gives the same digest as
decoding, removing and encoding again; UTF-16 and UTF-32 are re-encoded (Python's `utf-16`: little-endian with byte-order mark).
"""

from __future__ import annotations

import hashlib
import re

_NEEDLE = b'generated-datetime="'
_PATTERN = re.compile(r'generated-datetime="[^"]+"')


def sha1(data: bytes) -> str:
    """SHA-1 of the bytes, lower-case hex."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def sha1_excluding_generated(data: bytes, encoding: str) -> str:
    """SHA-1 without the generation timestamps, for text in `encoding` (a Python codec name, see `sniff`)."""
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            return sha1(_PATTERN.sub("", data.decode(encoding)).encode(encoding))
        except UnicodeError:  # broken text: nothing can be left out of it reliably
            return sha1(data)
    digest = hashlib.sha1(usedforsecurity=False)
    view = memoryview(data)
    kept = 0
    found = data.find(_NEEDLE)
    while found >= 0:
        value = found + len(_NEEDLE)
        quote = data.find(b'"', value)
        if quote < 0:
            break
        if quote > value:
            digest.update(view[kept:found])
            kept = quote + 1
            found = data.find(_NEEDLE, kept)
        else:  # an empty value does not count as a timestamp
            found = data.find(_NEEDLE, value)
    digest.update(view[kept:])
    return digest.hexdigest()

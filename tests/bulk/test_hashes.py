"""Both digests, against a plain implementation of the definition: decode, remove, encode again."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.bulk.hashes import sha1, sha1_excluding_generated

FILE = (
    '<?xml version="1.0"?>\n<iati-activities version="2.03" generated-datetime="2026-01-01T00:00:00Z">'
    '<iati-activity generated-datetime="x" note="größer"/></iati-activities>\n'
)


def by_definition(data: bytes, encoding: str) -> str:
    return hashlib.sha1(re.sub(r'generated-datetime="[^"]+"', "", data.decode(encoding)).encode(encoding)).hexdigest()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "utf-8-sig", "iso8859-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding(encoding: str) -> None:
    data = FILE.replace("ö", "o").replace("ß", "ss").encode(encoding) if encoding == "ascii" else FILE.encode(encoding)
    assert sha1(data) == hashlib.sha1(data).hexdigest()
    assert sha1_excluding_generated(data, encoding) == by_definition(data, encoding)
    assert sha1_excluding_generated(data, encoding) != sha1(data)


def test_byte_order_does_not_matter_after_encoding_again() -> None:
    little, big = b"\xff\xfe" + FILE.encode("utf-16-le"), b"\xfe\xff" + FILE.encode("utf-16-be")
    assert sha1(little) != sha1(big)
    assert sha1_excluding_generated(little, "utf-16") == sha1_excluding_generated(big, "utf-16") == by_definition(big, "utf-16")


def test_digests_known_beforehand() -> None:
    abc = "a9993e364706816aba3e25717850c26c9cd0d89d"  # FIPS 180, appendix A.1
    assert sha1(b"abc") == abc
    assert sha1_excluding_generated(b'agenerated-datetime="1"bgenerated-datetime="2"c', "utf-8") == abc


def test_broken_utf_16_counts_as_it_is() -> None:
    data = b"\xff\xfe" + FILE.encode("utf-16-le") + b"\x00"
    assert sha1_excluding_generated(data, "utf-16") == sha1(data)


@given(st.lists(st.sampled_from(['generated-datetime="', '"', "2026", " ", "generated-datetime='2026'", "\n", "é", "x"])))
def test_any_arrangement(parts: list[str]) -> None:
    data = "".join(parts).encode()
    assert sha1_excluding_generated(data, "utf-8") == by_definition(data, "utf-8")

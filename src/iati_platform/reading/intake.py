"""From any bytes to UTF-8 XML text: encodings, byte order marks, declarations, and what can be refused before parsing.

UTF-8 input is passed on untouched (no copy): `body` says where the text after byte order mark and declaration begins, so that all
offsets, lines and columns are those of the file itself.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from iati_platform.reading.nodes import Problem, ProblemCode

#: XML 1.0 §2.8. What only looks like a declaration is left to the parser.
_DECLARATION: Final = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"(?P<double>[A-Za-z][A-Za-z0-9._-]*)"|'(?P<single>[A-Za-z][A-Za-z0-9._-]*)'))?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_SKIPPED: Final = re.compile(rb"[ \t\r\n]+|<!--(?:(?!--).)*+-->|<\?(?:.*?\?>)", re.DOTALL)
_BLANK: Final = re.compile(rb"[ \t\r\n\0\xef\xbb\xbf\xfe\xff]*")
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE[ \t\r\n]+([^ \t\r\n>\[]+)", re.IGNORECASE)
_STEP: Final = 1 << 22

#: Codecs that turn bytes into text and nothing else; names as `codecs.lookup` gives them.
_TEXT_CODECS: Final = frozenset(
    ["ascii", "big5", "big5hkscs", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp", "johab", "koi8-r", "koi8-u", "mac-roman"]
    + ["shift_jis", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
    + [f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))]
    + [f"cp{page}" for page in (437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259))]
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The first characters of a document without a mark, in encodings of two and four bytes (XML 1.0 appendix F.1).
_STARTS: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_PACKED: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


@dataclass(frozen=True, slots=True)
class Intake:
    """`data`: UTF-8; `body`: offset of the text after mark and declaration; `encoding`: what the file was written in, "" if unknown."""

    data: bytes
    body: int
    encoding: str
    problem: Problem | None = None


def take_in(data: bytes) -> Intake:
    """Decide the encoding and give back UTF-8. Never raises on bad input: the answer then carries a problem."""
    for magic, form in _PACKED:
        if data.startswith(magic):
            return Intake(data, 0, "", Problem(ProblemCode.COMPRESSED, f"The file is compressed ({form}). Publish the XML itself."))
    if _BLANK.fullmatch(data):
        return Intake(data, 0, "", Problem(ProblemCode.EMPTY, "The file is empty."))
    encoding, marked = _encoding(data)
    if encoding == "utf-8":
        return _normalised(data, encoding)
    codec = _codec(encoding)
    if codec is None:
        message = f"The declared encoding {encoding!r} is not known. Save the file as UTF-8."
        return Intake(data, 0, encoding, Problem(ProblemCode.ENCODING, message, 1, 1))
    if not marked and codec.startswith(("utf-16", "utf-32")) and not data.startswith((b"\0", b"<\0")):
        message = f"The file says it is {encoding} but is not. Save it as UTF-8 and say so in the first line."
        return Intake(data, 0, encoding, Problem(ProblemCode.ENCODING, message, 1, 1))
    try:
        return _normalised(_transcode(data, codec), encoding)
    except UnicodeError as error:
        message = f"The file is declared as {encoding} but holds bytes that are not ({_reason(error)}). Save it as UTF-8."
        return Intake(data, 0, encoding, Problem(ProblemCode.ENCODING, message))


def prolog(data: bytes, position: int) -> int:
    """Offset of the first thing after `position` that is not blank, a comment or a processing instruction."""
    while match := _SKIPPED.match(data, position):
        position = match.end()
    return position


def doctype(data: bytes, position: int) -> Problem | None:
    """The problem of a document type declaration at `position`, None if there is none. Declarations are never read, let alone expanded."""
    match = _DOCTYPE.match(data, position)
    if match is None:
        return None
    line, column = place(data, position)
    if match[1].lower() == b"html":
        return Problem(ProblemCode.HTML, "The file is a web page (HTML), not IATI XML.", line, column)
    message = "The file has a document type declaration (DOCTYPE), which is refused for safety. Remove it."
    return Problem(ProblemCode.DOCTYPE, message, line, column)


def place(data: bytes, position: int) -> tuple[int, int]:
    """Line and column (in characters) of a byte offset, both from 1. A byte order mark takes no column."""
    before = data.rfind(b"\n", 0, position)
    start = 3 if before < 0 and data.startswith(codecs.BOM_UTF8) else before + 1
    column = len(data[start:position].decode("utf-8", "replace")) + 1
    return data.count(b"\n", 0, position) + 1, column


def _encoding(data: bytes) -> tuple[str, bool]:
    """Name of the encoding and whether the bytes themselves show it (mark or shape)."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, True
    for start, name in _STARTS:
        if data.startswith(start):
            return name, True
    declaration = _DECLARATION.match(data)
    declared = declaration and (declaration["double"] or declaration["single"])
    if not declared:
        return "utf-8", False
    name = declared.decode("ascii")
    return ("utf-8", False) if _codec(name) == "utf-8" else (name, False)


def _codec(name: str) -> str | None:
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return None
    return codec if codec in _TEXT_CODECS else None


def _transcode(data: bytes, codec: str) -> bytes:
    """To UTF-8 in steps, so that the whole text never stands in memory as characters."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    parts = [decoder.decode(data[at : at + _STEP]).encode("utf-8") for at in range(0, len(data), _STEP)]
    parts.append(decoder.decode(b"", True).encode("utf-8"))
    return b"".join(parts)


def _normalised(data: bytes, encoding: str) -> Intake:
    # Old Mac line ends: libxml2 and editors then disagree about lines. Same length, so offsets stay.
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    body = 3 if data.startswith(codecs.BOM_UTF8) else 0
    declaration = _DECLARATION.match(data, body)
    return Intake(data, declaration.end() if declaration else body, encoding)


def _reason(error: UnicodeError) -> str:
    return error.reason if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else str(error)

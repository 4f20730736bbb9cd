"""Looking at received bytes: which encoding, and is this IATI at all?

Decided from the beginning of the file only. Whether the XML is well-formed, let alone valid, is the validator's business: a truncated
file with the right root is kept and judged there (§3.2).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from iati_platform.bulk.catalogue import Cause

HEAD_CHARACTERS = 6000
INITIAL_CHARACTERS = 150
_PIECE = 1 << 20
_ROOTS = frozenset({"iati-activities", "iati-organisations"})
# Nearly every root is within the first of these; a prolog (comments, DOCTYPE, instructions) may be long, but not longer than the last.
_PROLOG_BYTES = (4096, 1 << 20)

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# XML 1.0 appendix F: the first `<` of a file without a byte-order mark shows the width of its characters.
_WIDTHS: tuple[tuple[bytes, str], ...] = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml\s[^>]{0,400}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,39})["']""")
_WIDE = re.compile(
    r"utf-?_?(16|32)|ucs|utf-?_?7|idna|punycode|escape|base64|hex|rot|bz2|zlib|zip|quopri|uu|ebcdic|cp(037|1026|1140|273|424|500|875)"
)

_SUMMARIES: dict[Cause, str] = {
    Cause.EMPTY: "The file is empty.",
    Cause.HTML: "A web page was received instead of an IATI file.",
    Cause.PDF: "A PDF document was received instead of an IATI file.",
    Cause.ZIP: "A ZIP archive was received; publish the XML file itself.",
    Cause.GZIP: "A gzip file was received; publish the XML file itself, or let the server mark it with Content-Encoding.",
    Cause.JSON: "JSON was received instead of an IATI file.",
    Cause.OTHER_XML: "The file is XML, but its root element is neither iati-activities nor iati-organisations.",
    Cause.TEXT: "The file is text, but not XML.",
    Cause.BINARY: "The file is not text.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a body is not an IATI file."""

    cause: Cause
    summary: str


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the beginning of a body says. `encoding` is a Python codec name; `utf-8-sig`, `utf-16`, `utf-32` mean: with byte-order mark."""

    encoding: str
    initial_contents: str
    refusal: Refusal | None


def charset(encoding: str) -> str:
    """The registered (IANA) name of a codec, for Content-Type."""
    if encoding == "utf-8-sig":
        return "utf-8"
    return encoding.replace("iso8859-", "iso-8859-").replace("cp125", "windows-125").replace("ascii", "us-ascii")


def sniff(data: bytes) -> Sniffed:
    """Encoding, first characters and verdict for a whole body."""
    encoding = detect_encoding(data)
    text = _decode(data[: 4 * HEAD_CHARACTERS], encoding)[:HEAD_CHARACTERS]
    initial = text.replace("\r", "").replace("\n", "").replace("\0", "")[:INITIAL_CHARACTERS]
    return Sniffed(encoding, initial, refusal(data, encoding))


def detect_encoding(data: bytes) -> str:
    """By byte-order mark, then width of the first character, then declaration, then UTF-8 trial; ISO-8859-1 reads whatever is left."""
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return codec
    for start, codec in _WIDTHS:
        if data.startswith(start):
            return codec
    declared = _DECLARED.match(data[:1000])
    if declared is not None:
        name = declared.group(1).decode("ascii").lower()
        try:
            codec = codecs.lookup(name).name
        except LookupError:
            codec = ""
        # A declaration that can be read byte by byte cannot be true when it names a wide or a transforming codec.
        if codec and _WIDE.search(codec) is None:
            return codec
    return "utf-8" if _is_utf8(data) else "iso8859-1"


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    # Piece by piece: as one text, a file of 200 MB could take four times its size.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def refusal(head: bytes, encoding: str | None = None) -> Refusal | None:
    """None when `head` (the beginning of a body, or all of it) starts an IATI file, else the reason it does not."""
    for length in _PROLOG_BYTES:
        cause = _cause(head[:length], encoding)
        if cause is None:
            return None
    return Refusal(cause, _SUMMARIES[cause]) if cause is not None else None


def _cause(head: bytes, encoding: str | None) -> Cause | None:
    if not head or not head.strip(b" \t\r\n\0"):
        return Cause.EMPTY
    if head.startswith(b"\x1f\x8b"):
        return Cause.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Cause.ZIP
    if head.lstrip()[:5] == b"%PDF-":
        return Cause.PDF
    text = _decode(head, encoding or detect_encoding(head)).lstrip(" \t\r\n\ufeff")
    root = root_name(text)
    if root is not None and root.rpartition(":")[2] in _ROOTS:
        return None
    start = text[:2000].lower()
    if not start.strip():
        return Cause.EMPTY
    if (root or "").lower() == "html" or "<html" in start or start.startswith("<!doctype html"):
        return Cause.HTML
    if start[0] in "{[":
        return Cause.JSON
    if sum(character < " " and character not in "\t\r\n\f" for character in start) > 1:
        return Cause.BINARY
    return Cause.OTHER_XML if start[0] == "<" and (root is not None or start.startswith(("<?", "<!"))) else Cause.TEXT


_NAME = re.compile(r"[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?")


def root_name(text: str) -> str | None:
    """The name of the root element, read over declaration, instructions, comments and DOCTYPE; None when there is none in `text`.

    Pulls one token after the other and stops at the first start tag, so that nothing behind it (a missing end, a bad attribute)
    can spoil the answer.
    """
    position = 0
    while True:
        position = _skip_blank(text, position)
        if text.startswith("<?", position):
            end = text.find("?>", position + 2)
            position = end + 2
        elif text.startswith("<!--", position):
            end = text.find("-->", position + 4)
            position = end + 3
        elif text[position : position + 9].upper() == "<!DOCTYPE":
            end = _doctype_end(text, position + 9)
            position = end + 1
        elif text.startswith("<", position):
            name = _NAME.match(text, position + 1)
            if name is None or text[name.end() : name.end() + 1] not in (" ", "\t", "\r", "\n", ">", "/"):
                return None
            return name.group()
        else:
            return None
        if end < 0:
            return None


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _doctype_end(text: str, position: int) -> int:
    """The `>` that closes a DOCTYPE: not one inside quotes, comments or the internal subset. -1 when it does not come."""
    depth = 0
    while position < len(text):
        character = text[position]
        if character in "\"'":
            position = text.find(character, position + 1)
            if position < 0:
                return -1
        elif text.startswith("<!--", position):
            position = text.find("-->", position + 4)
            if position < 0:
                return -1
            position += 2
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
        elif character == ">" and depth <= 0:
            return position
        position += 1
    return -1


def _decode(data: bytes, encoding: str) -> str:
    """`data` as text; bytes cut off in the middle of a character and wrong ones are replaced."""
    return data.decode(encoding, "replace").removeprefix("\ufeff")

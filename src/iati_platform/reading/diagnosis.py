"""Why a file is not well-formed, with the exact place: asked only when the fast way has failed."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from lxml import etree

from iati_platform.reading.intake import place
from iati_platform.reading.nodes import Problem, ProblemCode

_FEED: Final = 1 << 20
_NUL: Final = b"\0"
#: xmlParserErrors: XML_ERR_RESOURCE_LIMIT
_RESOURCE_LIMIT: Final = 114


def diagnose(data: bytes, body: int) -> Problem | None:
    """The first error of a file that begins at `body`; None when expat finds none."""
    try:
        _check_utf8(data)
    except UnicodeDecodeError as error:
        line, column = place(data, error.start)
        message = f"The file is not UTF-8: byte 0x{data[error.start]:02X} at line {line}, column {column}. Save it as UTF-8."
        return Problem(ProblemCode.ENCODING, message, line, column)
    nul = data.find(_NUL)
    if nul >= 0:
        line, column = place(data, nul)
        return Problem(ProblemCode.NOT_WELL_FORMED, "The file holds a NUL byte, which XML does not allow.", line, column)
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    view = memoryview(data)
    try:
        for at in range(body, len(data), _FEED):
            parser.Parse(bytes(view[at : at + _FEED]), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        line, column = _shifted(data, body, error.lineno, error.offset + 1)
        reason = expat.ErrorString(error.code)
        return Problem(ProblemCode.NOT_WELL_FORMED, f"Not well-formed XML at line {line}, column {column}: {reason}.", line, column)
    return None


def from_libxml2(error: etree.XMLSyntaxError, line: int, column: int) -> Problem:
    """A problem that only libxml2 sees (its limits, undeclared prefixes), at a place the caller has worked out."""
    message = re.sub(r", line \d+, column \d+.*\Z", "", error.msg or "", flags=re.DOTALL).strip()
    limited = getattr(error, "code", None) == _RESOURCE_LIMIT
    if limited and "depth" in message:
        return Problem(ProblemCode.TOO_DEEP, "Elements are nested more than 256 levels deep.", line, column)
    if limited:
        return Problem(ProblemCode.TOO_LARGE, "One text, attribute or name is larger than 10 million bytes.", line, column)
    return Problem(ProblemCode.NOT_WELL_FORMED, f"Not well-formed XML at line {line}, column {column}: {message}.", line, column)


def _check_utf8(data: bytes) -> None:
    """Raise UnicodeDecodeError at the first byte that is not UTF-8, without decoding the whole file at once."""
    at = 0
    while at < len(data):
        end = min(at + _FEED, len(data))
        while end < len(data) and end > at and data[end] & 0xC0 == 0x80:
            end -= 1
        if end == at:  # a megabyte of continuation bytes
            end = min(at + _FEED, len(data))
        try:
            data[at:end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnicodeDecodeError("utf-8", data, at + error.start, at + error.end, error.reason) from None
        at = end


def _shifted(data: bytes, body: int, line: int, column: int) -> tuple[int, int]:
    """From a place in the text after the declaration to a place in the file."""
    first_line, first_column = place(data, body)
    return line + first_line - 1, column + first_column - 1 if line == 1 else column

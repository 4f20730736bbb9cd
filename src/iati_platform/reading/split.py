"""Where the records of a file are: an exact scan of the bytes, without building a tree.

In well-formed XML without a document type declaration `<` can only open a tag, a comment, a CDATA section or a processing
instruction. Looking for these in order is exact: nothing inside a comment or a quoted attribute is mistaken for a record.
A scan alone proves nothing about the rest of the file: the caller parses the skeleton and every batch.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from xml.parsers import expat

from iati_platform.standard import FileKind

RECORD_NAMES: Final = {FileKind.ACTIVITIES: b"iati-activity", FileKind.ORGANISATIONS: b"iati-organisation"}
_ROOT: Final = re.compile(rb"""<([^\s<>/"'=]+)(?:[^<"'>]|"[^<"]*"|'[^<']*')*+>""")
_MISC: Final = re.compile(rb"<!--(?:(?!--).)*+-->|<\?.*?\?>", re.DOTALL)
_REST_OF_TAG: Final = re.compile(rb"""(?:[^"'>]|"[^"]*"|'[^']*')*+>""")
_OWN_NAMESPACE: Final = re.compile(rb"[ \t\r\n]xmlns[ \t\r\n]*=")
_NAME_END: Final = (b" ", b"\t", b"\r", b"\n", b"/", b">")
_SECTIONS: Final = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
_CLOSE, _OPEN = 3, 4
_SLASH: Final = 0x2F
_LESS: Final = 0x3C
_TRIES: Final = 64
_FEED: Final = 1 << 20


@dataclass(slots=True)
class Slices:
    """Byte ranges of the records, in order. Packed arrays: a file may hold a million of them."""

    starts: array[int]
    ends: array[int]

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.starts, self.ends, strict=True)


def root_tag(data: bytes, position: int) -> tuple[str, int] | None:
    """Name and end offset of the start tag at `position`; None if there is no complete one."""
    match = _ROOT.match(data, position)
    return (match[1].decode("utf-8", "replace"), match.end()) if match else None


@cache
def _marks(name: bytes) -> re.Pattern[bytes]:
    # Begins with a literal byte and cannot fail slowly: hostile text is scanned in linear time.
    return re.compile(rb"<(?:(!)|(\?)|/" + name + rb"(?=[ \t\r\n>])()|" + name + rb"(?=[ \t\r\n/>])())")


def scan(data: bytes, position: int, name: bytes) -> Slices | None:
    """The outermost elements called `name` after `position`. None when the text is broken or unusual (a record with a default
    namespace of its own): the caller then asks `scan_by_parser`."""
    starts, ends = array("q"), array("q")
    search = _marks(name).search
    depth = 0
    while match := search(data, position):
        at, kind = match.start(), match.lastindex
        if kind in (_OPEN, _CLOSE):
            rest = _REST_OF_TAG.match(data, match.end())
            if rest is None:
                return None
            position = rest.end()
            if kind == _CLOSE:
                depth -= 1
                if depth < 0:
                    return None
            else:
                if data.find(b"xmlns", at, position) >= 0 and _OWN_NAMESPACE.search(data, at, position):
                    return None
                if depth == 0:
                    starts.append(at)
                depth += data[position - 2] != _SLASH
            if depth == 0:
                ends.append(position)
        else:
            opening, closing = next((pair for pair in _SECTIONS if data.startswith(pair[0], at)), (b"", b""))
            found = data.find(closing, at + len(opening)) if opening else -1
            if found < 0:
                return None
            position = found + len(closing)
    return Slices(starts, ends) if depth == 0 else None


def scan_by_parser(data: bytes, body: int, name: bytes) -> Slices:
    """The same by expat, exact for any well-formed file: elements called `name`, in no namespace, directly below the root.
    Raises ExpatError if the file is not well-formed."""
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    starts, ends = array("q"), array("q")
    plain = name.decode("ascii")
    depth = 0
    shift = 0  # bytes fed are those from `body` on
    within = False

    def start(tag: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, within
        depth += 1
        if depth == 2 and tag == plain:
            within = True
            starts.append(parser.CurrentByteIndex + shift)

    def end(_tag: str) -> None:
        nonlocal depth, within
        if depth == 2 and within:
            within = False
            match = _REST_OF_TAG.match(data, starts[-1])
            if match and data[match.end() - 2] != _SLASH:
                match = _REST_OF_TAG.match(data, parser.CurrentByteIndex + shift)
            ends.append(match.end() if match else len(data))
        depth -= 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    shift = body
    view = memoryview(data)
    for at in range(body, len(data), _FEED):
        parser.Parse(bytes(view[at : at + _FEED]), False)
    parser.Parse(b"", True)
    return Slices(starts, ends)


def has_sections(data: bytes, start: int, end: int) -> bool:
    """Whether a comment, CDATA section or processing instruction begins in this range.

    Looking for the rare second character is twenty times as fast as looking for both, as `<` is everywhere."""
    for sign, both in ((b"!", b"<!"), (b"?", b"<?")):
        at = start
        for _ in range(_TRIES):
            at = data.find(sign, at + 1, end)
            if at < 0:
                break
            if data[at - 1] == _LESS:
                return True
        else:
            if data.find(both, at, end) >= 0:
                return True
    return False


def blank_between(data: bytes, start: int, end: int) -> bool:
    """Whether only white space, comments and processing instructions stand between two records."""
    if start == end:
        return True
    gap = data[start:end]
    return gap.isspace() or not _MISC.sub(b"", gap).strip(b" \t\r\n")


def skeleton(data: bytes, position: int, slices: Slices, name: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The file with every run of records replaced by as many empty elements, and the line map: (line in the skeleton, line in the file).

    Each placeholder ends its line, so that every piece of the file between records starts on a line of its own."""
    placeholder = b"<" + name + b"\n/>"
    parts: list[bytes] = []
    here, there, at = 1, data.count(b"\n", 0, position) + 1, position
    lines = [(here, there)]
    for start, end in slices:
        gap = data[at:start]
        if lines[-1][0] != here and not gap.isspace():
            lines.append((here, there))
        parts.append(gap)
        parts.append(placeholder)
        newlines = gap.count(b"\n")
        here += newlines + 1
        there += newlines + data.count(b"\n", start, end)
        at = end
    lines.append((here, there))
    parts.append(data[at:])
    return b"".join(parts), lines

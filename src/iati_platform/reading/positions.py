"""Exact line and column of elements, found in the bytes only when somebody asks: nodes carry an ordinal, not a place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Final, TypeVar

from iati_platform.reading.split import has_sections

Key = TypeVar("Key")

#: Bytes of a record that may be copied to find places in it.
_CUT_WHOLE: Final = 1_000_000
_TAGS: Final = re.compile(
    rb"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|</[^>]*>|(<)(?:[^"'>]|"[^"]*"|'[^']*')*+>""",
    re.DOTALL,
)


def offsets(data: bytes, start: int, end: int, ordinals: Iterable[int]) -> dict[int, int]:
    """Byte offset of the start tag of each wanted element of the record between `start` and `end`."""
    wanted = sorted(set(ordinals))
    if not wanted:
        return {}
    found: dict[int, int] = {}
    if end - start <= _CUT_WHOLE and not has_sections(data, start, end):
        # Nothing but tags: cut at every start tag, so that the lengths of the pieces tell where they are.
        pieces = data[start:end].replace(b"</", b"//").split(b"<", wanted[-1] + 1)
        before = list(accumulate(map(len, pieces)))
        return {ordinal: start + before[ordinal] + ordinal for ordinal in wanted if ordinal < len(pieces) - 1}
    number = 0
    at = 0
    for match in _TAGS.finditer(data, start, end):
        if match.lastindex:
            if number == wanted[at]:
                found[number] = match.start()
                at += 1
                if at == len(wanted):
                    break
            number += 1
    return found


def lines(data: bytes, start: int, line: int, places: dict[Key, int]) -> dict[Key, tuple[int, int]]:
    """Line and column (in characters, from 1) of offsets behind `start`, which is on `line`."""
    result: dict[Key, tuple[int, int]] = {}
    at = start
    for key, position in sorted(places.items(), key=lambda item: item[1]):
        line += data.count(b"\n", at, position)
        at = position
        before = data.rfind(b"\n", 0, position)
        begin = 3 if before < 0 and data.startswith(b"\xef\xbb\xbf") else before + 1
        result[key] = (line, len(data[begin:position].decode("utf-8", "replace")) + 1)
    return result


_ATTRIBUTE: Final = re.compile(rb"""[ \t\r\n]+([^ \t\r\n=/>]+)[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')""")
_NAME: Final = re.compile(rb"<[^ \t\r\n/>]+")


def attribute_offset(data: bytes, position: int, label: str) -> int:
    """Byte offset of the value of the attribute written `label` ("xml:lang") in the start tag at `position`; else that of the tag."""
    wanted = label.encode("utf-8")
    name = _NAME.match(data, position)
    at = name.end() if name else position
    while match := _ATTRIBUTE.match(data, at):
        if match[1] == wanted:
            return match.start(2) + 1
        at = match.end()
    return position

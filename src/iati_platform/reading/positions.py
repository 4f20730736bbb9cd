"""Exact line and column of elements, found in the bytes only when somebody asks: nodes carry an ordinal, not a place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

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


def lines(data: bytes, start: int, line: int, places: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Line and column (in characters, from 1) of offsets behind `start`, which is on `line`."""
    result: dict[int, tuple[int, int]] = {}
    at = start
    for ordinal, position in sorted(places.items(), key=lambda item: item[1]):
        line += data.count(b"\n", at, position)
        at = position
        before = data.rfind(b"\n", 0, position)
        begin = 3 if before < 0 and data.startswith(b"\xef\xbb\xbf") else before + 1
        result[ordinal] = (line, len(data[begin:position].decode("utf-8", "replace")) + 1)
    return result

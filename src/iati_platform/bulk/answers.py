"""Answering with bytes: validators, conditional requests, single ranges, gzip forms, CORS (RFC 9110 §8.8, §13, §14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from isal import isal_zlib

PIECE = 1 << 18
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Content-Length, Content-Range, Accept-Ranges, Content-Encoding",
}


@dataclass(frozen=True, slots=True)
class Representation:
    """Exact bytes to answer with. `pieces(start, stop)` yields them; `etag` is strong and without quotes."""

    etag: str
    modified: int  # seconds since 1970
    size: int
    media_type: str
    pieces: Callable[[int, int], Iterator[bytes]]
    encoding: str | None = None
    varies: bool = False


def accepts_gzip(request: Request) -> bool:
    """Whether gzip is named in Accept-Encoding (or `*`) and not refused with q=0."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameters) is None
    return False


def answer(request: Request, shown: Representation) -> Response:
    """`shown` as this request wants it: 200, 206, 304, 412 or 416; without a body for HEAD."""
    tag = f'"{shown.etag}"'
    headers = {
        **CORS,
        "ETag": tag,
        "Last-Modified": formatdate(shown.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",  # keep it, but ask: a new generation is seen at once
    }
    if shown.varies:
        headers["Vary"] = "Accept-Encoding"
    refused = _precondition(request, tag, shown.modified)
    if refused is not None:
        return Response(status_code=refused, headers=headers)
    headers["Content-Type"] = shown.media_type
    if shown.encoding is not None:
        headers["Content-Encoding"] = shown.encoding
    start, stop, status = 0, shown.size, 200
    wanted = _RANGE.fullmatch(request.headers.get("range", "")) if request.method == "GET" else None
    if wanted is not None and any(wanted.groups()) and _range_applies(request, tag, headers["Last-Modified"]):
        first, last = wanted.groups()
        if first:
            start, stop = int(first), min(int(last) + 1, shown.size) if last else shown.size
        else:
            start = max(0, shown.size - int(last))
        if first and last and int(last) < int(first):
            start, stop = 0, shown.size  # not a valid range: as if it were not there (§14.1.1)
        elif start >= shown.size:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{shown.size}"})
        else:
            status = 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{shown.size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(shown.pieces(start, stop), status, headers=headers)


def _precondition(request: Request, tag: str, modified: int) -> int | None:
    """304 or 412 when a condition says so, in the order of RFC 9110 §13.2.2; None when the request is to be answered."""
    match = request.headers.get("if-match")
    if match is not None and match.strip() != "*" and tag not in [part.strip() for part in match.split(",")]:
        return 412
    none_match = request.headers.get("if-none-match")
    if none_match is not None:
        held = [part.strip().removeprefix("W/") for part in none_match.split(",")]
        return 304 if "*" in held or tag in held else None
    since = _seconds(request.headers.get("if-modified-since"))
    return 304 if since is not None and modified <= since else None


def _range_applies(request: Request, tag: str, modified: str) -> bool:
    condition = request.headers.get("if-range")
    return condition is None or condition.strip() in (tag, modified)


def _seconds(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


# -- where bytes come from -------------------------------------------------------------------------------------------------------


def file_pieces(path: Path) -> Callable[[int, int], Iterator[bytes]]:
    """Pieces of a file, opened now: it stays readable when its generation is removed while a slow client is still reading."""
    file = path.open("rb")

    def pieces(start: int, stop: int) -> Iterator[bytes]:
        return _file_range(file, start, stop)

    return pieces


def _file_range(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while start < stop:
            piece = file.read(min(PIECE, stop - start))
            if not piece:
                return
            start += len(piece)
            yield piece


def byte_pieces(data: bytes) -> Callable[[int, int], Iterator[bytes]]:
    """Pieces of bytes in memory."""

    def pieces(start: int, stop: int) -> Iterator[bytes]:
        for position in range(start, stop, PIECE):
            yield data[position : min(position + PIECE, stop)]

    return pieces


def inflated_pieces(packed: bytes) -> Callable[[int, int], Iterator[bytes]]:
    """Pieces of what a gzip file unpacks to, a quarter of a megabyte in memory at a time."""

    def pieces(start: int, stop: int) -> Iterator[bytes]:
        stream = isal_zlib.decompressobj(wbits=31)
        position, rest = 0, packed
        while position < stop and not stream.eof:
            piece = stream.decompress(rest, PIECE)
            rest = stream.unconsumed_tail
            begin, end = max(start - position, 0), min(stop - position, len(piece))
            position += len(piece)
            if begin < end:
                yield piece[begin:end]
            if not piece and not rest:
                return

    return pieces

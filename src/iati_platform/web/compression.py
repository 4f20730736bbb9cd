"""gzip for text answers. Bytes that are already compressed, ranges and small bodies pass untouched.

A strong ETag names exact bytes, so a compressed answer carries the weak form; callers who ask again with it are understood by rooms
that compare strongly, because both forms are put into `If-None-Match`.
"""

from __future__ import annotations

import re
from typing import Any

from isal import isal_zlib
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TEXT = re.compile(r"(text/|application/(json|xml|javascript|[a-z0-9.-]+\+(json|xml))|image/svg\+xml)", re.IGNORECASE)
SMALLEST = 600
LEVEL = 3
"""isal's highest level: near zlib 6 in size for pages, several times faster."""


class Gzip:
    """ASGI middleware; compresses streaming answers piece by piece."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = _with_both_tags(scope)
        accepts = _accepts_gzip(Headers(scope=scope).get("accept-encoding", ""))
        packing = _Packing(send, accepts, head=scope["method"] == "HEAD")
        await self.app(scope, receive, packing)


class _Packing:
    """The sending side of one answer: decides at the first piece of the body whether to compress, then stays with it."""

    def __init__(self, send: Send, accepts: bool, *, head: bool) -> None:
        self.send = send
        self.accepts = accepts
        self.head = head
        self.start: Message | None = None  # held back until the first piece shows whether compressing is worth it
        self.packer: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            suits = (
                message["status"] not in (204, 206, 304)
                and "content-encoding" not in headers
                and TEXT.match(headers.get("content-type", "")) is not None
            )
            if suits:
                headers.add_vary_header("Accept-Encoding")
            if suits and self.accepts and int(headers.get("content-length", SMALLEST)) >= SMALLEST:
                self.start = message
            else:
                await self.send(message)
            return
        if self.start is not None:
            await self._first(self.start, message)
        elif self.packer is not None:
            await self._next(message.get("body", b""), message.get("more_body", False))
        else:
            await self.send(message)

    async def _first(self, start: Message, message: Message) -> None:
        self.start = None
        body, more = message.get("body", b""), message.get("more_body", False)
        if not more and len(body) < SMALLEST and not self.head:
            await self.send(start)
            await self.send(message)
            return
        headers = MutableHeaders(scope=start)
        headers["Content-Encoding"] = "gzip"
        if "content-length" in headers:
            del headers["content-length"]
        tag = headers.get("etag", "")
        if tag.startswith('"'):
            headers["ETag"] = f"W/{tag}"
        if self.head:  # the same headers as GET would get, and no body
            await self.send(start)
            await self.send(message)
            return
        self.packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 31)
        if not more:
            packed = self.packer.compress(body) + self.packer.flush()
            headers["Content-Length"] = str(len(packed))
            await self.send(start)
            await self.send({"type": "http.response.body", "body": packed, "more_body": False})
            return
        await self.send(start)
        await self._next(body, more)

    async def _next(self, body: bytes, more: bool) -> None:
        piece = self.packer.compress(body)
        if not more:
            piece += self.packer.flush()
        if piece or not more:
            await self.send({"type": "http.response.body", "body": piece, "more_body": more})


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameters)
    return False


def _with_both_tags(scope: Scope) -> Scope:
    header = Headers(scope=scope).get("if-none-match", "")
    if "W/" not in header:
        return scope
    both = ", ".join(dict.fromkeys(form for tag in re.findall(r'(?:W/)?"[^"]*"', header) for form in (tag, tag.removeprefix("W/"))))
    return {
        **scope,
        "headers": [(n, v) for n, v in scope["headers"] if n != b"if-none-match"] + [(b"if-none-match", both.encode("latin-1"))],
    }

"""gzip for text answers. Bytes that are already compressed, ranges and small bodies pass untouched.

A strong ETag names exact bytes, so a compressed answer carries the weak form; callers who ask again with it are understood by rooms
that compare strongly, because both forms are put into `If-None-Match`.
"""

from __future__ import annotations

import re

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
        start: Message | None = None
        packer = None

        async def packed(message: Message) -> None:
            nonlocal start, packer
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                suits = (
                    message["status"] not in (204, 206, 304)
                    and "content-encoding" not in headers
                    and TEXT.match(headers.get("content-type", ""))
                )
                if suits:
                    headers.add_vary_header("Accept-Encoding")
                if not suits or not accepts or int(headers.get("content-length", SMALLEST)) < SMALLEST:
                    await send(message)
                    return
                start = message  # held back until the first piece shows whether this is worth it
                return
            if start is None and packer is None:
                await send(message)
                return
            body, more = message.get("body", b""), message.get("more_body", False)
            if start is not None:
                first, start = start, None
                headers = MutableHeaders(scope=first)
                if not more and len(body) < SMALLEST and scope["method"] != "HEAD":
                    await send(first)
                    await send(message)
                    return
                headers["Content-Encoding"] = "gzip"
                if "content-length" in headers:
                    del headers["content-length"]
                tag = headers.get("etag", "")
                if tag.startswith('"'):
                    headers["ETag"] = f"W/{tag}"
                packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 31)
                if scope["method"] == "HEAD":
                    await send(first)
                    await send(message)
                    return
                if not more:
                    packed_body = packer.compress(body) + packer.flush()
                    headers["Content-Length"] = str(len(packed_body))
                    await send(first)
                    await send({"type": "http.response.body", "body": packed_body, "more_body": False})
                    return
                await send(first)
            if scope["method"] == "HEAD":
                await send(message)
                return
            if packer is None:  # pragma: no cover - the first piece has made one
                return
            piece = packer.compress(body)
            if not more:
                piece += packer.flush()
            if piece or not more:
                await send({"type": "http.response.body", "body": piece, "more_body": more})

        await self.app(scope, receive, packed)


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

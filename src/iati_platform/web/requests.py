"""Request ids and the access log.

The log says what was asked and how it went. It never holds client addresses, cookies, authorisation headers or values of the query:
only the names of query parameters, because values can be tokens or what a person was looking for.
"""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("iati.access")
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z")
"""Ids of callers are kept when they are harmless in logs and pages; anything else is replaced."""


class RequestLog:
    """ASGI middleware: gives every request an id (`X-Request-ID`), binds it to all log lines, writes one access line at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        name = offered if WELL_FORMED.match(offered) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = name
        began, status, sent = time.perf_counter(), 0, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = name
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=name):
            try:
                await self.app(scope, receive, counted)
            finally:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    query=sorted({key for key, _ in parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)}),
                    status=status,
                    bytes=sent,
                    milliseconds=round((time.perf_counter() - began) * 1000, 1),
                )

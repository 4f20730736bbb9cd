"""Limits on what may be sent to us: declared length first, then the bytes as they come."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import formats
from .errors import answer


class BodyTooLarge(HTTPException):
    """Raised where a room reads more bytes than are allowed: its own error handler answers 413 in its own format."""

    def __init__(self, limit: int) -> None:
        # the rest of the body is never read, so the connection cannot be used again
        super().__init__(
            413,
            f"At most {formats.size(limit)} are accepted. Make the file smaller or split it, and send it again.",
            {"Connection": "close"},
        )


class BodyLimit:
    """ASGI middleware: reading a body above `limit` bytes fails with 413 at once when the length was declared, else when it is reached."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        too_long = declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > self.limit)
        taken, started = 0, False

        async def measured() -> Message:
            nonlocal taken
            if too_long:
                raise BodyTooLarge(self.limit)
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > self.limit:
                    raise BodyTooLarge(self.limit)
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, measured, watched)
        except BodyTooLarge as error:  # the room has no handler of its own
            if started:
                raise
            await answer(scope, 413, advice=error.detail, headers=error.headers)(scope, receive, send)

"""Protection of form posts against other sites acting in a visitor's name.

A signed token is kept in a cookie and repeated in a hidden field of every form (`{{ csrf_field() }}`, which must be the first field).
Another site can make the browser send the cookie but cannot read it, so it cannot fill in the field; the signature keeps somebody who
can plant a cookie (a neighbouring subdomain) from choosing its value. Fetch metadata and Origin are checked first: they refuse most
attempts without any token. Rooms with forms wrap their pages: `CsrfGuard(app, secret)`. Pure APIs take no cookies and need none of it.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .cookies import get_cookie, set_cookie
from .errors import answer

COOKIE = "csrf"
FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LOOK_AHEAD = 65_536
"""Bytes of a form searched for the token: it is the first field, so more would only help attackers."""


def load_secret(data_dir: Path) -> bytes:
    """The signing key of this installation, made on first use; readable by the service's own user only."""
    path = data_dir / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:  # a link either makes the whole file visible or fails because another process was first
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes().strip()


def make_token(secret: bytes) -> str:
    nonce = secrets.token_urlsafe(18)
    return f"{nonce}.{_signature(secret, nonce)}"


def _signature(secret: bytes, nonce: str) -> str:
    return hmac.new(secret, b"csrf:" + nonce.encode(), sha256).hexdigest()[:40]


def is_signed(secret: bytes, token: str) -> bool:
    nonce, _, signature = token.partition(".")
    return bool(nonce) and token.isascii() and hmac.compare_digest(signature, _signature(secret, nonce))


def token_of(request: Request) -> str:
    """The token forms on this page must carry; the guard has put it into the request's state."""
    return str(request.scope.get("state", {}).get("csrf_token", ""))


def field(request: Request) -> Markup:
    """The hidden field; must stand first in the form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token_of(request))


class CsrfGuard:
    """ASGI middleware for rooms with forms: unsafe methods need the token of the visitor's cookie in a field or header."""

    def __init__(self, app: ASGIApp, secret: bytes) -> None:
        self.app = app
        self.secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        kept = get_cookie(request, COOKIE) or ""
        known = is_signed(self.secret, kept)
        token = kept if known else make_token(self.secret)
        scope.setdefault("state", {})["csrf_token"] = token
        if scope["method"] not in SAFE_METHODS:
            replay = _Replay(receive)
            given = request.headers.get(HEADER) or await replay.find_token(request.headers)
            if not known or not _same_site(request) or not hmac.compare_digest(given.encode(), token.encode()):
                response = answer(
                    scope,
                    403,
                    "This form could not be accepted",
                    "It was too old, did not come from this site, or cookies are switched off. Go back, reload the page and send it again.",
                )
                await response(scope, receive, send)
                return
            receive = replay
        if known:
            await self.app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                carrier = Response()
                set_cookie(request, carrier, COOKIE, token)
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", carrier.headers["set-cookie"])
                headers["Cache-Control"] = "no-store"  # the page holds this visitor's token
            await send(message)

        await self.app(scope, receive, with_cookie)


def _same_site(request: Request) -> bool:
    """Fetch metadata where the browser sends it, else Origin; neither is decisive alone, both must not speak against it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return origin != "null" and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


class _Replay:
    """Reads the beginning of a body to find the token, then gives the same messages to the application, and the rest as it comes."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.kept: list[Message] = []

    async def __call__(self) -> Message:
        return self.kept.pop(0) if self.kept else await self.receive()

    async def find_token(self, headers: Mapping[str, str]) -> str:
        head = b""
        while len(head) < LOOK_AHEAD:
            message = await self.receive()
            self.kept.append(message)
            head += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        content_type = headers.get("content-type", "").lower()
        if content_type.startswith("application/x-www-form-urlencoded"):
            return parse_qs(head[:LOOK_AHEAD].decode("latin-1")).get(FIELD, [""])[0]
        if content_type.startswith("multipart/form-data"):
            found = re.match(rb'--[^\r\n]+\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n([^\r\n]+)\r\n', head, re.IGNORECASE)
            return found.group(1).decode("latin-1") if found else ""
        return ""

"""What every answer carries and every request must meet, whatever room it belongs to: security headers and the Host check."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import answer

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Set unless a room has set its own (an API with public CORS answers, say)."""

HSTS = "max-age=31536000; includeSubDomains"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PROBES = frozenset({"/health", "/ready", "/metrics"})
"""Answered under any host: orchestrators ask by address, and these answers never repeat the host."""


class SecurityHeaders:
    """ASGI middleware that adds the headers above; HSTS only when the caller came over https."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        await self.app(scope, receive, guarded)


def host_name(header: str) -> str:
    """The name in a Host header without its port, lower case: `[::1]:8000` gives `::1`."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def allowed_hosts(public_url: str | None, hosts: Iterable[str]) -> frozenset[str]:
    """Names this installation answers to: the public address, one name per system from HOSTS, and loopback."""
    public = urlsplit(public_url).hostname if public_url else None
    return LOOPBACK | {host_name(host) for host in hosts} | ({public.lower()} if public else set())


class HostCheck:
    """ASGI middleware: a request for a name that is not ours is answered 400, so that no link or cache entry is made from it."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES and host_name(Headers(scope=scope).get("host", "")) not in self.allowed:
            response = answer(
                scope,
                400,
                "This platform does not answer under that host name",
                "The operator can add it with the settings IATI_PUBLIC_URL or IATI_HOSTS.",
            )
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

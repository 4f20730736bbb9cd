"""Which caller and which address a request really had, when it came through a trusted reverse proxy.

`X-Forwarded-*` is believed only when the peer is in `TRUSTED_PROXIES` (addresses or networks); from anybody else the headers are
ignored, so that nobody can choose the scheme, the host or the address we see.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network


def networks(texts: Sequence[object]) -> tuple[Network, ...]:
    """`10.0.0.0/8`, `192.0.2.7` or `::1` as networks; ValueError names the ill-formed one."""
    return tuple(ip_network(str(text), strict=False) for text in texts)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip().strip("[]"))
    except ValueError:
        return None


class TrustedProxies:
    """ASGI middleware; must be the outermost."""

    def __init__(self, app: ASGIApp, trusted: Sequence[object]) -> None:
        self.app = app
        self.trusted = networks(trusted)

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.trusted and scope.get("client") and self._trusts(scope["client"][0]):
            scope = self._forwarded(scope)
        await self.app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> Scope:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        changed = dict(scope)
        proto = headers.get(b"x-forwarded-proto", "").split(",")[-1].strip().lower()
        if proto in ("http", "https"):
            changed["scheme"] = proto
        host = headers.get(b"x-forwarded-host", "").split(",")[-1].strip()
        if host:
            changed["headers"] = [(n, v) for n, v in scope["headers"] if n != b"host"] + [(b"host", host.encode("latin-1"))]
        # the right-most address that is not one of our own proxies is the last one somebody we trust has seen
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", "").split(",") if hop.strip()]
        outer = next((hop for hop in reversed(hops) if not self._trusts(hop)), None)
        if outer and _address(outer):
            changed["client"] = (outer, 0)
        return changed

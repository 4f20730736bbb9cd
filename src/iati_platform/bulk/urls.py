"""Cleaning registered addresses: blanks, unescaped characters, international host names; http and https only."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna

MAX_LENGTH = 8000
_SAFE = "/%:@!$&'()*+,;=~-._"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Pasted addresses carry blanks, no-break spaces, byte-order marks and zero-width characters at either end.
_EDGES = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
_INSIDE = str.maketrans("", "", "\t\r\n")


class BadUrl(ValueError):
    """An address that cannot be fetched; the message says why, for the publisher."""


def clean_url(raw: str) -> str:
    """`raw` as it can be sent: trimmed, percent-encoded, host in ASCII, no fragment. Raises BadUrl."""
    text = raw.strip(_EDGES).translate(_INSIDE)
    if not text:
        raise BadUrl("No address is registered.")
    if len(text) > MAX_LENGTH:
        raise BadUrl("The address is too long.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl("The address is not well-formed.") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise BadUrl("Only http and https addresses can be fetched.")
    host = _ascii_host(parts.hostname or "")
    if port == 0:
        raise BadUrl("The address is not well-formed.")
    netloc = host if port is None else f"{host}:{port}"
    if "@" in parts.netloc:
        netloc = quote(parts.netloc.rpartition("@")[0], safe=":%") + "@" + netloc
    return urlunsplit((parts.scheme.lower(), netloc, _escape(parts.path) or "/", _escape(parts.query, "?[]"), ""))


def redirect_target(base: str, location: str) -> str:
    """Where `location`, answered by `base`, leads. Raises BadUrl, also when it leaves http(s)."""
    try:
        return clean_url(urljoin(base, location.strip(_EDGES)))
    except BadUrl:
        raise
    except ValueError as error:
        raise BadUrl("The redirect is not well-formed.") from error


def host_of(url: str) -> str:
    """`host:port` that politeness and statistics are counted by; the standard port is written out."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _escape(text: str, more: str = "") -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe=_SAFE + more)


def _ascii_host(host: str) -> str:
    if not host:
        raise BadUrl("The address has no host name.")
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        if re.fullmatch(r"[A-Za-z0-9._~-]+", host) is None:
            raise BadUrl("The host name has characters that are not allowed.")
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadUrl("The host name has characters that are not allowed.") from error

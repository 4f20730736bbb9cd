"""Conditional answers: an ETag made of what a page depends on, checked before any work is done."""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from .platform import Platform

REVALIDATE = "no-cache"
"""Browsers may keep a page but ask before using it: a new generation is seen at once, an old one costs a 304."""


def page_tag(request: Request, platform: Platform, *facts: object) -> str:
    """Weak ETag of a page that depends on the code, the generation, the day, the address, language and format asked for, and `facts`."""
    generation = platform.generation()
    made_of = (
        platform.code_version,
        generation.number if generation else 0,
        platform.today().isoformat(),
        request.url.path,
        request.url.query,
        request.headers.get("accept", ""),
        request.headers.get("accept-language", ""),
        *facts,
    )
    return f'W/"{sha256(repr(made_of).encode()).hexdigest()[:24]}"'


def body_tag(body: bytes) -> str:
    return f'W/"{sha256(body).hexdigest()[:24]}"'


def matches(request: Request, tag: str) -> bool:
    """Weak comparison of `If-None-Match` (RFC 9110 §13.1.2)."""
    header = request.headers.get("if-none-match", "")
    bare = tag.removeprefix("W/")
    return any(part.strip() == "*" or part.strip().removeprefix("W/") == bare for part in header.split(",")) if header else False


def unchanged(request: Request, tag: str) -> Response | None:
    """304 when the reader already has this page, else None."""
    if request.method in ("GET", "HEAD") and matches(request, tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": REVALIDATE})
    return None

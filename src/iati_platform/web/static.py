"""The stylesheet, the small script and the icon, served by us from memory with names that change with their content."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .caching import matches

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
FILES = ("site.css", "site.js", "icon.svg")


@cache
def content(name: str) -> bytes:
    return files(__package__).joinpath("static", name).read_bytes()


@cache
def fingerprint(name: str) -> str:
    return sha256(content(name)).hexdigest()[:12]


def address(name: str) -> str:
    """Address of a static file that may be kept for ever, because a change of content changes it."""
    return f"/static/{name}?v={fingerprint(name)}"


def serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(404)
    tag = f'W/"{fingerprint(name)}"'
    lasting = request.query_params.get("v") == fingerprint(name)
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache"}
    if matches(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content(name), headers=headers, media_type=TYPES[name.rsplit(".", 1)[-1]])


ROUTES = [Route("/static/{name}", serve)]
"""Mounted on every host the platform answers under."""

"""The one way cookies are set: not readable by scripts, not sent across sites, only over https where there is https."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response


def cookie_name(name: str, *, secure: bool) -> str:
    """`__Host-` binds a cookie to this host, to `/` and to https; browsers refuse it on plain http, where the bare name is used."""
    return f"__Host-{name}" if secure else name


def set_cookie(request: Request, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """Set a cookie with all protective flags; `max_age` None ends it with the browser session."""
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_name(name, secure=secure), value, max_age=max_age, path="/", secure=secure, httponly=True, samesite="lax")


def get_cookie(request: Request, name: str) -> str | None:
    return request.cookies.get(cookie_name(name, secure=request.url.scheme == "https"))


def drop_cookie(request: Request, response: Response, name: str) -> None:
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(name, secure=secure), path="/", secure=secure, httponly=True, samesite="lax")

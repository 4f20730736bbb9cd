"""Error answers: a page for people, JSON for machines, never a trace. Both name the request id to quote when asking for help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from markupsafe import escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("iati.web")

TITLES: dict[int, tuple[str, str]] = {
    400: ("This request could not be understood", "Check the address and the parameters."),
    401: ("Please sign in", "This page is only for people who are signed in."),
    403: ("This is not allowed", "You do not have the right to do that, or the form was too old. Go back, reload the page and try again."),
    404: ("There is nothing at this address", "It may have been renamed or removed. Search for it, or start from the front page."),
    405: ("This address does not accept that method", "The documentation says which methods it accepts."),
    406: ("This cannot be given in the format asked for", "Ask for HTML, JSON or CSV."),
    413: ("This upload is too large", "Make the file smaller or split it, and send it again."),
    415: ("This kind of content is not accepted here", "The documentation says which kinds are."),
    422: ("Some values could not be used", "Check the parameters and try again."),
    429: ("Too many requests", "Please wait a moment and try again."),
    500: (
        "Something went wrong on our side",
        "It has been written to the log. Please try again; if it stays, quote the request id to the operator.",
    ),
    503: ("This part is not available at the moment", "Please try again in a minute."),
}


def wants_page(scope: Scope) -> bool:
    """True for a browser: HTML is named in Accept and the address has no machine ending."""
    accept = next((value.decode("latin-1") for name, value in scope.get("headers", []) if name == b"accept"), "")
    return "text/html" in accept and not str(scope.get("path", "")).endswith((".json", ".csv"))


def request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id", ""))


def answer(scope: Scope, status: int, title: str = "", advice: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """An error in the caller's format. The page is plain markup of the same stylesheet, made without templates so that it cannot fail."""
    known_title, known_advice = TITLES.get(status, ("This request could not be answered", "Please try again."))
    title, advice = title or known_title, advice or known_advice
    name = request_id(scope)
    if not wants_page(scope):
        body = {"error": {"status": status, "title": title, "advice": advice, "request_id": name}}
        return Response(
            orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
            status,
            headers={"Cache-Control": "no-store", **(headers or {})},
            media_type="application/json",
        )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · IATI Unified Platform</title><link rel="stylesheet" href="/static/site.css"></head>
<body class="plain"><header class="top"><div class="inner"><a class="brand" href="/">IATI Unified Platform</a></div></header>
<main id="content"><div class="empty"><p class="number">{status}</p><h1>{escape(title)}</h1><p>{escape(advice)}</p>
<form class="search" action="/search" role="search"><label class="hidden" for="q">Search</label>
<input id="q" name="q" type="search" placeholder="Search organisations, datasets, activities"><button>Search</button></form>
<p><a href="/">Front page</a></p><p class="note">Request id <code>{escape(name)}</code></p></div></main></body></html>
"""
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store", **(headers or {})})


def http_error(request: Request, error: Exception) -> Response:
    """Exception handler for Starlette and FastAPI applications of ours: `exception_handlers={HTTPException: http_error}`."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    # Starlette fills in the standard phrase when nothing was said; only words of ours are worth showing
    said = "" if error.detail in ("Not Found", "Method Not Allowed", "Bad Request", "Forbidden") else str(error.detail)
    return answer(request.scope, error.status_code, "", said, error.headers)


ErrorHandler = Callable[[Request, Exception], Response | Awaitable[Response]]
HANDLERS: dict[int | type[Exception], ErrorHandler] = {HTTPException: http_error}


class LastResort:
    """ASGI middleware: an exception nobody caught becomes a logged error and a 500 without a trace.

    Frameworks answer 500 in their own words and then raise again; such an answer is held back until it is clear whether an exception
    follows, and replaced by ours when it does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        held: list[Message] = []

        async def watched(message: Message) -> None:
            nonlocal started
            if not started and (held or (message["type"] == "http.response.start" and message["status"] == 500)):
                held.append(message)
                return
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            if started:  # half an answer is out: breaking the connection is the only honest signal left
                raise
            await answer(scope, 500)(scope, receive, send)
            return
        for message in held:
            await send(message)

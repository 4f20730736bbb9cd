"""What every answer carries and every request must meet, over real applications in this process."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from iati_platform.settings import load_settings
from iati_platform.web.errors import HANDLERS
from iati_platform.web.metrics import exposition
from iati_platform.web.protection import protected
from tests.web.platforms import calling


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def broken(_: Request) -> Response:
    raise ValueError("the secret is 4711")


def seen(request: Request) -> Response:
    client = request.client.host if request.client else "nobody"
    return PlainTextResponse(f"{request.url.scheme} {request.url.hostname} {client}")


async def pieces(_: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"water and sanitation " * 40

    return StreamingResponse(body(), media_type="text/csv")


def tagged(request: Request) -> Response:
    if request.headers.get("if-none-match", "").find('"v1"') >= 0:
        return Response(status_code=304, headers={"ETag": '"v1"'})
    return Response(b'{"a": "' + b"x" * 5000 + b'"}', headers={"ETag": '"v1"'}, media_type="application/json")


def packed(_: Request) -> Response:
    return Response(b"PK" + bytes(5000), media_type="application/zip")


def fast() -> FastAPI:
    app = FastAPI()

    @app.post("/take")
    async def take(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return app


ROUTES = [
    Route("/echo", echo, methods=["GET", "POST"]),
    Route("/broken", broken),
    Route("/seen", seen),
    Route("/pieces", pieces),
    Route("/tagged", tagged),
    Route("/packed", packed),
    Route("/metrics", exposition),
    Mount("/validator", fast()),
]


def guarded(folder: Path, **settings: str) -> ASGIApp:
    loaded = load_settings({f"IATI_{name}": value for name, value in settings.items()}, folder)
    return protected(Starlette(routes=ROUTES, exception_handlers=HANDLERS), loaded)


def get(
    app: ASGIApp, path: str, *, method: str = "GET", base: str = "http://localhost", client: str = "203.0.113.9", **options: object
) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with calling(app, base, client) as session:
            return await session.request(method, path, **options)  # type: ignore[arg-type]

    return anyio.run(ask)


HTML = {"Accept": "text/html"}


def test_every_answer_carries_the_protective_headers(tmp_path: Path) -> None:
    answer = get(guarded(tmp_path), "/echo")
    assert answer.text == "0"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "strict-transport-security" not in answer.headers


def test_browsers_are_told_to_stay_on_https_only_over_https(tmp_path: Path) -> None:
    answer = get(guarded(tmp_path), "/echo", base="https://localhost")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("data.example.org", 200), ("DATA.example.org", 200),
        ("validator.example.org", 200), ("evil.example", 400), ("data.example.org.evil.example", 400), ("[", 400),
    ],
)  # fmt: skip
def test_only_our_own_host_names_are_answered(tmp_path: Path, host: str, status: int) -> None:
    app = guarded(tmp_path, PUBLIC_URL="https://data.example.org", HOSTS='{"validator": "validator.example.org"}')
    assert get(app, "/echo", headers={"Host": host}).status_code == status


def test_probes_are_answered_under_any_host_because_orchestrators_ask_by_address(tmp_path: Path) -> None:
    assert get(guarded(tmp_path), "/metrics", headers={"Host": "10.0.0.3"}).status_code == 200


def test_a_well_formed_request_id_is_kept_and_any_other_replaced(tmp_path: Path) -> None:
    app = guarded(tmp_path)
    assert get(app, "/echo", headers={"X-Request-ID": "trace-0123456789"}).headers["x-request-id"] == "trace-0123456789"
    made = get(app, "/echo", headers={"X-Request-ID": "<script>"}).headers["x-request-id"]
    assert len(made) == 16
    assert made.isalnum()


def test_an_exception_becomes_a_page_without_a_trace_and_a_log_line_with_one(tmp_path: Path) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        answer = get(guarded(tmp_path), "/broken", headers={**HTML, "X-Request-ID": "trace-0123456789"})
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "trace-0123456789" in answer.text
    assert "4711" not in answer.text
    assert "Traceback" not in answer.text
    assert [line["event"] for line in lines] == ["request failed", "request"]
    assert lines[0]["exc_info"]


def test_machines_get_errors_as_json(tmp_path: Path) -> None:
    answer = get(guarded(tmp_path), "/nothing", headers={"X-Request-ID": "trace-0123456789"})
    assert answer.json() == {
        "error": {
            "status": 404,
            "title": "There is nothing at this address",
            "advice": "It may have been renamed or removed. Search for it, or start from the front page.",
            "request_id": "trace-0123456789",
        }
    }
    page = get(guarded(tmp_path), "/nothing", headers=HTML)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing at this address" in page.text


def test_the_log_holds_no_addresses_tokens_or_searched_words(tmp_path: Path) -> None:
    structlog.reset_defaults()
    headers = {"Authorization": "Bearer hush-token", "Cookie": "session=hush-cookie", "X-Request-ID": "trace-0123456789"}
    with capture_logs() as lines:
        get(guarded(tmp_path), "/echo?token=hush-query&q=hush-word", headers=headers)
    (line,) = lines
    assert {key: line[key] for key in ("event", "method", "path", "query", "status", "bytes")} == {
        "event": "request",
        "method": "GET",
        "path": "/echo",
        "query": ["q", "token"],
        "status": 200,
        "bytes": 1,
    }
    assert "hush" not in str(lines)
    assert "203.0.113.9" not in str(lines)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_above_the_limit_is_refused_in_the_callers_format(tmp_path: Path, declared: bool) -> None:
    app = guarded(tmp_path, MAX_UPLOAD="1000")

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    def body() -> bytes | AsyncIterator[bytes]:
        return b"x" * 2000 if declared else parts()

    machine = get(app, "/echo", method="POST", content=body())
    assert machine.status_code == 413
    assert machine.json()["error"]["advice"] == "At most 1.00 kB are accepted. Make the file smaller or split it, and send it again."
    assert machine.headers["connection"] == "close"
    person = get(app, "/echo", method="POST", content=body(), headers=HTML)
    assert person.status_code == 413
    assert "This upload is too large" in person.text
    room = get(app, "/validator/take", method="POST", content=body())  # a room with a format of its own answers in it
    assert (room.status_code, list(room.json())) == (413, ["detail"])
    assert get(app, "/echo", method="POST", content=b"x" * 1000).text == "1000"


def test_text_is_compressed_and_what_is_compressed_already_is_not(tmp_path: Path) -> None:
    app = guarded(tmp_path)
    streamed = get(app, "/pieces", headers={"Accept-Encoding": "gzip"})
    assert streamed.headers["content-encoding"] == "gzip"
    assert streamed.content == b"water and sanitation " * 2000
    assert "content-encoding" not in get(app, "/pieces", headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert "content-encoding" not in get(app, "/packed", headers={"Accept-Encoding": "gzip"}).headers
    assert "content-encoding" not in get(app, "/echo", headers={"Accept-Encoding": "gzip"}).headers
    assert "Accept-Encoding" in streamed.headers["vary"]


def test_a_compressed_answer_has_a_weak_tag_that_still_brings_a_304(tmp_path: Path) -> None:
    app = guarded(tmp_path)
    plain = get(app, "/tagged", headers={"Accept-Encoding": "identity"})
    small = get(app, "/tagged", headers={"Accept-Encoding": "gzip"})
    assert (plain.headers["etag"], small.headers["etag"]) == ('"v1"', 'W/"v1"')
    assert plain.content == small.content
    head = get(app, "/tagged", method="HEAD", headers={"Accept-Encoding": "gzip"})
    assert (head.headers["etag"], head.headers["content-encoding"], head.content) == ('W/"v1"', "gzip", b"")
    assert get(app, "/tagged", headers={"If-None-Match": 'W/"v1"'}).status_code == 304
    assert gzip.compress(plain.content) != plain.content


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("10.0.0.9", "https data.example.org 198.51.100.7"), ("203.0.113.9", "http localhost 203.0.113.9")],
)
def test_forwarded_headers_are_believed_from_trusted_proxies_only(tmp_path: Path, peer: str, expected: str) -> None:
    app = guarded(tmp_path, TRUSTED_PROXIES="10.0.0.0/8", PUBLIC_URL="https://data.example.org")
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "data.example.org",
        "X-Forwarded-For": "192.0.2.66, 198.51.100.7, 10.0.0.4",
    }
    assert get(app, "/seen", headers=headers, client=peer).text == expected


def test_requests_are_counted_by_system_and_status(tmp_path: Path) -> None:
    app = guarded(tmp_path)

    def counted() -> float:
        lines = get(app, "/metrics").text.splitlines()
        name = 'iati_http_requests_total{method="POST",status="200",system="validator"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before = counted()
    get(app, "/validator/take", method="POST", content=b"1")
    assert counted() == before + 1
    assert 'iati_http_request_duration_seconds_bucket{le="0.1",system="validator"}' in get(app, "/metrics").text

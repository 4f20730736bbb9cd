"""Form posts from other sites are refused; our own are not."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from iati_platform.web import csrf
from iati_platform.web.cookies import drop_cookie, get_cookie, set_cookie
from tests.web.platforms import calling

SECRET = b"0123456789abcdef"


def form(request: Request) -> Response:
    return HTMLResponse(f"<form method=post>{csrf.field(request)}</form>")


async def save(request: Request) -> Response:
    fields = await request.form()
    return PlainTextResponse(",".join(f"{key}={getattr(value, 'filename', value)}" for key, value in fields.items() if key != csrf.FIELD))


APP = csrf.CsrfGuard(Starlette(routes=[Route("/form", form), Route("/form", save, methods=["POST"])]), SECRET)


def story(*steps: tuple[str, dict[str, object]], base: str = "http://localhost") -> list[httpx.Response]:
    """One visitor's requests in order; `TOKEN` in a form value stands for the token of the last page."""

    async def run() -> list[httpx.Response]:
        answers: list[httpx.Response] = []
        token = ""
        async with calling(APP, base) as session:
            for method, options in steps:
                data = options.get("data")
                if isinstance(data, dict):
                    options = {**options, "data": {key: token if value == "TOKEN" else value for key, value in data.items()}}
                headers = options.get("headers")
                if isinstance(headers, dict):
                    options = {**options, "headers": {key: token if value == "TOKEN" else value for key, value in headers.items()}}
                answer = await session.request(method, "/form", **options)  # type: ignore[arg-type]
                if 'name="csrf_token"' in answer.text:
                    token = answer.text.split('value="')[1].split('"')[0]
                answers.append(answer)
        return answers

    return anyio.run(run)


def test_our_own_form_is_accepted_as_fields_and_as_upload() -> None:
    _, fields, upload = story(
        ("GET", {}),
        (
            "POST",
            {"data": {"csrf_token": "TOKEN", "name": "Wells"}, "headers": {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}},
        ),
        ("POST", {"data": {"csrf_token": "TOKEN"}, "files": {"file": ("a.xml", b"<a/>" * 50_000)}}),
    )
    assert (fields.status_code, fields.text) == (200, "name=Wells")
    assert (upload.status_code, upload.text) == (200, "file=a.xml")


def test_a_script_of_ours_sends_the_token_as_a_header() -> None:
    assert story(("GET", {}), ("POST", {"data": {"name": "Wells"}, "headers": {"X-CSRF-Token": "TOKEN"}}))[1].text == "name=Wells"


@pytest.mark.parametrize(
    "options",
    [
        {"data": {"name": "Wells"}},
        {"data": {"csrf_token": "forged.0000", "name": "Wells"}},
        {"data": {"csrf_token": "TOKEN"}, "headers": {"Origin": "https://evil.example"}},
        {"data": {"csrf_token": "TOKEN"}, "headers": {"Origin": "null"}},
        {"data": {"csrf_token": "TOKEN"}, "headers": {"Sec-Fetch-Site": "cross-site"}},
        {"content": b'{"csrf_token": "x"}', "headers": {"Content-Type": "text/plain"}},
    ],
)
def test_anything_else_is_refused(options: dict[str, object]) -> None:
    answer = story(("GET", {}), ("POST", options))[1]
    assert (answer.status_code, answer.json()["error"]["title"]) == (403, "This form could not be accepted")


def test_a_post_without_any_visit_is_refused_even_with_a_token_planted_by_a_neighbour() -> None:
    planted = {"data": {"csrf_token": "a.b"}, "headers": {"Cookie": "csrf=a.b"}}
    assert story(("POST", planted))[0].status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    plain = story(("GET", {}))[0].headers
    assert plain["set-cookie"].split("; ")[1:] == ["HttpOnly", "Path=/", "SameSite=lax"]
    assert plain["cache-control"] == "no-store"
    secure = story(("GET", {}), base="https://localhost")[0].headers["set-cookie"]
    assert secure.startswith("__Host-csrf=")
    assert secure.endswith("; HttpOnly; Path=/; SameSite=lax; Secure")


def test_cookies_are_set_read_and_dropped_the_same_way() -> None:
    request = Request(
        {"type": "http", "scheme": "https", "server": ("localhost", 443), "path": "/", "headers": [(b"cookie", b"__Host-session=s1")]}
    )
    assert get_cookie(request, "session") == "s1"
    response = Response()
    set_cookie(request, response, "session", "s2", max_age=60)
    drop_cookie(request, response, "old")
    assert response.headers.getlist("set-cookie") == [
        "__Host-session=s2; HttpOnly; Max-Age=60; Path=/; SameSite=lax; Secure",
        response.headers.getlist("set-cookie")[1],
    ]
    assert "Max-Age=0; Path=/; SameSite=lax; Secure" in response.headers.getlist("set-cookie")[1]


def test_the_secret_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    first = csrf.load_secret(tmp_path / "data")
    assert csrf.load_secret(tmp_path / "data") == first
    assert len(first) == 64
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]

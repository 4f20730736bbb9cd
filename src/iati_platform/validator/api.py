"""The Validator over HTTP: validate what is posted, give the stored report of a dataset. Paths and bodies as the spec's §(a) and §(b)."""

from __future__ import annotations

from typing import Any, Final

import orjson
from fastapi import FastAPI, Query, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from iati_platform import __version__
from iati_platform.validator import service, shapes
from iati_platform.validator.service import validate
from iati_platform.web.platform import Platform

_MEBIBYTE: Final = 1024 * 1024
_FALSE: Final = ("false", "False")
_TRUE: Final = ("true", "True")


def create_app(platform: Platform) -> FastAPI:
    """The application mounted at `/validator`; every path also answers under `/api` as behind the public gateway."""
    app = FastAPI(
        title="IATI Validator",
        version=__version__,
        description="Checks IATI files against the Standard: well-formedness, schema, codelists, rules.",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]

    async def post_validate(
        request: Request,
        group: str = Query("true", description="`false`: a flat list of findings instead of groups by activity and category"),
        details: str = Query("false", description="`true`: with what each finding rests on"),
        meta: str = Query("false", description="`true`: with the list of activities and their verdicts"),
        mode: str = Query("strict", description="`strict` is the only mode so far"),
    ) -> Response:
        """Validate the file in the body. 200 valid, 422 not valid IATI, 400 not XML or no body, 413 too large; the body is the report."""
        if mode != "strict":
            return _json({"error": f"Unknown mode {mode!r}. Use strict."}, 400)
        limit = platform.settings.max_upload
        body = await _body(request, limit)
        if body is None:
            return _json({"error": f"The file is larger than {limit / _MEBIBYTE:g} MiB, the most that is accepted here."}, 413)
        problem = _unusable(request, body)
        if problem:
            return _json({"error": problem}, 400)

        def work() -> Response:
            report = validate(body, as_of=platform.today(), publishers=service.publishers(platform))
            shape = shapes.to_api(report, group=group not in _FALSE, details=details in _TRUE, meta=meta in _TRUE)
            return _json(shape, shapes.status(report))

        return await run_in_threadpool(work)

    def get_existing(
        id: str | None = Query(None, description="Dataset id"),  # noqa: A002 - the parameter's published name
        hash: str | None = Query(None, description="Hash of the content"),  # noqa: A002
        url: str | None = Query(None, description="Registered address"),
        name: str | None = Query(None, description="Short name of the dataset"),
        testfile: str | None = Query(None, description="File of a workspace"),
        showerrors: str = Query("true", description="`false`: the summary only"),
    ) -> Response:
        """The stored report of a registered dataset, found by id, hash, url or name (in this order)."""
        asked = {"id": id, "hash": hash, "url": url, "name": name}
        key = next((key for key, value in asked.items() if value), None)
        if key is None:
            if testfile:
                return _json({"client_error": "There is no file of a workspace with this id."}, 404)
            return _json({"client_error": "Say which report you want: give id, hash, url or name."}, 422)
        found = service.find_report(platform, key, str(asked[key]))
        if found is None:
            return _json({"client_error": f"There is no dataset with this {key}."}, 404)
        if found.report is None:
            return _json({"client_error": "The dataset has not been validated yet. Try again after the next update."}, 404)
        report = shapes.short(found.report) if showerrors.lower() == "false" else shapes.to_api(found.report)
        return _json(
            {
                "registry_hash": found.content_hash,
                "registry_id": found.dataset_id,
                "registry_name": found.name,
                "document_url": found.url,
                "valid": found.report.valid,
                "report": report,
            }
        )

    def get_version() -> PlainTextResponse:
        """The version of this software."""
        return PlainTextResponse(__version__)

    def get_front() -> Response:
        """What answers here."""
        return _json(
            {
                "name": "IATI Validator",
                "version": __version__,
                "validate": "POST validate",
                "report": "GET report?id=|hash=|url=|name=",
            }
        )

    accepts = {"requestBody": {"content": {"application/xml": {"schema": {"type": "string"}}}, "required": True}}
    for path in ("/validate", "/api/pub/validate", "/pub/validate"):
        app.add_api_route(path, post_validate, methods=["POST"], openapi_extra=accepts, include_in_schema=path == "/validate")
    for path in ("/report", "/api/pub/validation/existing", "/pub/validation/existing"):
        app.add_api_route(path, get_existing, methods=["GET"], include_in_schema=path == "/report")
    app.add_api_route("/api/pub/version", get_version, methods=["GET"])
    app.add_api_route("/", get_front, methods=["GET"])
    return app


def _unusable(request: Request, body: bytes) -> str | None:
    """Why a body cannot be a file at all."""
    if not body.strip() or body.strip() == b"{}":
        return "No body"
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(content, str):
            return "Body must be an application/xml string"
    return None


async def _body(request: Request, limit: int) -> bytes | None:
    """The posted bytes, None if there are more than `limit`."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return _json({"error": error.detail}, error.status_code, error.headers)


def _json(content: Any, status: int = 200, headers: Any = None) -> Response:
    return Response(orjson.dumps(content), status, headers=headers, media_type="application/json")

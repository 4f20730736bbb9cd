"""The Datastore over HTTP: `/{activity|transaction|budget}/select`, in the shapes of the peer (spec/datastore.md §2-4).

Reads the search index of the current generation and changes to the next one when it is there. Searches run in the thread pool.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from time import perf_counter
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from iati_platform import __version__
from iati_platform.datastore.answers import Parameters, csv_answer, error_answer, json_answer, last, xml_answer
from iati_platform.datastore.fields import Collection
from iati_platform.datastore.originals import add_originals
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.select import read_request, select
from iati_platform.web.platform import Platform

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Ocp-Apim-Subscription-Key, Content-Type",
    "Access-Control-Expose-Headers": "ETag",
}
JSON: Final = "application/json;charset=utf-8"
CSV: Final = "text/plain;charset=utf-8"
XML: Final = "application/xml;charset=utf-8"
_FORM: Final = "application/x-www-form-urlencoded"
_DESCRIPTION: Final = (
    "Search published IATI activities, transactions and budgets in the Solr query language. Parameters: `q`, `fq` (repeatable), `q.op`, "
    "`df`, `fl`, `sort`, `start`, `rows` (up to 1,000), `wt` (`json`, `csv`, `xml`), `csv.*`, `indent`, `omitHeader`, and our own `scope` "
    "(`admitted`, `all`, `held-back`). Unknown parameters are ignored."
)


class Readers:
    """The open index of the current generation; an empty platform has an empty one."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = Lock()
        self._number: int | None = None
        self._reader: IndexReader | None = None

    def current(self) -> tuple[int, IndexReader]:
        """Generation number (0: none yet) and its reader."""
        generation = self._platform.generation()
        number = generation.number if generation else 0
        with self._lock:
            if self._reader is None or number != self._number:
                self._reader = IndexReader(generation.path / "search" if generation else Path(gettempdir()) / "no-generation-yet")
                self._number = number
            return number, self._reader


def create_app(platform: Platform) -> FastAPI:
    """The sub-application that is mounted at `/datastore`."""
    app = FastAPI(
        title="Datastore",
        version=__version__,
        summary="Search activities, transactions and budgets",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        exception_handlers={HTTPException: _not_here},
    )
    readers = Readers(platform)
    for collection in Collection:
        path = f"/{collection.value}/select"
        endpoint = _select(platform, readers, collection)
        app.add_api_route(path, endpoint, methods=["GET"], summary=f"Search the {collection.value} collection")
        app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        app.add_api_route(path, _posted(platform, readers, collection), methods=["POST"], summary="The same with the parameters as a form")
        app.add_api_route(path, _preflight, methods=["OPTIONS"], include_in_schema=False)
    return app


def _select(platform: Platform, readers: Readers, collection: Collection) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        return answer(platform, readers, collection, request.query_params.multi_items())

    return endpoint


def _posted(platform: Platform, readers: Readers, collection: Collection) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        parameters = request.query_params.multi_items()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in (_FORM, ""):
            return Response(error_answer(parameters, 415, f"Send the parameters as {_FORM}."), 415, CORS, JSON)
        form = await request.form()
        parameters = [*parameters, *((name, value) for name, value in form.multi_items() if isinstance(value, str))]
        return await run_in_threadpool(answer, platform, readers, collection, parameters)

    return endpoint


def _preflight() -> Response:
    return Response(None, 204, {**CORS, "Access-Control-Max-Age": "86400"})


def answer(platform: Platform, readers: Readers, collection: Collection, parameters: Parameters) -> Response:
    """One select request, from its parameters to its bytes."""
    started = perf_counter()
    try:
        number, reader = readers.current()
        request = read_request(collection, parameters, datetime.now(UTC))
        result = select(reader, request)
        if collection is Collection.ACTIVITY and (request.fields.wants("iati_xml") and request.fields.explicit):
            add_originals(platform.contents, result)
        spent = round((perf_counter() - started) * 1000)
        headers = {**CORS, "X-Generation": str(number)}
        match (last(parameters, "wt") or "json").lower():
            case "csv":
                return Response(csv_answer(parameters, request, result), 200, headers, CSV)
            case "xml":
                return Response(xml_answer(parameters, request, result, spent), 200, headers, XML)
            case "json":
                return Response(json_answer(parameters, request, result, spent), 200, headers, JSON)
            case other:
                raise QueryError(f"wt={other} is not available: use json, csv or xml.")
    except QueryError as error:
        spent = round((perf_counter() - started) * 1000)
        return Response(error_answer(parameters, 400, str(error), spent), 400, CORS, JSON)


async def _not_here(request: Request, error: Exception) -> Response:
    """Unknown operations and methods, in the envelope clients read."""
    code = error.status_code if isinstance(error, HTTPException) else 500
    message = (
        "There is no such operation: use /activity/select, /transaction/select or /budget/select."
        if code == 404
        else "This is not possible here."
    )
    return Response(error_answer(request.query_params.multi_items(), code, message), code, CORS, JSON)

"""The Bulk Data Service over HTTP (§1): everything that the current generation publishes, read only.

Answers come from the generation's `bulk/` directory and from the content store, never from the records: indices, ZIPs and copies
always belong together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from iati_platform import __version__
from iati_platform.bulk import pages
from iati_platform.bulk.answers import CORS, Representation, accepts_gzip, answer, byte_pieces, file_pieces, inflated_pieces
from iati_platform.bulk.archive import single_member_zip
from iati_platform.bulk.notes import Published, PublishedCopy, PublishedFile, packed_etag
from iati_platform.bulk.sniff import charset
from iati_platform.storage.content import ContentMissing
from iati_platform.web import errors
from iati_platform.web.platform import Platform

_METHODS = ["GET", "HEAD"]

# Published path -> file in the generation's directory, and what to say about it in the API description.
INDICES: dict[str, tuple[str, str]] = {
    "/datasets-minimal": ("datasets-minimal", "Every dataset with the addresses and hashes of its last known good copy"),
    "/datasets-full": ("datasets-full", "Every dataset with everything known about its file and the latest attempts to fetch it"),
    "/reporting-orgs": ("reporting-orgs", "The reporting organisations that have datasets here"),
    "/indices-meta": ("indices-meta", "When each index and the ZIPs were made"),
    "/dataset-index-minimal.json": ("dataset-index-minimal.json", "The minimal index in its first form (deprecated)"),
    "/dataset-index-full.json": ("dataset-index-full.json", "The full index in its first form (deprecated)"),
}
ZIPS: dict[str, tuple[str, str]] = {
    "/iati-data.zip": ("iati-data.zip", "All good copies with the indices"),
    "/code-for-iati-data-download.zip": ("code-for-iati-data-download.zip", "All registered datasets in the layout that iatikit reads"),
}


class Shelf:
    """The published files of the generation that is current, read once per generation."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._number: int | None = None
        self._published: Published | None = None

    def current(self) -> Published | None:
        """None before the first generation."""
        generation = self._platform.generation()
        if generation is None:
            return None
        with self._lock:
            if self._published is None or generation.number != self._number:
                self._published = Published(generation.path / "bulk")
                self._number = generation.number
            return self._published

    def open(self) -> Published:
        """As `current`, but answers 503 when there is nothing yet."""
        published = self.current()
        if published is None:
            raise HTTPException(503, "Nothing has been published yet. Please try again in a few minutes.", {"Retry-After": "60", **CORS})
        return published


def create_app(platform: Platform) -> FastAPI:
    """The sub-application that is mounted at `/bulk-data`."""
    app = FastAPI(
        title="Bulk Data Service",
        version=__version__,
        summary="Copies of every registered IATI file, indices and ZIPs",
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: _error},
    )
    shelf = Shelf(platform)
    pages.add_pages(app, platform, shelf.current)
    for path, (name, summary) in {**INDICES, **ZIPS}.items():
        _add_route(app, path, _file_route(shelf, name), summary)

    def copy_xml(request: Request, organisation: str, dataset: str) -> Response:
        copy = _copy(shelf, organisation, dataset)
        return answer(request, _xml(request, platform, copy))

    def copy_zip(request: Request, organisation: str, dataset: str) -> Response:
        copy = _copy(shelf, organisation, dataset)
        return answer(request, _zip(platform, copy, dataset))

    _add_route(app, "/{organisation}/{dataset}.xml", copy_xml, "The last good copy of one dataset, byte for byte")
    _add_route(app, "/{organisation}/{dataset}.zip", copy_zip, "The last good copy of one dataset in a ZIP of one file")

    @app.options("/{path:path}", include_in_schema=False)
    def preflight(path: str) -> Response:
        allowed = {
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Max-Age": "86400",
        }
        return Response(status_code=204, headers=CORS | allowed)

    @app.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    def nothing_here(request: Request, path: str) -> Response:
        return pages.not_found(request)

    return app


async def _error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 404:
        return pages.not_found(request)
    return errors.http_error(request, error)


def _add_route(app: FastAPI, path: str, endpoint: Callable[..., Response], summary: str) -> None:
    """GET and HEAD; the description shows GET only, since an operation's id must be its own."""
    app.add_api_route(path, endpoint, methods=["GET"], summary=summary, response_class=Response)
    app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


def _file_route(shelf: Shelf, name: str) -> Callable[[Request], Response]:
    def published_file(request: Request) -> Response:
        published = shelf.open()
        return answer(request, _file(request, published, published.files[name]))

    return published_file


def _file(request: Request, published: Published, file: PublishedFile) -> Representation:
    if file.packed is None:
        return Representation(file.etag, published.created, file.size, file.media_type, file_pieces(published.directory / file.name))
    # A range is always of the plain form: it is what the sizes in the indices are about.
    if accepts_gzip(request) and "range" not in request.headers:
        pieces = file_pieces(published.directory / file.packed)
        return Representation(packed_etag(file.etag), published.created, file.packed_size, file.media_type, pieces, "gzip", varies=True)
    pieces = file_pieces(published.directory / file.name)
    return Representation(file.etag, published.created, file.size, file.media_type, pieces, varies=True)


def _copy(shelf: Shelf, organisation: str, dataset: str) -> PublishedCopy:
    copy = shelf.open().copy(organisation, dataset)
    if copy is None:
        raise HTTPException(404)
    return copy


def _xml(request: Request, platform: Platform, copy: PublishedCopy) -> Representation:
    packed = _stored(platform, copy)
    media_type = f"application/xml; charset={charset(copy.encoding)}"
    if accepts_gzip(request) and "range" not in request.headers:
        pieces = byte_pieces(packed)
        return Representation(packed_etag(copy.sha256), copy.modified, len(packed), media_type, pieces, "gzip", varies=True)
    return Representation(copy.sha256, copy.modified, copy.size, media_type, inflated_pieces(packed), varies=True)


def _zip(platform: Platform, copy: PublishedCopy, dataset: str) -> Representation:
    try:
        member = platform.contents.member(copy.sha256)
    except ContentMissing:
        raise HTTPException(404) from None
    archive = single_member_zip(f"{dataset}.xml", member, copy.crc32, copy.size)
    return Representation(copy.zip_etag, copy.modified, len(archive), "application/zip", byte_pieces(archive))


def _stored(platform: Platform, copy: PublishedCopy) -> bytes:
    try:
        return platform.contents.gzip_bytes(copy.sha256)
    except ContentMissing:
        raise HTTPException(404) from None


__all__ = ["INDICES", "ZIPS", "create_app"]

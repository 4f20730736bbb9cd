"""The fetcher that a platform uses: datasets of a folder source are read from it, all others are fetched over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.curl import CurlFetcher
from iati_platform.bulk.exchange import Fetcher, FetchLimits, FetchRequest, FetchResult, OnResult
from iati_platform.bulk.folder import FolderFetcher
from iati_platform.settings import Settings


class SourceFetcher:
    """Hands each request to the fetcher that can answer it: folders first (they are quick), then the network."""

    def __init__(self, folder: Fetcher, network: Fetcher) -> None:
        self._folder = folder
        self._network = network

    def run(self, requests: Iterable[FetchRequest], on_result: OnResult, stop: Callable[[], bool] | None = None) -> None:
        local: list[FetchRequest] = []
        remote: list[FetchRequest] = []
        for request in requests:
            (remote if request.folder is None else local).append(request)
        if local:
            self._folder.run(local, on_result, stop)
        if remote and not (stop is not None and stop()):
            self._network.run(remote, on_result, stop)


def make_fetcher(settings: Settings, spool: Path | None = None) -> SourceFetcher:
    """The fetcher for these settings; large bodies wait in `spool` (default: the system's temporary folder)."""
    limits = FetchLimits(max_size=settings.fetch_max_size)
    network = CurlFetcher(
        concurrency=settings.fetch_concurrency,
        per_host=settings.fetch_per_host,
        limits=limits,
        guard=AddressGuard(allow_private=settings.fetch_allow_private),
        spool=spool,
    )
    return SourceFetcher(FolderFetcher(limits, spool), network)


class FetchError(ValueError):
    """A single file could not be fetched; the message says why."""


def fetch_once(url: str, settings: Settings) -> bytes:
    """The body behind one address, under the same guards and limits as every other. Raises FetchError."""
    results: list[FetchResult] = []
    make_fetcher(settings).run([FetchRequest("", url)], results.append)
    result = results[0]
    if result.failure is not None or result.body is None:
        raise FetchError(result.failure.summary if result.failure is not None else "Nothing was received.")
    try:
        return result.body.read()
    finally:
        result.body.close()

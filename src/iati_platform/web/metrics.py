"""Counters of what is asked and how long it takes, in Prometheus' text format at `/metrics`."""

from __future__ import annotations

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REGISTRY = CollectorRegistry()
"""The registry of this process; rooms add their own metrics to it. Names are documented in docs/web.md."""

REQUESTS = Counter(
    "iati_http_requests", "Requests answered, by system, method and status.", ("system", "method", "status"), registry=REGISTRY
)
DURATION = Histogram(
    "iati_http_request_duration_seconds",
    "Time from the first byte of a request to the last byte of its answer, by system.",
    ("system",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
SYSTEMS = ("bulk-data", "validator", "datastore", "openapi", "static", "health", "ready", "metrics")
"""First path segments with a label of their own; all else is the portal. A closed list, so that callers cannot invent labels."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def system_of(path: str) -> str:
    first = path.lstrip("/").split("/", 1)[0]
    return first if first in SYSTEMS else "portal"


class Measured:
    """ASGI middleware that counts and times requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        system = system_of(scope["path"])
        method = scope["method"] if scope["method"] in METHODS else "other"
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            REQUESTS.labels(system, method, str(status)).inc()
            DURATION.labels(system).observe(time.perf_counter() - began)


def exposition(_: Request) -> Response:
    """The endpoint `/metrics`."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

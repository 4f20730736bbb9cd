"""One request on its way through libcurl: which addresses it may open, what its headers say, how much of its body is taken.

The callbacks only note things: an exception inside one would be lost in C.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pycurl

from iati_platform.bulk import sniff
from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.exchange import Body, Failure, FetchLimits, FetchRequest
from iati_platform.bulk.urls import host_of

_ACCEPT = "Accept: application/xml, text/xml;q=0.9, */*;q=0.5"
# Bodies nobody reads (errors, redirects, answers equal to what we hold) are drained up to this size to keep the connection.
_DRAIN_BYTES = 65_536
# A file that does not look like XML by now is not downloaded any further.
_JUDGE_BYTES = 65_536
_MAX_HEADERS, _MAX_HEADER_LENGTH = 64, 1000

TOO_LARGE = Failure(ErrorType.OTHER_ERROR, Cause.TOO_LARGE, "The file is larger than this service accepts.")
EXPANDS = Failure(ErrorType.OTHER_ERROR, Cause.EXPANDS, "The compressed answer unpacks to far more than a data file would.")


class Transfer:
    """A request over several hops, retries and at most one unverified attempt per host."""

    __slots__ = (
        "attempts", "blocked", "body", "cookies", "encoded_length", "guard", "handle", "headers", "hops", "host", "limits", "local_error",
        "matched", "reason", "received", "request", "spool", "started", "status", "stop_failure", "stopped", "tls_problem", "unverified",
        "url",
    )  # fmt: skip

    def __init__(self, request: FetchRequest, url: str, limits: FetchLimits, guard: AddressGuard, spool: Path | None) -> None:
        self.request = request
        self.url = url
        self.host = host_of(url)
        self.limits = limits
        self.guard = guard
        self.spool = spool
        self.hops = 0
        self.attempts = 0
        self.started: float | None = None
        self.tls_problem: str | None = None
        self.received = 0
        self.cookies: list[str] = []
        self.unverified = False
        self.handle: Any = None
        self.reset()

    def reset(self) -> None:
        """Forget the answer of the previous hop or attempt."""
        self.status: int | None = None
        self.reason: str | None = None
        self.headers: dict[str, str] = {}
        self.body: Body | None = None
        self.blocked: list[str] = []
        self.encoded_length: int | None = None
        self.matched = False  # the validators of the answer are those of the copy we hold
        self.stopped = False  # by us, with nothing wrong
        self.stop_failure: Failure | None = None
        self.local_error: OSError | None = None

    def configure(self, handle: Any, ca_file: str, user_agent: str, seconds_left: float) -> None:
        """Set up a curl handle for the next hop or attempt."""
        headers = [_ACCEPT]
        if self.request.etag is not None:
            headers.append(f"If-None-Match: {self.request.etag}")
        if self.request.last_modified is not None:
            headers.append(f"If-Modified-Since: {self.request.last_modified}")
        setopt = handle.setopt
        setopt(pycurl.URL, self.url)
        setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        setopt(pycurl.PROXY, "")  # through a proxy the address guard would see the proxy only
        setopt(pycurl.FOLLOWLOCATION, 0)
        setopt(pycurl.USERAGENT, user_agent)
        setopt(pycurl.HTTPHEADER, headers)
        setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        setopt(pycurl.COOKIEFILE, "")
        for cookie in self.cookies:  # some hosts send visitors round until their cookie comes back
            setopt(pycurl.COOKIELIST, cookie)
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.CONNECTTIMEOUT_MS, int(self.limits.connect_seconds * 1000))
        setopt(pycurl.TIMEOUT_MS, max(1, int(seconds_left * 1000)))
        setopt(pycurl.LOW_SPEED_LIMIT, self.limits.slow_bytes_per_second)
        setopt(pycurl.LOW_SPEED_TIME, self.limits.slow_seconds)
        setopt(pycurl.MAXFILESIZE_LARGE, self.limits.max_size)
        setopt(pycurl.CAINFO, ca_file)
        setopt(pycurl.SSL_VERIFYPEER, 0 if self.unverified else 1)
        setopt(pycurl.SSL_VERIFYHOST, 0 if self.unverified else 2)
        setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        setopt(pycurl.HEADERFUNCTION, self._on_header)
        setopt(pycurl.WRITEFUNCTION, self._on_body)
        handle.transfer = self

    def expands(self, decoded: int, encoded: int) -> bool:
        """Whether a compressed answer unpacks to more than any real file does."""
        return decoded > self.limits.expansion_floor and decoded > self.limits.expansion_ratio * max(1, encoded)

    def _open_socket(self, purpose: int, address: Any) -> Any:
        family, kind, protocol, location = address
        if family not in (socket.AF_INET, socket.AF_INET6) or not self.guard.permits(location[0]):
            self.blocked.append(str(location[0]))
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    def _on_header(self, line: bytes) -> None:
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/") and ":" not in text.partition(" ")[0]:
            words = text.split(" ", 2)
            self.status = _whole(words[1]) if len(words) > 1 else None
            self.reason = words[2].strip() or None if len(words) > 2 else None
            self.headers = {}
        elif text:
            name, colon, value = text.partition(":")
            if colon and len(self.headers) < _MAX_HEADERS:
                self.headers[_canonical(name)] = value.strip()[:_MAX_HEADER_LENGTH]
        elif self.status == 200:
            self._judge_headers()

    def _judge_headers(self) -> None:
        if "Content-Encoding" in self.headers:
            self.encoded_length = _whole(self.headers.get("Content-Length", ""))
        # Some servers answer 200 with the very validators we sent: what a HEAD would have told, in the same round trip.
        etag, modified = self.headers.get("ETag"), self.headers.get("Last-Modified")
        if etag is not None:
            self.matched = etag == self.request.etag
        elif modified is not None:
            self.matched = modified == self.request.last_modified

    def _on_body(self, chunk: bytes) -> int:
        if self.body is None:
            self.body = Body(directory=self.spool)
        if self.status != 200 or self.matched:
            return self._drain(self.body, len(chunk))
        before = self.body.size
        after = before + len(chunk)
        if after > self.limits.max_size:
            return self._give_up(TOO_LARGE)
        if self.encoded_length is not None and self.expands(after, self.encoded_length):
            return self._give_up(EXPANDS)
        try:
            self.body.write(chunk)
            if before < _JUDGE_BYTES <= after:
                refused = sniff.refusal(self.body.head(_JUDGE_BYTES))
                if refused is not None:
                    return self._give_up(Failure(ErrorType.NOT_IATI_CONTENT, refused.cause, refused.summary))
        except OSError as error:
            self.local_error = error
            return 0
        return len(chunk)

    def _drain(self, body: Body, size: int) -> int:
        body.size += size
        if max(body.size, _whole(self.headers.get("Content-Length", "")) or 0) > _DRAIN_BYTES:
            self.stopped = True
            return 0
        return size

    def _give_up(self, failure: Failure) -> int:
        self.stop_failure = failure
        return 0


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _canonical(name: str) -> str:
    title = name.strip().title()
    return "ETag" if title == "Etag" else title

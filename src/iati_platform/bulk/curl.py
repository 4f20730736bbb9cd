"""Fetching over HTTP: one event loop over libcurl, many transfers, few per host.

libcurl does the protocol; decided here, on every hop: which addresses may be opened, whether an answer is worth its body, how much
of it to take, and when a certificate that does not verify is tolerated. Redirects are followed by us, so that each target is cleaned,
checked and queued for its own host.
"""

from __future__ import annotations

import email.utils
import heapq
import itertools
import queue
import selectors
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pycurl

from iati_platform import __version__
from iati_platform.bulk import sniff
from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.catalogue import CERTIFICATE_CODES, RETRY_CODES, Cause, ErrorType, curl_failure
from iati_platform.bulk.exchange import Body, Failure, FetchLimits, FetchRequest, FetchResult, OnResult, Outcome
from iati_platform.bulk.urls import BadUrl, clean_url, host_of, redirect_target

USER_AGENT = f"IATI-Unified-Platform/{__version__} (bulk data service)"
_ACCEPT = "Accept: application/xml, text/xml;q=0.9, */*;q=0.5"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Bodies nobody reads (errors, redirects, answers equal to what we hold) are drained up to this size to keep the connection.
_DRAIN_BYTES = 65_536
# A file that does not look like XML by now is not downloaded any further.
_JUDGE_BYTES = 65_536
_MAX_HEADERS, _MAX_HEADER_LENGTH = 64, 1000
_MIDWAY_CODES = frozenset({pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_HTTP2, pycurl.E_PARTIAL_FILE})


class _Transfer:
    """One request on its way: over several hops, retries and at most one unverified attempt per host."""

    __slots__ = (
        "attempts", "blocked", "body", "cookies", "encoded_length", "handle", "headers", "hops", "host", "matched", "reason", "received",
        "request", "started", "status", "stop_failure", "stopped", "tls_problem", "unverified", "url",
    )  # fmt: skip

    def __init__(self, request: FetchRequest, url: str) -> None:
        self.request = request
        self.url = url
        self.host = host_of(url)
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
        self.matched = False
        self.stopped = False
        self.stop_failure: Failure | None = None


class CurlFetcher:
    """A Fetcher for `http` and `https` addresses. One instance may run again and again; not from two threads at once."""

    def __init__(
        self,
        *,
        concurrency: int = 32,
        per_host: int = 4,
        limits: FetchLimits | None = None,
        guard: AddressGuard | None = None,
        user_agent: str = USER_AGENT,
        ca_file: str | None = None,
        spool: Path | None = None,
    ) -> None:
        self.concurrency = max(1, concurrency)
        self.per_host = max(1, per_host)
        self.limits = limits or FetchLimits()
        self.guard = guard or AddressGuard()
        self.user_agent = user_agent
        self.ca_file = ca_file or certifi.where()
        self.spool = spool

    def run(self, requests: Iterable[FetchRequest], on_result: OnResult, stop: Callable[[], bool] | None = None) -> None:
        """The event loop runs in a thread of its own and never waits for `on_result`, so that a slow consumer is not mistaken for a slow
        server; it only starts nothing new while results pile up. `on_result` is called in the thread of the caller."""
        desk = _Desk(limit=2 * self.concurrency)

        def work() -> None:
            try:
                _Run(self, desk).go(requests)
            except BaseException as error:  # handed over and raised where somebody waits for it
                desk.results.put(error)
            finally:
                desk.results.put(None)

        thread = threading.Thread(target=work, name="fetch", daemon=True)
        thread.start()
        try:
            while (result := desk.take()) is not None:
                on_result(result)
                if stop is not None and stop():
                    return
        finally:
            desk.closed.set()
            thread.join()
            desk.clear()


class _Desk:
    """Where the loop lays results and the caller takes them; `crowded` while too many lie there."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.results: queue.SimpleQueue[FetchResult | BaseException | None] = queue.SimpleQueue()
        self.closed = threading.Event()

    @property
    def crowded(self) -> bool:
        return self.results.qsize() >= self.limit

    def take(self) -> FetchResult | None:
        result = self.results.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def clear(self) -> None:
        """Let go of the bodies that nobody took."""
        while not self.results.empty():
            result = self.results.get()
            if isinstance(result, FetchResult) and result.body is not None:
                result.body.close()


class _Run:
    """The event loop of one `run`."""

    def __init__(self, fetcher: CurlFetcher, desk: _Desk) -> None:
        self.fetcher = fetcher
        self.limits = fetcher.limits
        self.desk = desk
        self.queues: defaultdict[str, deque[_Transfer]] = defaultdict(deque)
        self.active: defaultdict[str, int] = defaultdict(int)
        self.ready: deque[str] = deque()
        self.waiting: list[tuple[float, int, _Transfer]] = []
        self.sequence = itertools.count()
        self.running: set[_Transfer] = set()
        self.idle_handles: list[Any] = []
        self.unverified_hosts: dict[str, str] = {}
        self.broken_hosts: dict[str, tuple[int, Failure]] = {}  # failures in a row, and the latest
        self.selector = selectors.DefaultSelector()
        self.deadline: float | None = None
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def go(self, requests: Iterable[FetchRequest]) -> None:
        try:
            for request in requests:
                self._accept(request)
            while not self.desk.closed.is_set():
                self._start_due()
                if not (self.running or self.waiting or self.ready):
                    return
                self._turn()
                self._collect()
        finally:
            self._close()

    # -- queueing --------------------------------------------------------------------------------------------------------------

    def _accept(self, request: FetchRequest) -> None:
        try:
            url = clean_url(request.url)
        except BadUrl as error:
            cause = Cause.BAD_URL if request.url.strip() else Cause.NO_URL
            self.desk.results.put(FetchResult(request, Outcome.FAILED, failure=Failure(ErrorType.OTHER_ERROR, cause, str(error))))
            return
        self._enqueue(_Transfer(request, url))

    def _enqueue(self, transfer: _Transfer) -> None:
        queue = self.queues[transfer.host]
        queue.append(transfer)
        if len(queue) == 1 and self.active[transfer.host] < self.fetcher.per_host:
            self.ready.append(transfer.host)

    def _start_due(self) -> None:
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            self._enqueue(heapq.heappop(self.waiting)[2])
        # One transfer per host and round: a host with thousands of files does not hold back one with a single file.
        while self.ready and len(self.running) < self.fetcher.concurrency and not self.desk.crowded:
            host = self.ready.popleft()
            transfer = self.queues[host].popleft()
            self.active[host] += 1
            failures, failure = self.broken_hosts.get(host, (0, None))
            if failure is not None and failures >= self.limits.host_failures:
                self._release(host)
                self._skip(transfer, failures, failure)
                continue
            if self.queues[host] and self.active[host] < self.fetcher.per_host:
                self.ready.append(host)
            self._start(transfer)

    def _skip(self, transfer: _Transfer, failures: int, failure: Failure) -> None:
        """Not tried: a dead host with a thousand files would hold the run for hours."""
        summary = f"Not tried now: the last {failures} connections to this host failed. {failure.summary}"
        transfer.reset()
        self._fail(transfer, Failure(failure.type, failure.cause, summary, failure.detail))

    def _release(self, host: str) -> None:
        self.active[host] -= 1
        if self.queues[host] and host not in self.ready:
            self.ready.append(host)
        elif not self.queues[host] and not self.active[host]:
            del self.queues[host], self.active[host]

    # -- one transfer ----------------------------------------------------------------------------------------------------------

    def _start(self, transfer: _Transfer) -> None:
        handle = self.idle_handles.pop() if self.idle_handles else pycurl.Curl()
        transfer.reset()
        transfer.handle = handle
        transfer.attempts += 1
        now = time.monotonic()
        if transfer.started is None:
            transfer.started = now
        left = self.limits.total_seconds - (now - transfer.started)
        unverified = self.unverified_hosts.get(transfer.host)
        if unverified is not None:
            transfer.tls_problem = unverified
        transfer.unverified = unverified is not None
        headers = [_ACCEPT]
        if transfer.request.etag is not None:
            headers.append(f"If-None-Match: {transfer.request.etag}")
        if transfer.request.last_modified is not None:
            headers.append(f"If-Modified-Since: {transfer.request.last_modified}")
        setopt = handle.setopt
        setopt(pycurl.URL, transfer.url)
        setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        setopt(pycurl.PROXY, "")  # through a proxy the address guard would see the proxy only
        setopt(pycurl.FOLLOWLOCATION, 0)
        setopt(pycurl.USERAGENT, self.fetcher.user_agent)
        setopt(pycurl.HTTPHEADER, headers)
        setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        setopt(pycurl.COOKIEFILE, "")
        for cookie in transfer.cookies:  # some hosts send visitors round until their cookie comes back
            setopt(pycurl.COOKIELIST, cookie)
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.CONNECTTIMEOUT_MS, int(self.limits.connect_seconds * 1000))
        setopt(pycurl.TIMEOUT_MS, max(1, int(left * 1000)))
        setopt(pycurl.LOW_SPEED_LIMIT, self.limits.slow_bytes_per_second)
        setopt(pycurl.LOW_SPEED_TIME, self.limits.slow_seconds)
        setopt(pycurl.MAXFILESIZE_LARGE, self.limits.max_size)
        setopt(pycurl.CAINFO, self.fetcher.ca_file)
        setopt(pycurl.SSL_VERIFYPEER, 0 if unverified is not None else 1)
        setopt(pycurl.SSL_VERIFYHOST, 0 if unverified is not None else 2)
        setopt(pycurl.OPENSOCKETFUNCTION, lambda purpose, address: self._open_socket(transfer, address))
        setopt(pycurl.HEADERFUNCTION, lambda line: self._on_header(transfer, line))
        setopt(pycurl.WRITEFUNCTION, lambda chunk: self._on_body(transfer, chunk))
        handle.transfer = transfer
        self.running.add(transfer)
        self.multi.add_handle(handle)

    def _open_socket(self, transfer: _Transfer, address: Any) -> Any:
        family, kind, protocol, location = address
        if family not in (socket.AF_INET, socket.AF_INET6) or not self.fetcher.guard.permits(location[0]):
            transfer.blocked.append(str(location[0]))
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    def _on_header(self, transfer: _Transfer, line: bytes) -> None:
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/") and ":" not in text.partition(" ")[0]:
            version_status = text.split(" ", 2)
            transfer.status = int(version_status[1]) if len(version_status) > 1 and version_status[1].isdigit() else None
            transfer.reason = version_status[2].strip() or None if len(version_status) > 2 else None
            transfer.headers = {}
        elif text:
            name, colon, value = text.partition(":")
            if colon and len(transfer.headers) < _MAX_HEADERS:
                transfer.headers[_canonical(name)] = value.strip()[:_MAX_HEADER_LENGTH]
        else:
            self._judge_headers(transfer)

    def _judge_headers(self, transfer: _Transfer) -> None:
        headers, request = transfer.headers, transfer.request
        if transfer.status != 200:
            return
        if "Content-Encoding" in headers and headers.get("Content-Length", "").isdigit():
            transfer.encoded_length = int(headers["Content-Length"])
        # Some servers answer 200 with the very validators we sent: what a HEAD would have told, in the same round trip.
        etag, modified = headers.get("ETag"), headers.get("Last-Modified")
        if etag is not None:
            transfer.matched = etag == request.etag
        elif modified is not None:
            transfer.matched = modified == request.last_modified

    def _on_body(self, transfer: _Transfer, chunk: bytes) -> int:
        size = len(chunk)
        if transfer.body is None:
            transfer.body = Body(directory=self.fetcher.spool)
        body = transfer.body
        if transfer.status != 200 or transfer.matched:
            body.size += size
            if body.size > _DRAIN_BYTES or int(transfer.headers.get("Content-Length", "0").zfill(1)[:12] or 0) > _DRAIN_BYTES:
                transfer.stopped = True
                return 0
            return size
        before = body.size
        if before + size > self.limits.max_size:
            return self._give_up(transfer, Cause.TOO_LARGE, "The file is larger than this service accepts.")
        if transfer.encoded_length is not None and self._expands(before + size, transfer.encoded_length):
            return self._give_up(transfer, Cause.EXPANDS, "The compressed answer unpacks to far more than a data file would.")
        body.write(chunk)
        if before < _JUDGE_BYTES <= body.size:
            refused = sniff.refusal(body.head(_JUDGE_BYTES))
            if refused is not None:
                transfer.stop_failure = Failure(ErrorType.NOT_IATI_CONTENT, refused.cause, refused.summary)
                return 0
        return size

    def _expands(self, decoded: int, encoded: int) -> bool:
        return decoded > self.limits.expansion_floor and decoded > self.limits.expansion_ratio * max(1, encoded)

    def _give_up(self, transfer: _Transfer, cause: Cause, summary: str) -> int:
        transfer.stop_failure = Failure(ErrorType.OTHER_ERROR, cause, summary)
        return 0

    # -- the loop --------------------------------------------------------------------------------------------------------------

    def _watch_socket(self, what: int, descriptor: int, multi: Any, data: Any) -> None:
        events = {
            pycurl.POLL_IN: selectors.EVENT_READ,
            pycurl.POLL_OUT: selectors.EVENT_WRITE,
            pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
        }.get(what, 0)
        if descriptor in self.selector.get_map():
            if events:
                try:
                    self.selector.modify(descriptor, events)
                    return
                except OSError:  # closed and opened again under the same number: the kernel forgot it, the map did not
                    pass
            self.selector.unregister(descriptor)
        if events:
            self.selector.register(descriptor, events)

    def _set_timer(self, milliseconds: int) -> None:
        self.deadline = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _turn(self) -> None:
        """Wait for the next socket, timer or retry, and let curl work."""
        now = time.monotonic()
        pauses = [0.2]  # `closed` is looked at this often
        if self.deadline is not None:
            pauses.append(self.deadline - now)
        if self.waiting:
            pauses.append(self.waiting[0][0] - now)
        if self.ready and len(self.running) < self.fetcher.concurrency:
            pauses.append(0.02)  # the desk is crowded
        pause = max(0.0, min(pauses))
        if self.selector.get_map():
            ready = self.selector.select(pause)
        else:
            ready = []
            time.sleep(pause)
        for key, mask in ready:
            action = (pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0) | (pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0)
            self.multi.socket_action(key.fd, action)
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.deadline = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _collect(self) -> None:
        while True:
            left, succeeded, failed = self.multi.info_read()
            for handle in succeeded:
                self._finished(handle, 0, "")
            for handle, code, message in failed:
                self._finished(handle, code, message)
            if not left:
                return

    def _finished(self, handle: Any, code: int, message: str) -> None:
        transfer: _Transfer = handle.transfer
        received = int(handle.getinfo(pycurl.SIZE_DOWNLOAD_T))
        transfer.received += received
        transfer.cookies = handle.getinfo(pycurl.INFO_COOKIELIST)
        connected = handle.getinfo(pycurl.CONNECT_TIME) > 0
        self.multi.remove_handle(handle)
        self.running.discard(transfer)
        transfer.handle = None
        handle.reset()
        handle.setopt(pycurl.COOKIELIST, "ALL")
        handle.transfer = None
        self.idle_handles.append(handle)
        self._release(transfer.host)
        if code == pycurl.E_WRITE_ERROR and (transfer.stopped or transfer.stop_failure is not None):
            code = 0
        if code == 0:
            self.broken_hosts.pop(transfer.host, None)
            self._answered(transfer, received)
        elif code in CERTIFICATE_CODES and not transfer.unverified:
            self.unverified_hosts.setdefault(transfer.host, message)
            self._enqueue(transfer)
        else:
            self._broken(transfer, code, message, connected)

    def _answered(self, transfer: _Transfer, received: int) -> None:
        if transfer.stop_failure is not None:
            self._fail(transfer, transfer.stop_failure)
        elif transfer.status in _REDIRECTS and transfer.headers.get("Location"):
            self._follow(transfer)
        elif (transfer.status == 304 and transfer.request.conditional) or (transfer.status == 200 and transfer.matched):
            self._deliver(transfer, Outcome.UNCHANGED)
        elif transfer.status == 200:
            size = transfer.body.size if transfer.body is not None else 0
            if "Content-Encoding" in transfer.headers and self._expands(size, received):
                summary = "The compressed answer unpacks to far more than a data file would."
                self._fail(transfer, Failure(ErrorType.OTHER_ERROR, Cause.EXPANDS, summary))
            else:
                self._deliver(transfer, Outcome.CONTENT)
        else:
            words = " ".join(str(part) for part in (transfer.status, transfer.reason) if part)
            self._fail(transfer, Failure(ErrorType.HTTP_NON_200, Cause.STATUS, f"The server answered {words or 'without a status'}."))

    def _follow(self, transfer: _Transfer) -> None:
        if transfer.hops >= self.limits.max_redirects:
            error, cause, summary = curl_failure(pycurl.E_TOO_MANY_REDIRECTS, connected=True, deadline=False)
            self._fail(transfer, Failure(error, cause, summary, f"More than {self.limits.max_redirects} redirects."))
            return
        location = transfer.headers["Location"]
        try:
            # Header bytes are read as Latin-1; a target in UTF-8 is what senders of non-ASCII targets mean.
            target = redirect_target(transfer.url, location.encode("latin-1").decode("utf-8", "replace"))
        except BadUrl as error_:
            self._fail(transfer, Failure(ErrorType.OTHER_ERROR, Cause.BAD_REDIRECT, f"The redirect cannot be followed. {error_}", location))
            return
        self._close_body(transfer)
        transfer.hops += 1
        transfer.url = target
        transfer.host = host_of(target)
        self._enqueue(transfer)

    def _broken(self, transfer: _Transfer, code: int, message: str, connected: bool) -> None:
        if code == pycurl.E_COULDNT_CONNECT and transfer.blocked:
            summary = "The address leads into a private network, which this service does not fetch from."
            refused = ", ".join(sorted(set(transfer.blocked)))
            self._fail(transfer, Failure(ErrorType.CONNECTION_ERROR, Cause.PRIVATE_ADDRESS, summary, refused))
            return
        elapsed = time.monotonic() - (transfer.started or 0.0)
        midway = code in _MIDWAY_CODES and transfer.status == 200
        if code in RETRY_CODES and not midway and transfer.attempts <= self.limits.retries + transfer.hops:
            self._close_body(transfer)
            pause = self.limits.retry_pause * 2 ** min(transfer.attempts - 1, 5)
            if elapsed + pause < self.limits.total_seconds:
                heapq.heappush(self.waiting, (time.monotonic() + pause, next(self.sequence), transfer))
                return
        if midway:
            code = pycurl.E_PARTIAL_FILE
        error, cause, summary = curl_failure(code, connected=connected, deadline=elapsed >= self.limits.total_seconds - 0.05)
        failure = Failure(error, cause, summary, message or None)
        if error is not ErrorType.OTHER_ERROR:
            self.broken_hosts[transfer.host] = (self.broken_hosts.get(transfer.host, (0, failure))[0] + 1, failure)
        self._fail(transfer, failure)

    def _fail(self, transfer: _Transfer, failure: Failure) -> None:
        self._close_body(transfer)
        self._deliver(transfer, Outcome.FAILED, failure)

    def _close_body(self, transfer: _Transfer) -> None:
        if transfer.body is not None:
            transfer.body.close()
            transfer.body = None

    def _deliver(self, transfer: _Transfer, outcome: Outcome, failure: Failure | None = None) -> None:
        if outcome is Outcome.CONTENT:
            body = transfer.body if transfer.body is not None else Body()
            transfer.body = None
        else:
            self._close_body(transfer)
            body = None
        headers = {name: value for name, value in transfer.headers.items() if name != "Set-Cookie"}
        self.desk.results.put(
            FetchResult(
                request=transfer.request,
                outcome=outcome,
                status=transfer.status,
                reason=transfer.reason,
                headers=headers,
                final_url=transfer.url,
                redirects=transfer.hops,
                body=body,
                failure=failure,
                tls_problem=transfer.tls_problem,
                retry_after=retry_time(headers.get("Retry-After"), datetime.now(UTC)),
                host=transfer.host,
                seconds=0.0 if transfer.started is None else time.monotonic() - transfer.started,
                received=transfer.received,
            )
        )

    def _close(self) -> None:
        for transfer in self.running:
            self.multi.remove_handle(transfer.handle)
            transfer.handle.close()
            self._close_body(transfer)
        for handle in self.idle_handles:
            handle.close()
        self.multi.close()
        self.selector.close()


def retry_time(value: str | None, now: datetime) -> datetime | None:
    """The moment a Retry-After header names (RFC 9110 §10.2.3: seconds or an HTTP date), at most a day ahead; None when unusable."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        moment = now + timedelta(seconds=min(int(value[:9]), 86_400))
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
    return min(moment, now + timedelta(days=1)) if moment > now else None


def _canonical(name: str) -> str:
    title = name.strip().title()
    return "ETag" if title == "Etag" else title

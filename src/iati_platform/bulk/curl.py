"""Fetching over HTTP: one event loop over libcurl, many transfers, few per host.

libcurl does the protocol, `transfer.py` looks at one answer while it arrives; decided here: whose turn it is, what is tried again, and
when a certificate that does not verify is tolerated. Redirects are followed by us, so that each target is cleaned, checked and queued for
its own host.
"""

from __future__ import annotations

import email.utils
import heapq
import itertools
import queue
import selectors
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
from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.catalogue import CERTIFICATE_CODES, RETRY_CODES, Cause, ErrorType, curl_failure
from iati_platform.bulk.exchange import Body, Failure, FetchLimits, FetchRequest, FetchResult, OnResult, Outcome
from iati_platform.bulk.transfer import EXPANDS, Transfer
from iati_platform.bulk.urls import BadUrl, clean_url, host_of, redirect_target

USER_AGENT = f"IATI-Unified-Platform/{__version__} (bulk data service)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MIDWAY_CODES = frozenset({pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_HTTP2, pycurl.E_PARTIAL_FILE})


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
        self.queues: defaultdict[str, deque[Transfer]] = defaultdict(deque)
        self.active: defaultdict[str, int] = defaultdict(int)
        self.ready: deque[str] = deque()
        self.waiting: list[tuple[float, int, Transfer]] = []
        self.sequence = itertools.count()
        self.running: set[Transfer] = set()
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
        self._enqueue(Transfer(request, url, self.limits, self.fetcher.guard, self.fetcher.spool))

    def _enqueue(self, transfer: Transfer) -> None:
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

    def _skip(self, transfer: Transfer, failures: int, failure: Failure) -> None:
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

    def _start(self, transfer: Transfer) -> None:
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
        transfer.configure(handle, self.fetcher.ca_file, self.fetcher.user_agent, left)
        self.running.add(transfer)
        self.multi.add_handle(handle)

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
        transfer: Transfer = handle.transfer
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
        if transfer.local_error is not None:  # a full disk is ours, not the publisher's: the run ends
            raise transfer.local_error
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

    def _answered(self, transfer: Transfer, received: int) -> None:
        if transfer.stop_failure is not None:
            self._fail(transfer, transfer.stop_failure)
        elif transfer.status in _REDIRECTS and transfer.headers.get("Location"):
            self._follow(transfer)
        elif (transfer.status == 304 and transfer.request.conditional) or (transfer.status == 200 and transfer.matched):
            self._deliver(transfer, Outcome.UNCHANGED)
        elif transfer.status == 200:
            size = transfer.body.size if transfer.body is not None else 0
            if "Content-Encoding" in transfer.headers and transfer.expands(size, received):
                self._fail(transfer, EXPANDS)
            else:
                self._deliver(transfer, Outcome.CONTENT)
        else:
            words = " ".join(str(part) for part in (transfer.status, transfer.reason) if part)
            self._fail(transfer, Failure(ErrorType.HTTP_NON_200, Cause.STATUS, f"The server answered {words or 'without a status'}."))

    def _follow(self, transfer: Transfer) -> None:
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

    def _broken(self, transfer: Transfer, code: int, message: str, connected: bool) -> None:
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

    def _fail(self, transfer: Transfer, failure: Failure) -> None:
        self._close_body(transfer)
        self._deliver(transfer, Outcome.FAILED, failure)

    def _close_body(self, transfer: Transfer) -> None:
        if transfer.body is not None:
            transfer.body.close()
            transfer.body = None

    def _deliver(self, transfer: Transfer, outcome: Outcome, failure: Failure | None = None) -> None:
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

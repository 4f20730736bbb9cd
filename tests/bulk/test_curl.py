"""Fetching over real sockets: every line of the error catalogue, and what happens to hostile answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.curl import CurlFetcher, retry_time
from iati_platform.bulk.exchange import FetchLimits, FetchRequest, FetchResult, Outcome
from iati_platform.bulk.fetcher import FetchError, fetch_once, make_fetcher
from iati_platform.settings import Settings
from tests.bulk.server import IATI, MODIFIED, Handler, Server, self_signed

LIMITS = FetchLimits(max_size=40_000_000, connect_seconds=2, total_seconds=20, slow_seconds=2, retry_pause=0.01)
LOOPBACK = AddressGuard(allow=["127.0.0.1/32"])


def fetch_all(
    requests: list[FetchRequest], limits: FetchLimits = LIMITS, guard: AddressGuard = LOOPBACK, **options: int
) -> list[FetchResult]:
    results: list[FetchResult] = []
    CurlFetcher(limits=limits, guard=guard, **options).run(requests, results.append)
    assert sorted(result.request.dataset_id for result in results) == sorted(request.dataset_id for request in requests)
    return results


def fetch(
    url: str, limits: FetchLimits = LIMITS, guard: AddressGuard = LOOPBACK, etag: str | None = None, modified: str | None = None
) -> FetchResult:
    return fetch_all([FetchRequest("d", url, etag=etag, last_modified=modified)], limits, guard)[0]


def failure(result: FetchResult) -> tuple[ErrorType, Cause]:
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert result.body is None
    return result.failure.type, result.failure.cause


def content(result: FetchResult) -> bytes:
    assert result.outcome is Outcome.CONTENT, result.failure
    assert result.body is not None
    with_body = result.body.read()
    result.body.close()
    return with_body


def test_a_good_file_comes_with_its_validators(server: Server) -> None:
    result = fetch(server.url("/good"))
    assert (result.status, result.reason, result.redirects, result.host) == (200, "OK", 0, f"127.0.0.1:{server.server_address[1]}")
    assert (result.etag, result.last_modified, result.tls_problem) == ('"v1"', MODIFIED, None)
    assert content(result) == IATI
    assert server.seen[0]["User-Agent"].startswith("IATI-Unified-Platform/")


def test_validators_are_sent_back_and_304_means_unchanged(server: Server) -> None:
    result = fetch(server.url("/good"), etag='"v1"', modified=MODIFIED)
    assert (result.outcome, result.status) == (Outcome.UNCHANGED, 304)
    assert (server.seen[0]["If-None-Match"], server.seen[0]["If-Modified-Since"]) == ('"v1"', MODIFIED)
    assert fetch(server.url("/good"), modified=MODIFIED).outcome is Outcome.UNCHANGED
    assert content(fetch(server.url("/good"), etag='"v0"')) == IATI


def test_a_server_that_ignores_conditions_is_not_downloaded_again(server: Server) -> None:
    result = fetch(server.url("/stubborn"), etag='"s1"')
    assert (result.outcome, result.status) == (Outcome.UNCHANGED, 200)
    assert result.received < 300_000


def test_304_without_a_question_is_an_error(server: Server) -> None:
    assert failure(fetch(server.url("/not-modified"))) == (ErrorType.HTTP_NON_200, Cause.STATUS)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 429, 500, 502, 503])
def test_any_other_status_is_a_failure_that_names_it(server: Server, status: int) -> None:
    before = datetime.now(UTC)
    result = fetch(server.url(f"/status/{status}"))
    assert failure(result) == (ErrorType.HTTP_NON_200, Cause.STATUS)
    assert result.status == status
    assert server.requests["/status"] == 1
    if status in (429, 503):
        assert result.retry_after is not None
        assert before + timedelta(seconds=119) < result.retry_after < datetime.now(UTC) + timedelta(seconds=121)
    else:
        assert result.retry_after is None


def test_headers_are_kept_for_the_publisher_but_no_cookies(server: Server) -> None:
    result = fetch(server.url("/nothing-here"))
    assert result.headers["X-Told"] == "yes"
    assert "Set-Cookie" not in result.headers


def test_redirects_are_followed(server: Server) -> None:
    result = fetch(server.url("/redirect/30"), replace(LIMITS, max_redirects=31))
    assert content(result) == IATI
    assert (result.redirects, result.final_url) == (31, server.url("/good"))


def test_too_many_redirects(server: Server) -> None:
    assert failure(fetch(server.url("/loop"))) == (ErrorType.TOO_MANY_REDIRECTS, Cause.REDIRECTS)
    assert server.requests["/loop"] == 31
    assert failure(fetch(server.url("/redirect/30"))) == (ErrorType.TOO_MANY_REDIRECTS, Cause.REDIRECTS)


def test_cookies_set_on_the_way_are_carried_along_but_not_to_the_next_dataset(server: Server) -> None:
    requests = [FetchRequest(str(number), server.url("/cookie-loop")) for number in range(3)]
    assert [content(result) for result in fetch_all(requests, concurrency=1)] == [IATI] * 3
    assert server.requests["/cookie-loop"] == 6


@pytest.mark.parametrize("target", ["ftp:__ftp.example_x", "file:___etc_passwd", "gopher:__127.0.0.1_"])
def test_redirects_to_other_protocols_are_refused(server: Server, target: str) -> None:
    assert failure(fetch(server.url(f"/elsewhere/{target}"))) == (ErrorType.OTHER_ERROR, Cause.BAD_REDIRECT)


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "169.254.169.254", "10.1.2.3", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "0x7f.0.0.2", "2130706434"]
)
def test_private_addresses_are_refused_directly_and_behind_a_redirect(server: Server, host: str) -> None:
    assert failure(fetch(f"http://{host}/")) == (ErrorType.CONNECTION_ERROR, Cause.PRIVATE_ADDRESS)
    result = fetch(server.url(f"/elsewhere/http:__{host}_"))
    assert failure(result) == (ErrorType.CONNECTION_ERROR, Cause.PRIVATE_ADDRESS)
    assert result.redirects == 1


def test_a_host_name_that_resolves_to_a_private_address_is_refused(server: Server) -> None:
    result = fetch(f"http://localhost:{server.server_address[1]}/good", guard=AddressGuard())
    assert failure(result) == (ErrorType.CONNECTION_ERROR, Cause.PRIVATE_ADDRESS)
    assert not server.requests
    assert content(fetch(f"http://localhost:{server.server_address[1]}/good", guard=AddressGuard(allow_private=True))) == IATI


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert failure(result) == (ErrorType.CONNECTION_ERROR, Cause.REFUSED)


def test_a_name_that_does_not_exist() -> None:
    assert failure(fetch("http://no-such-host.invalid/a.xml")) == (ErrorType.CONNECTION_ERROR, Cause.DNS)


def test_a_server_that_never_accepts() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        result = fetch(f"http://127.0.0.1:{full.getsockname()[1]}/", replace(LIMITS, connect_seconds=0.3))
        for client in waiting:
            client.close()
    assert failure(result) == (ErrorType.CONNECTION_TIMEOUT, Cause.CONNECT_TIMEOUT)


def test_closed_in_the_middle(server: Server) -> None:
    assert failure(fetch(server.url("/closed"))) == (ErrorType.OTHER_ERROR, Cause.TRUNCATED)
    assert server.requests["/closed"] == 1


@pytest.mark.parametrize("path", ["/reset", "/silent"])
def test_a_connection_that_breaks_is_tried_twice_more(server: Server, path: str) -> None:
    assert failure(fetch(server.url(path))) == (ErrorType.CONNECTION_ERROR, Cause.RESET)
    assert server.requests[path] >= 3


def test_a_connection_that_breaks_at_first_is_forgiven(server: Server) -> None:
    assert content(fetch(server.url("/flaky"))) == IATI


def test_one_byte_at_a_time_is_too_slow(server: Server) -> None:
    assert failure(fetch(server.url("/drip"))) == (ErrorType.CONNECTION_ERROR, Cause.TOO_SLOW)


def test_the_whole_transfer_has_a_deadline(server: Server) -> None:
    assert failure(fetch(server.url("/drip"), replace(LIMITS, total_seconds=0.6))) == (ErrorType.CONNECTION_ERROR, Cause.DEADLINE)
    assert failure(fetch(server.url("/stalled"), replace(LIMITS, total_seconds=0.4))) == (ErrorType.CONNECTION_ERROR, Cause.DEADLINE)


@pytest.mark.parametrize("path", ["/huge", "/endless"])
def test_more_than_the_limit_is_not_taken(server: Server, path: str) -> None:
    result = fetch(server.url(path), replace(LIMITS, max_size=3_000_000))
    assert failure(result) == (ErrorType.OTHER_ERROR, Cause.TOO_LARGE)
    assert result.received < 8_000_000


def test_a_compressed_answer_is_unpacked(server: Server) -> None:
    result = fetch(server.url("/zipped-reply"))
    assert content(result) == IATI
    assert result.received < len(IATI) + 50


def test_a_compressed_answer_that_is_none(server: Server) -> None:
    assert failure(fetch(server.url("/bad-gzip"))) == (ErrorType.OTHER_ERROR, Cause.UNDECODABLE)


def test_compression_bombs(server: Server) -> None:
    for path in ("/bomb", "/bomb/chunked"):
        assert failure(fetch(server.url(path), replace(LIMITS, max_size=100_000_000))) == (ErrorType.OTHER_ERROR, Cause.EXPANDS)
        assert failure(fetch(server.url(path), replace(LIMITS, max_size=10_000_000))) == (ErrorType.OTHER_ERROR, Cause.TOO_LARGE)


def test_a_large_file_that_is_no_xml_is_given_up_early(server: Server) -> None:
    result = fetch(server.url("/large-page"))
    assert failure(result) == (ErrorType.NOT_IATI_CONTENT, Cause.HTML)
    assert result.status == 200
    assert result.received < 1_000_000


def test_a_large_file_moves_to_disk(server: Server, tmp_path: Path) -> None:
    Handler.bodies["large"] = b"<iati-activities>" + b" " * 3_000_000
    results: list[FetchResult] = []
    CurlFetcher(limits=LIMITS, guard=LOOPBACK, spool=tmp_path).run([FetchRequest("d", server.url("/named/large"))], results.append)
    assert content(results[0]) == Handler.bodies["large"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", Cause.NO_URL),
        ("  ", Cause.NO_URL),
        ("www.example.org/a.xml", Cause.BAD_URL),
        ("ftp://example.org/a.xml", Cause.BAD_URL),
        ("http://", Cause.BAD_URL),
    ],
)
def test_unusable_addresses(url: str, cause: Cause) -> None:
    assert failure(fetch(url)) == (ErrorType.OTHER_ERROR, cause)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    made = Server(self_signed(tmp_path))
    yield made
    made.stop()


def test_a_certificate_nobody_vouches_for_is_noted_and_the_file_taken(secure: Server) -> None:
    results = fetch_all([FetchRequest(str(number), secure.url("/good")) for number in range(3)], concurrency=1)
    assert [content(result) for result in results] == [IATI] * 3
    assert all("certificate" in (result.tls_problem or "") for result in results)


def test_the_same_with_several_connections_at_once(secure: Server) -> None:
    results = fetch_all([FetchRequest(str(number), secure.url("/good")) for number in range(12)], per_host=4)
    assert [content(result) for result in results] == [IATI] * 12
    assert all("certificate" in (result.tls_problem or "") for result in results)


def test_a_certificate_that_verifies(secure: Server, tmp_path: Path) -> None:
    results: list[FetchResult] = []
    fetcher = CurlFetcher(limits=LIMITS, guard=LOOPBACK, ca_file=str(tmp_path / "certificate.pem"))
    fetcher.run([FetchRequest("d", secure.url("/good"))], results.append)
    assert content(results[0]) == IATI
    assert results[0].tls_problem is None


def test_no_tls_behind_https(server: Server) -> None:
    result = fetch(server.url("/good").replace("http:", "https:"))
    assert failure(result) == (ErrorType.SSL_ERROR, Cause.TLS)


def test_few_at_a_time_per_host_and_many_in_all(server: Server) -> None:
    other = Server()
    try:
        requests = [FetchRequest(f"a{number}", server.url("/plain")) for number in range(12)]
        requests += [FetchRequest(f"b{number}", other.url("/plain")) for number in range(12)]
        results = fetch_all(requests, concurrency=8, per_host=3)
        assert [content(result) for result in results] == [IATI] * 24
        assert (server.open_most, other.open_most) == (3, 3)
        assert fetch_all(requests[:6], concurrency=2, per_host=6)
        # A host with many files does not hold back another.
        assert {result.request.dataset_id[0] for result in results[:6]} == {"a", "b"}
    finally:
        other.stop()


def test_a_run_can_be_stopped(server: Server) -> None:
    results: list[FetchResult] = []
    requests = [FetchRequest(str(number), server.url("/plain")) for number in range(50)]
    CurlFetcher(limits=LIMITS, guard=LOOPBACK, per_host=1).run(requests, results.append, lambda: len(results) >= 3)
    assert 3 <= len(results) < 10


def test_a_consumer_that_fails_ends_the_run(server: Server) -> None:
    def full_disk(result: FetchResult) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        CurlFetcher(limits=LIMITS, guard=LOOPBACK).run([FetchRequest(str(number), server.url("/plain")) for number in range(9)], full_disk)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("0", None),
        ("90", datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)),
        ("999999999999", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 13:00:00 GMT", datetime(2026, 3, 1, 13, 0, tzinfo=UTC)),
        ("Sun, 01 Mar 2020 13:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after(value: str | None, expected: datetime | None) -> None:
    assert retry_time(value, datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) == expected


def test_one_file_at_a_time_for_the_command_line(server: Server, tmp_path: Path) -> None:
    allowed = Settings(data_dir=tmp_path, fetch_allow_private=True)
    assert fetch_once(server.url("/good"), allowed) == IATI
    with pytest.raises(FetchError, match="The server answered 404 Not Found"):
        fetch_once(server.url("/nothing"), allowed)
    with pytest.raises(FetchError, match="private network"):
        fetch_once(server.url("/good"), Settings(data_dir=tmp_path))


def test_a_folder_source_needs_no_network(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(IATI)
    requests = [FetchRequest("local", server.url("/good"), str(tmp_path), "a.xml"), FetchRequest("remote", server.url("/good"))]
    results: list[FetchResult] = []
    make_fetcher(Settings(data_dir=tmp_path, fetch_allow_private=True)).run(requests, results.append)
    assert [(result.request.dataset_id, result.host) for result in results] == [
        ("local", "folder"),
        ("remote", f"127.0.0.1:{server.server_address[1]}"),
    ]
    assert server.requests == {"/good": 1}


def test_a_slow_consumer_is_not_mistaken_for_a_slow_server(server: Server) -> None:
    """While results are being worked on, transfers go on and nothing piles up without bound."""
    waiting = []

    def work(result: FetchResult) -> None:
        if not waiting:
            time.sleep(2.5)  # longer than connect limit and slowness limit together
            waiting.append(server.requests["/plain"])
        assert content(result) == IATI

    requests = [FetchRequest(str(number), server.url("/plain")) for number in range(60)]
    CurlFetcher(limits=replace(LIMITS, connect_seconds=1, slow_seconds=1), guard=LOOPBACK, concurrency=4, per_host=4).run(requests, work)
    assert server.requests["/plain"] == 60
    assert 8 <= waiting[0] <= 16


def test_a_dead_host_does_not_hold_the_run(server: Server) -> None:
    requests = [FetchRequest(f"dead {number}", server.url("/silent")) for number in range(100)]
    results = fetch_all(requests, replace(LIMITS, retries=0))
    assert {failure(result) for result in results} == {(ErrorType.CONNECTION_ERROR, Cause.RESET)}
    assert 10 <= server.requests["/silent"] < 20
    skipped = [result.failure.summary for result in results if result.failure and result.failure.summary.startswith("Not tried now")]
    assert len(skipped) == 100 - server.requests["/silent"]
    assert sum(result.seconds == 0 for result in results) == len(skipped)
    assert skipped[0].endswith(" connections to this host failed. The server closed the connection without an answer.")


def test_a_host_that_answers_now_and_then_is_not_given_up(server: Server) -> None:
    requests = [FetchRequest(str(number), server.url("/good" if number % 4 == 0 else "/silent")) for number in range(60)]
    results = fetch_all(requests, replace(LIMITS, retries=0), per_host=1)
    assert sum(result.outcome is Outcome.CONTENT for result in results) == 15
    assert server.requests["/silent"] >= 45


def test_a_full_disk_ends_the_run_and_is_not_the_publisher_s_fault(server: Server, tmp_path: Path) -> None:
    Handler.bodies["large"] = b"<iati-activities>" + b" " * 3_000_000
    gone = tmp_path / "gone"  # where large bodies should wait cannot be written
    with pytest.raises(FileNotFoundError):
        CurlFetcher(limits=LIMITS, guard=LOOPBACK, spool=gone).run([FetchRequest("d", server.url("/named/large"))], lambda result: None)

"""Cycles over a registry folder: what is kept, what is written down, what is let go, on both databases."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from iati_platform.bulk import service
from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.exchange import Failure, FetchRequest, FetchResult, Outcome
from iati_platform.bulk.folder import FolderFetcher
from iati_platform.bulk.policy import CheckPolicy
from iati_platform.bulk.recorder import NO_ERROR, Recorder
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.database import reading, writing
from iati_platform.storage.objects import ObjectStore
from tests.bulk.conftest import START, Cycle, activities, identifier


def test_a_file_is_downloaded_once_and_then_only_looked_at(cycle: Cycle) -> None:
    cycle.register("a")
    cycle.write("a", activities())
    first = cycle.run()
    assert (first.checked, first.changed, first.unchanged, first.failed, first.bytes) == (1, 1, 0, 0, len(activities()))
    assert first.changed_datasets == [identifier("a")]
    state = cycle.state("a")
    assert state == service.CheckState(
        dataset_id=identifier("a"),
        last_update_check=START,
        next_check_at=None,
        sha256=hashlib.sha256(activities()).hexdigest(),
        content_length=len(activities()),
        hash=hashlib.sha1(activities()).hexdigest(),
        hash_excluding=hashlib.sha1(activities().replace(b' generated-datetime="2026-01-01T00:00:00Z"', b" ")).hexdigest(),
        encoding="utf-8",
        initial_contents=activities().decode().replace("\n", ""),
        source_url="https://acme.example/a.xml",
        downloaded=START,
        verified_on_server=START,
        modified=START,
        modified_excluding=START,
        most_recent_get_attempt={
            "datetime": "2026-03-01T12:00:00Z",
            "error_details": NO_ERROR,
            "error_occurred": False,
            "http_status": 200,
        },
        most_recent_head_attempt=None,
        error_type=None,
        error_cause=None,
        tls_problem=None,
        failing_since=None,
        consecutive_failures=0,
    )
    assert cycle.contents.read(state.sha256 or "") == activities()
    cycle.wait(minutes=20)
    second = cycle.run()
    assert (second.checked, second.changed, second.unchanged, second.bytes, second.changed_datasets) == (1, 0, 1, 0, [])
    looked_at = {"datetime": "2026-03-01T12:20:00Z", "error_details": NO_ERROR, "error_occurred": False, "http_status": 200}
    assert cycle.state("a") == state._replace(last_update_check=cycle.now, verified_on_server=cycle.now, most_recent_head_attempt=looked_at)
    assert cycle.kinds("a") == ["first_seen", "first_copy"]


def test_one_event_per_change_of_state(cycle: Cycle) -> None:
    cycle.register("a")
    for content in (
        activities(),
        activities(),
        activities(generated="2026-02-02T00:00:00Z"),
        activities("<iati-activity/>"),
        b"<html>maintenance</html>",
        b"<html>maintenance again</html>",
        b"%PDF-1.4",
        activities("<iati-activity/>"),
        activities("<iati-activity/>"),
    ):
        cycle.write("a", content)
        cycle.wait(minutes=20)
        cycle.run()
    assert cycle.kinds("a") == [
        "first_seen",
        "first_copy",
        "timestamp_changed",
        "content_changed",
        "error_started",
        "error_changed",
        "error_ended",
    ]
    state = cycle.state("a")
    assert (state.modified, state.modified_excluding) == (START + timedelta(minutes=80), START + timedelta(minutes=80))
    with reading(cycle.engine) as session:
        events = {str(event.kind): event for event in service.history(session, identifier("a"))}
    assert events["error_changed"].payload == {
        "error_type": "not_iati_content",
        "cause": "pdf",
        "http_status": 200,
        "summary": "A PDF document was received instead of an IATI file.",
    }
    assert events["error_ended"].payload == {"error_type": "not_iati_content", "cause": "pdf", "since": "2026-03-01T13:40:00Z"}
    assert events["content_changed"].content_sha256 == state.sha256
    assert events["content_changed"].previous_sha256 == hashlib.sha256(activities(generated="2026-02-02T00:00:00Z")).hexdigest()


def test_the_last_good_copy_stays_whatever_comes(cycle: Cycle) -> None:
    cycle.register("a")
    cycle.write("a", activities())
    cycle.run()
    good = cycle.state("a")
    for bad in (b"", b"<html/>", b"%PDF-1.4", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"{}", b"<rss/>"):
        cycle.write("a", bad)
        cycle.wait(hours=1)
        assert cycle.run().errors == {"not_iati_content": 1}
        state = cycle.state("a")
        assert (state.sha256, state.downloaded, state.error_type) == (good.sha256, good.downloaded, "not_iati_content")
    (cycle.folder / "a.xml").unlink()
    assert cycle.run().errors == {"http_non_200": 1}
    state = cycle.state("a")
    assert (state.sha256, state.error_cause, state.consecutive_failures, state.failing_since) == (
        good.sha256,
        "status",
        8,
        START + timedelta(hours=1),
    )
    assert state.most_recent_get_attempt == {
        "datetime": "2026-03-01T19:00:00Z",
        "error_occurred": True,
        "http_status": 404,
        "error_details": {
            "detailed_message": None,
            "error_type": "http_non_200",
            "http_headers": {},
            "http_method": "GET",
            "http_reason": "Not Found",
            "http_status": 404,
            "source_url": "https://acme.example/a.xml",
            "summary_message": "The file is not in the registry folder.",
        },
    }


def test_a_copy_expires_72_hours_after_its_last_full_download(cycle: Cycle) -> None:
    cycle.register("a", "b")
    cycle.write("a", activities())
    cycle.write("b", activities("b"))
    cycle.run()
    (cycle.folder / "a.xml").unlink()
    cycle.wait(hours=71, minutes=59)
    cycle.run()
    assert cycle.state("a").sha256 is not None
    cycle.wait(minutes=2)
    cycle.run()
    state = cycle.state("a")
    assert (state.sha256, state.hash, state.downloaded, state.verified_on_server, state.source_url) == (None, None, None, None, None)
    assert state.error_type == "http_non_200"
    assert cycle.state("b").sha256 is not None
    assert cycle.kinds("a")[-1] == "expired"
    cycle.write("a", activities())
    cycle.run()
    assert cycle.kinds("a")[-2:] == ["error_ended", "first_copy"]
    assert cycle.state("a").sha256 == hashlib.sha256(activities()).hexdigest()


def test_a_full_download_once_a_day_though_nothing_changed(cycle: Cycle) -> None:
    cycle.register("a")
    cycle.write("a", activities())
    cycle.run()
    cycle.wait(hours=16)
    assert (cycle.run().bytes, cycle.state("a").downloaded) == (0, START)
    cycle.wait(hours=8)
    summary = cycle.run()
    assert (summary.unchanged, summary.changed, summary.bytes) == (1, 0, len(activities()))
    assert cycle.state("a").downloaded == cycle.now
    assert cycle.state("a").modified == START
    assert cycle.run(force=True).bytes == len(activities())
    assert cycle.kinds("a") == ["first_seen", "first_copy"]


def test_a_changed_address_is_fetched_in_full(cycle: Cycle) -> None:
    cycle.register("a")
    cycle.write("a", activities())
    cycle.run()
    cycle.register("a", url="https://acme.example/moved.xml")
    assert cycle.run().bytes == len(activities())
    assert cycle.state("a").source_url == "https://acme.example/moved.xml"


def test_renamed_removed_and_restored(cycle: Cycle) -> None:
    cycle.register("a", "b", "c")
    for name in ("a", "b", "c"):
        cycle.write(name, activities(name))
    cycle.run()
    cycle.register("a", short_name="a-new")
    removed = cycle.datasets.pop("b")
    cycle.read_registry()
    cycle.wait(hours=1)
    assert cycle.run().checked == 2
    with reading(cycle.engine) as session:
        assert [(ref.short_name, ref.content_sha256) for ref in service.current_datasets(session)] == [
            (name, hashlib.sha256(activities(text)).hexdigest())
            for name, text in sorted([("a-new", "a"), ("c", "c")], key=lambda pair: identifier(pair[1]))
        ]
    assert cycle.kinds("a") == ["first_seen", "first_copy", "renamed"]
    assert cycle.kinds("b") == ["first_seen", "first_copy", "removed"]
    cycle.datasets["b"] = removed
    cycle.organisation = "acme-aid"
    cycle.read_registry()
    assert cycle.run().unchanged == 3
    assert cycle.kinds("b") == ["first_seen", "first_copy", "removed", "restored", "renamed"]
    assert cycle.kinds("c")[-1] == "renamed"


def test_only_what_is_asked_for(cycle: Cycle) -> None:
    cycle.register("a", "b")
    with writing(cycle.engine) as session:
        assert [request.dataset_id for request in service.due(session, START, names=["b"])] == [identifier("b")]
        assert len(service.due(session, START, orgs=["acme"])) == 2
        assert service.due(session, START, orgs=["other"]) == []


def test_what_nothing_refers_to_can_be_deleted(cycle: Cycle, objects: ObjectStore) -> None:
    cycle.register("a", "b")
    cycle.write("a", activities())
    cycle.write("b", activities())
    cycle.run()
    old = cycle.state("a").sha256
    cycle.write("a", activities("<iati-activity/>"))
    cycle.run()
    stray = cycle.contents.put(b"left by a killed process").sha256

    def unreachable(keep: tuple[str, ...] = ()) -> list[str]:
        with reading(cycle.engine) as session:
            return service.unreachable_contents(session, cycle.contents, cycle.now, keep)

    assert unreachable() == [stray]
    assert unreachable((stray,)) == []
    cycle.datasets.pop("b")
    cycle.read_registry()
    cycle.run()
    cycle.wait(days=2)
    cycle.run()
    assert unreachable() == [stray]  # `a` had the same bytes and its history still shows them
    cycle.wait(days=31)
    assert unreachable() == sorted([stray, str(old)])
    with writing(cycle.engine) as session:
        assert service.forget_removed(session, cycle.now) == [identifier("b")]
    service.delete_contents(cycle.contents, ArtefactStore(objects), unreachable())
    assert [sha256 for sha256, _ in cycle.contents.list()] == [cycle.state("a").sha256]


def test_a_dataset_removed_on_request_leaves_nothing_behind(cycle: Cycle, objects: ObjectStore) -> None:
    artefacts = ArtefactStore(objects)
    cycle.register("a", "b")
    cycle.write("a", activities())
    cycle.write("b", activities("shared"))
    cycle.run()
    cycle.write("a", activities("shared"))
    cycle.run()
    first, shared = hashlib.sha256(activities()).hexdigest(), hashlib.sha256(activities("shared")).hexdigest()
    artefacts.write(first, "v1", {"report": b"{}"}, {})
    artefacts.write(shared, "v1", {"report": b"{}"}, {})
    with writing(cycle.engine) as session:
        assert service.purge_dataset(session, cycle.contents, artefacts, identifier("a")) == [first]
        assert service.check_state(session, identifier("a")) is None
        assert service.history(session, identifier("a")) == []
    assert (cycle.contents.exists(first), cycle.contents.exists(shared)) == (False, True)
    assert [sha256 for sha256, _, _ in artefacts.list()] == [shared]


def test_a_lost_content_is_fetched_again(cycle: Cycle) -> None:
    cycle.register("a")
    cycle.write("a", activities())
    cycle.run()
    cycle.contents.delete(cycle.state("a").sha256 or "")
    with writing(cycle.engine) as session:
        service.lost_copies(session, [identifier("a")])
    assert cycle.run().changed == 1
    assert cycle.contents.read(cycle.state("a").sha256 or "") == activities()


def failed(
    cause: Cause = Cause.STATUS, status: int | None = 404, error: ErrorType = ErrorType.HTTP_NON_200, etag: str | None = None
) -> FetchResult:
    request = FetchRequest(identifier("a"), "https://acme.example/a.xml", etag=etag)
    return FetchResult(
        request, Outcome.FAILED, status=status, failure=Failure(error, cause, "It failed."), host="acme.example:443", seconds=2.0
    )


def test_failures_over_the_network_are_asked_less_and_less_often(cycle: Cycle) -> None:
    cycle.register("a")
    with writing(cycle.engine) as session:
        service.due(session, cycle.now)
    pauses = []
    for _ in range(10):
        recorder = Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now)
        recorder.add(failed())
        assert recorder.finish().slowest_hosts[0].host == "acme.example:443"
        next_check = cycle.state("a").next_check_at
        pauses.append(None if next_check is None else (next_check - cycle.now) / timedelta(minutes=1))
    assert pauses == [None, None, 20, 40, 80, 160, 320, 360, 360, 360]
    recorder = Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now)
    throttled = failed(status=429)
    throttled.retry_after = cycle.now + timedelta(minutes=7)
    recorder.add(throttled)
    recorder.finish()
    assert cycle.state("a").next_check_at == cycle.now + timedelta(minutes=7)
    assert cycle.kinds("a") == ["first_seen", "error_started", "error_changed"]


def test_a_pause_is_kept_until_somebody_asks_or_the_address_changes(cycle: Cycle) -> None:
    cycle.register("a", path=None)
    source = cycle.folder
    with writing(cycle.engine) as session:
        request = service.due(session, cycle.now)[0]
    assert (request.folder, request.path) == (str(source), None)
    for _ in range(4):
        recorder = Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now)
        recorder.add(failed())
        recorder.finish()
    with writing(cycle.engine) as session:
        # What was recorded is a check over the network; this dataset's place is a folder, so it is due all the same.
        assert len(service.due(session, cycle.now)) == 1
        assert len(service.due(session, cycle.now, names=["a"])) == 1


def test_a_failing_conditional_request_counts_for_both_attempts(cycle: Cycle) -> None:
    cycle.register("a")
    with writing(cycle.engine) as session:
        service.due(session, cycle.now)
    for status, expected in ((405, "method_not_allowed"), (403, "other_error")):
        recorder = Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now)
        recorder.add(failed(status=status, etag='"x"'))
        recorder.finish()
        state = cycle.state("a")
        assert state.most_recent_head_attempt is not None
        assert state.most_recent_get_attempt is not None
        assert state.most_recent_head_attempt["error_details"]["error_type"] == expected
        assert state.most_recent_head_attempt["error_details"]["http_method"] == "HEAD"
        assert state.most_recent_get_attempt["error_details"]["error_type"] == "http_non_200"


def test_sessions_are_listed_with_what_they_came_to(cycle: Cycle) -> None:
    cycle.register("a", "b")
    cycle.write("a", activities())
    done = cycle.run()
    Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now)  # a process killed before it finished
    with reading(cycle.engine) as session:
        interrupted, listed = service.sessions(session)
    assert listed == done
    assert (done.checked, done.changed, done.failed, done.errors) == (2, 1, 1, {"http_non_200": 1})
    assert (interrupted.ended, interrupted.checked) == (None, 0)


def test_results_come_in_batches_and_none_is_lost(cycle: Cycle) -> None:
    names = [f"d{number}" for number in range(25)]
    cycle.register(*names)
    for name in names:
        cycle.write(name, activities(name))
    with writing(cycle.engine) as session:
        requests = service.due(session, cycle.now)
    offered: list[str] = []
    recorder = Recorder(cycle.engine, cycle.contents, now=lambda: cycle.now, batch=7, on_content=offered.append)
    FolderFetcher().run(requests, recorder.add)
    assert offered == [hashlib.sha256((cycle.folder / (request.path or "")).read_bytes()).hexdigest() for request in requests]
    with reading(cycle.engine) as session:
        assert len(service.current_datasets(session)) == 21  # three full batches are safe before the end
    assert recorder.finish().changed == 25
    assert all(cycle.kinds(name) == ["first_seen", "first_copy"] for name in names)


def test_forced_downloads_are_spread_over_the_hours_before_a_day() -> None:
    policy = CheckPolicy()
    forced_after = [
        next(hours for hours in range(30) if policy.forced(f"dataset {number}", START, START + timedelta(hours=hours)))
        for number in range(400)
    ]
    assert set(forced_after) == set(range(18, 25))
    assert policy.forced("x", None, START)

"""Writing down what checks came to: contents into the store, states and events into the database, a few hundred at a time.

The last good copy stays whatever goes wrong. Contents are stored before the row that names them is committed: a process killed in
between leaves an unnamed content, never a name without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, bindparam, insert, select, update

from iati_platform.bulk.catalogue import ErrorType, head_error_type
from iati_platform.bulk.events import EventKind, HostLine, SessionSummary
from iati_platform.bulk.exchange import Failure, FetchResult, Outcome, place
from iati_platform.bulk.hashes import sha1, sha1_excluding_generated
from iati_platform.bulk.models import CHECK_EVENT, FETCH_SESSION
from iati_platform.bulk.models import CHECK_STATE as _state
from iati_platform.bulk.policy import CheckPolicy
from iati_platform.bulk.service import new_event, rfc3339
from iati_platform.bulk.sniff import sniff
from iati_platform.storage.content import Content, ContentStore
from iati_platform.storage.database import writing

BATCH = 300
_SLOWEST = 10

_KEYS = frozenset({"dataset_id", "short_name", "reporting_org_id", "reporting_org_short_name", "first_seen", "removed_at"})
_CHANGING = tuple(column.name for column in _state.c if column.name not in _KEYS)
_UPDATE = update(_state).where(_state.c.dataset_id == bindparam("key")).values({name: bindparam(f"new_{name}") for name in _CHANGING})

NO_ERROR: dict[str, Any] = {
    "detailed_message": None,
    "error_type": None,
    "http_headers": {},
    "http_method": None,
    "http_reason": None,
    "http_status": None,
    "source_url": None,
    "summary_message": None,
}
"""`error_details` of an attempt without error: the same eight keys, never null itself (§1.3)."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A body that passed as IATI and is in the store."""

    content: Content
    hash: str
    hash_excluding: str
    encoding: str
    initial_contents: str


class Recorder:
    """Takes results (`add`), closes the session (`finish`). Used by one thread.

    `add` may raise what the stores raise (a full disk, a database gone): the run ends then; what was not written is checked again next
    time, and the session stays without an end.
    """

    def __init__(
        self,
        engine: Engine,
        contents: ContentStore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: CheckPolicy | None = None,
        batch: int = BATCH,
        on_content: Callable[[str], None] = lambda sha256: None,
    ) -> None:
        """`on_content` is told the hash of each good body as soon as it is in the store: processing may begin."""
        self._engine = engine
        self._contents = contents
        self._now = now
        self._policy = policy or CheckPolicy()
        self._batch = batch
        self._on_content = on_content
        self._quiet: list[FetchResult] = []
        self._news: list[tuple[FetchResult, _Copy | None, Failure | None]] = []
        self._hosts: dict[str, list[float]] = {}
        self._outcomes: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._bytes = 0
        self._changed: list[str] = []
        self._started = now()
        with writing(engine) as session:
            inserted = session.execute(insert(FETCH_SESSION).values(started=self._started, counts={}).returning(FETCH_SESSION.c.id))
            self._id: int = inserted.scalar_one()

    def add(self, result: FetchResult) -> None:
        """Take over one result, its body included."""
        if result.outcome is Outcome.UNCHANGED and not result.request.failing and result.tls_problem is None:
            self._quiet.append(result)
        else:
            self._news.append(self._look(result))
        self._count(result)
        if len(self._quiet) + len(self._news) >= self._batch:
            self._write()

    def finish(self) -> SessionSummary:
        """Write what is left and close the session."""
        self._write()
        lines = [HostLine(host, int(line[0]), int(line[1]), int(line[2]), round(line[3], 3)) for host, line in self._hosts.items()]
        lines.sort(key=lambda line: (-line.seconds / line.checks, line.host))
        summary = SessionSummary(
            id=self._id,
            started=self._started,
            ended=self._now(),
            checked=sum(self._outcomes.values()),
            unchanged=self._outcomes["unchanged"],
            changed=self._outcomes["changed"],
            failed=self._outcomes["failed"],
            errors=dict(sorted(self._errors.items())),
            bytes=self._bytes,
            slowest_hosts=lines[:_SLOWEST],
            changed_datasets=self._changed,
        )
        counts = {
            "checked": summary.checked,
            "unchanged": summary.unchanged,
            "changed": summary.changed,
            "failed": summary.failed,
            "errors": summary.errors,
            "bytes": summary.bytes,
            "slowest_hosts": [asdict(line) for line in summary.slowest_hosts],
            "changed_datasets": self._changed,
        }
        with writing(self._engine) as session:
            session.execute(update(FETCH_SESSION).where(FETCH_SESSION.c.id == self._id).values(ended=summary.ended, counts=counts))
        return summary

    # -- looking into a body ---------------------------------------------------------------------------------------------------

    def _look(self, result: FetchResult) -> tuple[FetchResult, _Copy | None, Failure | None]:
        body = result.body
        if result.outcome is not Outcome.CONTENT or body is None:
            return result, None, result.failure
        try:
            data = body.read()
        finally:
            body.close()
            result.body = None
        sniffed = sniff(data)
        if sniffed.refusal is not None:
            return result, None, Failure(ErrorType.NOT_IATI_CONTENT, sniffed.refusal.cause, sniffed.refusal.summary)
        excluding = sha1_excluding_generated(data, sniffed.encoding)
        content = self._contents.put(data)
        copy = _Copy(content, sha1(data), excluding, sniffed.encoding, sniffed.initial_contents)
        del data  # it may be large, and whoever is told next may take its time
        self._on_content(content.sha256)
        return result, copy, None

    def _count(self, result: FetchResult) -> None:
        self._bytes += result.received
        line = self._hosts.setdefault(result.host, [0, 0, 0, 0.0])
        line[0] += 1
        line[2] += result.received
        line[3] += result.seconds
        if result.outcome is Outcome.FAILED:
            line[1] += 1

    # -- writing a batch -------------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        if not self._quiet and not self._news:
            return
        now = self._now()
        changed: list[str] = []
        outcomes: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        with writing(self._engine) as session:
            if self._quiet:
                # The common case costs one statement per batch, not one per dataset.
                ids = [result.request.dataset_id for result in self._quiet]
                session.execute(
                    update(_state)
                    .where(_state.c.dataset_id.in_(ids))
                    .values(
                        last_update_check=now,
                        lkg_verified_on_server=now,
                        next_check_at=None,
                        tls_problem=None,
                        most_recent_head_attempt=_success(now),
                    )
                )
                outcomes["unchanged"] += len(ids)
            if self._news:
                ids = [result.request.dataset_id for result, _, _ in self._news]
                rows = {row.dataset_id: dict(row._mapping) for row in session.execute(select(_state).where(_state.c.dataset_id.in_(ids)))}
                events: list[dict[str, Any]] = []
                for result, copy, failure in self._news:
                    row = rows.get(result.request.dataset_id)
                    if row is None:  # removed on request while it was being fetched
                        continue
                    if failure is not None:
                        self._failed(row, result, failure, now, events)
                        outcomes["failed"] += 1
                        errors[str(failure.type)] += 1
                    elif copy is not None:
                        outcome = self._received(row, result, copy, now, events)
                        outcomes[outcome] += 1
                        if outcome == "changed":
                            changed.append(row["dataset_id"])
                    else:
                        self._confirmed(row, result, now, events)
                        outcomes["unchanged"] += 1
                if rows:
                    session.execute(_UPDATE, [_new_values(row) for row in rows.values()])
                if events:
                    session.execute(insert(CHECK_EVENT), events)
        self._outcomes += outcomes
        self._errors += errors
        self._changed += changed
        self._quiet.clear()
        self._news.clear()

    def _checked(self, row: dict[str, Any], result: FetchResult, now: datetime) -> None:
        request = result.request
        row["last_update_check"] = now
        row["checked_url"] = place(request.url, request.folder, request.path)
        row["tls_problem"] = result.tls_problem

    def _failed(self, row: dict[str, Any], result: FetchResult, failure: Failure, now: datetime, events: list[dict[str, Any]]) -> None:
        before = row["most_recent_get_attempt"] or {}
        state = (str(failure.type), str(failure.cause), result.status)
        old = (row["error_type"], row["error_cause"], before.get("http_status"))
        row["most_recent_get_attempt"] = _failure("GET", failure.type, failure, result, now)
        if result.request.conditional:
            row["most_recent_head_attempt"] = _failure("HEAD", head_error_type(failure.type, result.status), failure, result, now)
        kind = EventKind.ERROR_STARTED if row["error_type"] is None else EventKind.ERROR_CHANGED if state != old else None
        if kind is not None:
            payload = {"error_type": state[0], "cause": state[1], "http_status": state[2], "summary": _clean(failure.summary)}
            events.append(new_event(row["dataset_id"], now, kind, payload))
        self._checked(row, result, now)
        row["error_type"], row["error_cause"] = state[0], state[1]
        row["failing_since"] = row["failing_since"] or now
        row["consecutive_failures"] += 1
        in_folder = result.request.folder is not None  # looking into a folder is cheap: no pause
        row["next_check_at"] = (
            None if in_folder else self._policy.after_failure(now, row["consecutive_failures"], failure.cause, result.retry_after)
        )

    def _received(self, row: dict[str, Any], result: FetchResult, copy: _Copy, now: datetime, events: list[dict[str, Any]]) -> str:
        previous = row["lkg_sha256"]
        sha256 = copy.content.sha256
        self._worked(row, result, now, events)
        row["most_recent_get_attempt"] = _success(now)
        kind: EventKind | None = None
        if previous is None:
            kind = EventKind.FIRST_COPY
        elif previous != sha256:
            same = row["lkg_hash_excluding"] == copy.hash_excluding
            kind = EventKind.TIMESTAMP_CHANGED if same else EventKind.CONTENT_CHANGED
        if kind is not None:
            payload = {
                "hash": copy.hash,
                "hash_excluding_generated_timestamp": copy.hash_excluding,
                "content_length": copy.content.size,
                "previous_content_length": row["lkg_content_length"],
            }
            events.append(new_event(row["dataset_id"], now, kind, payload, content=sha256, previous=previous))
            row["lkg_modified"] = now
            if kind is not EventKind.TIMESTAMP_CHANGED:
                row["lkg_modified_excluding"] = now
        row.update(
            lkg_sha256=sha256,
            lkg_crc32=copy.content.crc32,
            lkg_deflated_size=copy.content.deflated_size,
            lkg_content_length=copy.content.size,
            lkg_hash=copy.hash,
            lkg_hash_excluding=copy.hash_excluding,
            lkg_encoding=copy.encoding,
            lkg_initial_contents=copy.initial_contents,
            lkg_source_url=result.request.url or None,
            lkg_server_etag=result.etag,
            lkg_server_last_modified=result.last_modified,
            lkg_downloaded=now,
            lkg_verified_on_server=now,
        )
        return "unchanged" if kind is None else "changed"

    def _confirmed(self, row: dict[str, Any], result: FetchResult, now: datetime, events: list[dict[str, Any]]) -> None:
        self._worked(row, result, now, events)
        row["lkg_verified_on_server"] = now
        row["most_recent_head_attempt"] = _success(now)
        if row["most_recent_get_attempt"] and row["most_recent_get_attempt"]["error_occurred"]:
            row["most_recent_get_attempt"] = _success(now)

    def _worked(self, row: dict[str, Any], result: FetchResult, now: datetime, events: list[dict[str, Any]]) -> None:
        """What every good answer does: an error, if there was one, has ended."""
        self._checked(row, result, now)
        if row["error_type"] is not None:
            payload = {"error_type": row["error_type"], "cause": row["error_cause"], "since": rfc3339(row["failing_since"])}
            events.append(new_event(row["dataset_id"], now, EventKind.ERROR_ENDED, payload))
        row.update(error_type=None, error_cause=None, failing_since=None, consecutive_failures=0, next_check_at=None)


def _new_values(row: dict[str, Any]) -> dict[str, Any]:
    values = {f"new_{name}": row[name] for name in _CHANGING}
    values["key"] = row["dataset_id"]
    return values


def _success(now: datetime) -> dict[str, Any]:
    return {"datetime": rfc3339(now), "error_details": NO_ERROR, "error_occurred": False, "http_status": 200}


def _failure(method: str, error: ErrorType, failure: Failure, result: FetchResult, now: datetime) -> dict[str, Any]:
    details = {
        "detailed_message": _clean(failure.detail),
        "error_type": str(error),
        "http_headers": {_clean(name): _clean(value) for name, value in result.headers.items()},
        "http_method": method,
        "http_reason": _clean(result.reason),
        "http_status": result.status,
        "source_url": result.request.url or None,
        "summary_message": _clean(failure.summary),
    }
    return {"datetime": rfc3339(now), "error_details": details, "error_occurred": True, "http_status": result.status}


def _clean(text: str | None) -> str | None:
    """Text from outside, as every database takes it: PostgreSQL refuses NUL."""
    return None if text is None else text.replace("\0", "\ufffd")

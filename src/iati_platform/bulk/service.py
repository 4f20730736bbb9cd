"""What the other rooms ask of the Bulk Data Service: what is due, what is held, what happened, what may be deleted.

Writing functions take a session and leave the commit to the caller (`storage.database.writing`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from iati_platform.bulk.events import CheckEvent, EventKind, HostLine, SessionSummary
from iati_platform.bulk.exchange import FetchRequest, place
from iati_platform.bulk.models import CHECK_EVENT as _event
from iati_platform.bulk.models import CHECK_STATE as _state
from iati_platform.bulk.models import FETCH_SESSION as _session
from iati_platform.bulk.policy import CheckPolicy
from iati_platform.registry import service as registry
from iati_platform.registry.records import Dataset
from iati_platform.registry.refs import DatasetRef
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore

# SQLite binds at most 32,766 values in a statement, PostgreSQL 65,535.
_CHUNK = 500


class CheckState(NamedTuple):
    """One dataset's file as it stands: for dataset pages. Field meanings as in `models.CheckStateRow`."""

    dataset_id: str
    last_update_check: datetime | None
    next_check_at: datetime | None
    sha256: str | None
    content_length: int | None
    hash: str | None
    hash_excluding: str | None
    encoding: str | None
    initial_contents: str | None
    source_url: str | None
    downloaded: datetime | None
    verified_on_server: datetime | None
    modified: datetime | None
    modified_excluding: datetime | None
    most_recent_get_attempt: dict[str, Any] | None
    most_recent_head_attempt: dict[str, Any] | None
    error_type: str | None
    error_cause: str | None
    tls_problem: str | None
    failing_since: datetime | None
    consecutive_failures: int


_STATE_COLUMNS = (
    _state.c.dataset_id, _state.c.last_update_check, _state.c.next_check_at, _state.c.lkg_sha256, _state.c.lkg_content_length,
    _state.c.lkg_hash, _state.c.lkg_hash_excluding, _state.c.lkg_encoding, _state.c.lkg_initial_contents, _state.c.lkg_source_url,
    _state.c.lkg_downloaded, _state.c.lkg_verified_on_server, _state.c.lkg_modified, _state.c.lkg_modified_excluding,
    _state.c.most_recent_get_attempt, _state.c.most_recent_head_attempt, _state.c.error_type, _state.c.error_cause,
    _state.c.tls_problem, _state.c.failing_since, _state.c.consecutive_failures,
)  # fmt: skip


# -- what is due -----------------------------------------------------------------------------------------------------------------


def due(
    session: Session,
    now: datetime,
    force: bool = False,
    names: Collection[str] = (),
    orgs: Collection[str] = (),
    policy: CheckPolicy | None = None,
) -> list[FetchRequest]:
    """The checks to make now, after bringing the states in line with the registry (so call it in a writing session).

    `names` and `orgs` (short names) narrow it to these datasets and to those of these organisations; what is asked for by name is due
    whatever its schedule says. `force` asks for every file in full.
    """
    policy = policy or CheckPolicy()
    datasets = registry.public_datasets(session)
    synchronise(session, now, datasets)
    columns = (
        _state.c.dataset_id, _state.c.next_check_at, _state.c.checked_url, _state.c.lkg_sha256, _state.c.lkg_server_etag,
        _state.c.lkg_server_last_modified, _state.c.lkg_downloaded, _state.c.error_type,
    )  # fmt: skip
    states = {row[0]: row for row in session.execute(select(*columns).where(_state.c.removed_at.is_(None)))}
    wanted_names, wanted_orgs = frozenset(names), frozenset(orgs)
    by_hand = force or bool(wanted_names or wanted_orgs)
    requests = []
    for dataset in datasets:
        if (wanted_names or wanted_orgs) and not (dataset.short_name in wanted_names or dataset.reporting_org_short_name in wanted_orgs):
            continue
        _, next_check_at, checked_url, sha256, etag, modified, downloaded, error_type = states[dataset.id]
        folder = _folder(dataset)
        same_place = checked_url == place(dataset.url, folder, dataset.path)
        if not by_hand and same_place and next_check_at is not None and next_check_at > now:
            continue
        ask_if_changed = not force and same_place and sha256 is not None and not policy.forced(dataset.id, downloaded, now)
        requests.append(
            FetchRequest(
                dataset.id,
                dataset.url or "",
                folder,
                dataset.path if folder is not None else None,
                etag if ask_if_changed else None,
                modified if ask_if_changed else None,
                error_type is not None,
            )
        )
    return requests


def _folder(dataset: Dataset) -> str | None:
    spec = dataset.source_spec
    return spec if spec is not None and spec.startswith("/") else None


def synchronise(session: Session, now: datetime, datasets: Collection[Dataset]) -> None:
    """Make a state for each new dataset, note renames, and mark what is not published any more (§6.1: hidden at once)."""
    known = {
        row[0]: row
        for row in session.execute(
            select(
                _state.c.dataset_id, _state.c.short_name, _state.c.reporting_org_id, _state.c.reporting_org_short_name, _state.c.removed_at
            )
        )
    }
    events: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []

    def note(dataset_id: str, kind: EventKind, **payload: object) -> None:
        events.append(new_event(dataset_id, now, kind, payload))

    for dataset in datasets:
        names = (dataset.short_name, dataset.reporting_org_id, dataset.reporting_org_short_name)
        row = known.pop(dataset.id, None)
        if row is None:
            new.append(
                {
                    "dataset_id": dataset.id,
                    "short_name": names[0],
                    "reporting_org_id": names[1],
                    "reporting_org_short_name": names[2],
                    "first_seen": now,
                    "consecutive_failures": 0,
                }
            )
            note(dataset.id, EventKind.FIRST_SEEN, short_name=names[0], reporting_org_short_name=names[2], source_url=dataset.url)
            continue
        if (row[1], row[2], row[3]) == names and row[4] is None:
            continue
        changed.append({"key": dataset.id, "name": names[0], "org_id": names[1], "org_name": names[2]})
        if row[4] is not None:
            note(dataset.id, EventKind.RESTORED)
        if (row[1], row[3]) != (names[0], names[2]):
            note(dataset.id, EventKind.RENAMED, old=f"{row[3]}/{row[1]}", new=f"{names[2]}/{names[0]}")
    gone = [row[0] for row in known.values() if row[4] is None]
    for dataset_id in gone:
        note(dataset_id, EventKind.REMOVED)
    for part in _chunks(new):
        session.execute(insert(_state), part)
    if changed:
        session.execute(
            update(_state)
            .where(_state.c.dataset_id == bindparam("key"))
            .values(
                short_name=bindparam("name"),
                reporting_org_id=bindparam("org_id"),
                reporting_org_short_name=bindparam("org_name"),
                removed_at=None,
            ),
            changed,
        )
    for part_ids in _chunks(gone):
        session.execute(update(_state).where(_state.c.dataset_id.in_(part_ids)).values(removed_at=now))
    for part in _chunks(events):
        session.execute(insert(_event), part)


def expire(session: Session, now: datetime, policy: CheckPolicy | None = None) -> list[str]:
    """Let go of good copies whose last full download is too long ago while the source fails (§6.3). Returns the dataset ids.

    Only the reference goes; the content itself is collected with everything else that nothing refers to.
    """
    policy = policy or CheckPolicy()
    rows = session.execute(
        select(_state.c.dataset_id, _state.c.lkg_sha256, _state.c.lkg_downloaded).where(
            _state.c.lkg_sha256.is_not(None), _state.c.error_type.is_not(None), _state.c.lkg_downloaded < now - policy.remove_last_good
        )
    ).all()
    ids = [row[0] for row in rows]
    nothing: dict[str, None] = {column.name: None for column in _state.c if column.name.startswith("lkg_")}
    for part in _chunks(ids):
        session.execute(update(_state).where(_state.c.dataset_id.in_(part)).values(nothing))
    events = [
        new_event(dataset_id, now, EventKind.EXPIRED, {"downloaded": rfc3339(downloaded)}, previous=sha256)
        for dataset_id, sha256, downloaded in rows
    ]
    if events:
        session.execute(insert(_event), events)
    return ids


# -- what is held ----------------------------------------------------------------------------------------------------------------


def check_state(session: Session, dataset_id: str) -> CheckState | None:
    """The state of one dataset's file; None before it was ever due."""
    row = session.execute(select(*_STATE_COLUMNS).where(_state.c.dataset_id == dataset_id)).one_or_none()
    return None if row is None else CheckState._make(row)


def current_datasets(session: Session) -> list[DatasetRef]:
    """Every published dataset that has a good copy: what a generation is made of."""
    held = {
        row[0]: row
        for row in session.execute(
            select(_state.c.dataset_id, _state.c.lkg_sha256, _state.c.lkg_hash_excluding, _state.c.lkg_source_url).where(
                _state.c.lkg_sha256.is_not(None), _state.c.removed_at.is_(None)
            )
        )
    }
    return [
        DatasetRef(
            id=dataset.id,
            short_name=dataset.short_name,
            reporting_org_id=dataset.reporting_org_id,
            reporting_org_short_name=dataset.reporting_org_short_name,
            content_sha256=held[dataset.id][1],
            hash_excluding=held[dataset.id][2],
            licence_id=dataset.licence_id,
            source_url=dataset.url,
        )
        for dataset in registry.public_datasets(session)
        if dataset.id in held
    ]


def history(session: Session, dataset_id: str, limit: int = 100, before: int | None = None) -> list[CheckEvent]:
    """A dataset's events, newest first; `before` an event id pages on."""
    statement = select(_event).where(_event.c.dataset_id == dataset_id).order_by(_event.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_event.c.id < before)
    return [
        CheckEvent(row.id, row.dataset_id, row.at, EventKind(row.kind), row.content_sha256, row.previous_sha256, row.payload)
        for row in session.execute(statement)
    ]


def sessions(session: Session, limit: int = 50) -> list[SessionSummary]:
    """The latest fetch sessions, newest first; `ended` is None for one that runs or was interrupted."""
    rows = session.execute(select(_session).order_by(_session.c.id.desc()).limit(limit))
    return [_summary(row.id, row.started, row.ended, row.counts) for row in rows]


def _summary(number: int, started: datetime, ended: datetime | None, counts: dict[str, Any]) -> SessionSummary:
    return SessionSummary(
        id=number,
        started=started,
        ended=ended,
        checked=counts.get("checked", 0),
        unchanged=counts.get("unchanged", 0),
        changed=counts.get("changed", 0),
        failed=counts.get("failed", 0),
        errors=counts.get("errors", {}),
        bytes=counts.get("bytes", 0),
        slowest_hosts=[HostLine(**line) for line in counts.get("slowest_hosts", [])],
        changed_datasets=counts.get("changed_datasets", []),
    )


# -- what may be deleted ---------------------------------------------------------------------------------------------------------


def purge_dataset(session: Session, contents: ContentStore, artefacts: ArtefactStore, dataset_id: str) -> list[str]:
    """Remove a dataset's state, history and every content that no other dataset uses, with its artefacts. Returns their hashes.

    The registry's record is not touched; published generations keep the content until they are replaced.
    """
    used = {
        sha256
        for statement in (
            select(_state.c.lkg_sha256).where(_state.c.dataset_id == dataset_id),
            select(_event.c.content_sha256).where(_event.c.dataset_id == dataset_id),
            select(_event.c.previous_sha256).where(_event.c.dataset_id == dataset_id),
        )
        for sha256 in session.scalars(statement)
        if sha256 is not None
    }
    session.execute(delete(_event).where(_event.c.dataset_id == dataset_id))
    session.execute(delete(_state).where(_state.c.dataset_id == dataset_id))
    elsewhere: set[str] = set()
    for part in _chunks(sorted(used)):
        for statement in (
            select(_state.c.lkg_sha256).where(_state.c.lkg_sha256.in_(part)),
            select(_event.c.content_sha256).where(_event.c.content_sha256.in_(part)),
            select(_event.c.previous_sha256).where(_event.c.previous_sha256.in_(part)),
        ):
            elsewhere.update(sha256 for sha256 in session.scalars(statement) if sha256 is not None)
    removed = sorted(used - elsewhere)
    session.flush()
    delete_contents(contents, artefacts, removed)
    return removed


def unreachable_contents(
    session: Session, contents: ContentStore, now: datetime, keep: Collection[str] = (), policy: CheckPolicy | None = None
) -> list[str]:
    """Hashes in the store that nothing needs: no current copy, no version young enough for the history, none in `keep`.

    `keep` are the contents of generations that readers may still have open. Call it while nothing is being fetched.
    """
    policy = policy or CheckPolicy()
    reachable = set(keep)
    statements = (
        select(_state.c.lkg_sha256).where(or_(_state.c.removed_at.is_(None), _state.c.removed_at >= now - policy.grace)),
        select(_event.c.previous_sha256).where(
            _event.c.at >= now - policy.keep_versions, _event.c.kind.in_([EventKind.CONTENT_CHANGED, EventKind.EXPIRED])
        ),
    )
    for statement in statements:
        reachable.update(sha256 for sha256 in session.scalars(statement) if sha256 is not None)
    return sorted(sha256 for sha256, _ in contents.list() if sha256 not in reachable)


def lost_copies(session: Session, dataset_ids: Collection[str]) -> None:
    """Forget the good copies of these datasets, whose contents turned out to be missing: the next check fetches them in full."""
    nothing: dict[str, None] = {column.name: None for column in _state.c if column.name.startswith("lkg_")}
    for part in _chunks(sorted(dataset_ids)):
        session.execute(update(_state).where(_state.c.dataset_id.in_(part)).values(nothing | {"next_check_at": None}))


def forget_removed(session: Session, now: datetime, policy: CheckPolicy | None = None) -> list[str]:
    """Drop the states of datasets that left the registry longer than the grace period ago; their events stay. Returns the ids."""
    policy = policy or CheckPolicy()
    ids = list(session.scalars(select(_state.c.dataset_id).where(_state.c.removed_at < now - policy.grace)))
    for part in _chunks(ids):
        session.execute(delete(_state).where(_state.c.dataset_id.in_(part)))
    return ids


def delete_contents(contents: ContentStore, artefacts: ArtefactStore, hashes: Collection[str]) -> None:
    """Delete contents and everything derived from them."""
    if not hashes:
        return
    doomed = frozenset(hashes)
    for sha256, code_version, _ in list(artefacts.list()):
        if sha256 in doomed:
            artefacts.delete(sha256, code_version)
    for sha256 in doomed:
        contents.delete(sha256)


# -- small shared parts ----------------------------------------------------------------------------------------------------------


def new_event(
    dataset_id: str, at: datetime, kind: EventKind, payload: dict[str, Any], *, content: str | None = None, previous: str | None = None
) -> dict[str, Any]:
    """A row for `check_event`."""
    return {
        "dataset_id": dataset_id,
        "at": at,
        "kind": str(kind),
        "content_sha256": content,
        "previous_sha256": previous,
        "payload": payload,
    }


def rfc3339(moment: datetime | None) -> str | None:
    """`2026-11-22T17:00:00Z`, the only way times are written on the wire."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


__all__ = [
    "CheckState", "check_state", "current_datasets", "delete_contents", "due", "expire", "forget_removed", "history", "lost_copies",
    "purge_dataset",
    "sessions", "synchronise", "unreachable_contents",
]  # fmt: skip

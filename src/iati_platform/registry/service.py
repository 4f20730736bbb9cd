"""What can be asked of the registry, and what can be done to it. Takes a session, answers value types (`records`).

What is *public*: a dataset that is registered, has public visibility, and whose organisation is registered, approved and
discoverable. Lists are ordered by short name.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from iati_platform.registry import names
from iati_platform.registry.importers.source import folder_of
from iati_platform.registry.models import DatasetRow, EventRow, FormerNameRow, OrganisationRow, SourceRow, WithheldRow
from iati_platform.registry.records import Counts, Dataset, Event, Organisation, Page, Source

PAGE_MAXIMUM = 1000
GRACE_DAYS = 30
"""How long a record that left its source is kept, hidden."""

_PUBLIC_ORGANISATION = and_(
    OrganisationRow.removed_at.is_(None), OrganisationRow.state == "approved", OrganisationRow.discoverable.is_(True)
)
_PUBLIC_DATASET = and_(DatasetRow.removed_at.is_(None), DatasetRow.visibility == "public", _PUBLIC_ORGANISATION)


class NotRegistered(KeyError):
    """There is no such organisation or dataset."""


# ── datasets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _datasets() -> Select[*tuple[Any, ...]]:
    return (
        select(
            DatasetRow.id,
            DatasetRow.short_name,
            DatasetRow.reporting_org_id,
            OrganisationRow.short_name,
            OrganisationRow.human_readable_name,
            DatasetRow.file_type,
            DatasetRow.url,
            DatasetRow.path,
            DatasetRow.licence_id,
            DatasetRow.visibility,
            SourceRow.spec,
            DatasetRow.created_at,
            DatasetRow.updated_at,
        )
        .join(OrganisationRow, OrganisationRow.id == DatasetRow.reporting_org_id)
        .outerjoin(SourceRow, SourceRow.id == DatasetRow.source_id)
        .where(_PUBLIC_DATASET)
    )


def public_datasets(session: Session) -> list[Dataset]:
    """Every public dataset, ordered by id: what is fetched, processed and published."""
    return [Dataset._make(row) for row in session.execute(_datasets().order_by(DatasetRow.id))]


def list_datasets(session: Session, q: str = "", org: str | None = None, start: int = 0, limit: int = 50) -> Page[Dataset]:
    """Public datasets with every word of `q` in their short name or their organisation's names; `org` is an organisation's short name."""
    where: list[Any] = [or_(_holds(DatasetRow.short_name, w), _holds(OrganisationRow.search_text, w)) for w in names.search_words(q)]
    if org is not None:
        where.append(OrganisationRow.short_name == org)
    start, limit = _bounds(start, limit)
    found = _datasets().where(*where)
    total = session.scalar(select(func.count()).select_from(found.subquery("found")))
    rows = session.execute(found.order_by(DatasetRow.short_name).offset(start).limit(limit))
    return Page([Dataset._make(row) for row in rows], total or 0, start, limit)


def dataset(session: Session, short_name: str) -> Dataset:
    """The public dataset with this short name or, failing that, the one that once had it (compare `short_name` to redirect)."""
    row = session.execute(_datasets().where(DatasetRow.short_name == short_name)).first()
    if row is None:
        former = _former(session, "dataset", short_name)
        row = session.execute(_datasets().where(DatasetRow.id == former)).first() if former else None
    if row is None:
        raise NotRegistered(short_name)
    return Dataset._make(row)


def dataset_by_id(session: Session, dataset_id: str) -> Dataset:
    """The public dataset with this id."""
    row = session.execute(_datasets().where(DatasetRow.id == dataset_id)).first()
    if row is None:
        raise NotRegistered(dataset_id)
    return Dataset._make(row)


def local_file(registered: Dataset) -> Path | None:
    """Where a dataset of a folder source lies, existing or not; None when it is fetched from its URL.

    Raises `ValueError` when the path leads out of the folder (through a symbolic link, for instance) or is not given.
    """
    folder = folder_of(registered.source_spec)
    if folder is None:
        return None
    if registered.path is None:
        raise ValueError(f"{registered.short_name} has no path in {folder}")
    file = (folder / registered.path).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ValueError(f"{registered.path} leads out of {folder}")
    return file


def remove_dataset(session: Session, dataset_id: str, *, actor: str, at: datetime) -> None:
    """Remove a dataset and its history on request; no import brings it back until `allow_dataset`.

    Its content, artefacts and check history are other rooms' to remove. Raises `NotRegistered`.
    """
    if session.scalar(select(DatasetRow.id).where(DatasetRow.id == dataset_id)) is None:
        raise NotRegistered(dataset_id)
    _erase(session, "dataset", [dataset_id])
    session.execute(delete(DatasetRow).where(DatasetRow.id == dataset_id))
    session.execute(insert(WithheldRow).values(dataset_id=dataset_id, at=at, actor=actor))
    record(session, "removed", "dataset", dataset_id, actor=actor, at=at, payload={})


def allow_dataset(session: Session, dataset_id: str, *, actor: str, at: datetime) -> None:
    """Let the next import bring back a dataset that was removed on request. Raises `NotRegistered` when it was not."""
    if session.scalar(select(WithheldRow.dataset_id).where(WithheldRow.dataset_id == dataset_id)) is None:
        raise NotRegistered(dataset_id)
    session.execute(delete(WithheldRow).where(WithheldRow.dataset_id == dataset_id))
    record(session, "allowed", "dataset", dataset_id, actor=actor, at=at, payload={})


def purge(session: Session, *, before: datetime) -> list[str]:
    """Delete datasets and organisations that left their source before that time, history included. Returns the datasets' ids."""
    datasets = list(session.scalars(select(DatasetRow.id).where(DatasetRow.removed_at < before)))
    _erase(session, "dataset", datasets)
    session.execute(delete(DatasetRow).where(DatasetRow.removed_at < before))
    owners = select(DatasetRow.reporting_org_id)
    leaving = and_(OrganisationRow.removed_at < before, OrganisationRow.id.not_in(owners))
    organisations = list(session.scalars(select(OrganisationRow.id).where(leaving)))
    _erase(session, "organisation", organisations)
    session.execute(delete(OrganisationRow).where(leaving))
    return datasets


# ── organisations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _organisations() -> Select[*tuple[Any, ...]]:
    published = (
        select(DatasetRow.reporting_org_id, func.count().label("datasets"))
        .where(DatasetRow.removed_at.is_(None), DatasetRow.visibility == "public")
        .group_by(DatasetRow.reporting_org_id)
        .subquery("published")
    )
    columns = [getattr(OrganisationRow, name) for name in Organisation._fields if name != "datasets"]
    return (
        select(*columns, func.coalesce(published.c.datasets, 0))
        .outerjoin(published, published.c.reporting_org_id == OrganisationRow.id)
        .where(_PUBLIC_ORGANISATION)
    )


def list_organisations(session: Session, q: str = "", start: int = 0, limit: int = 50) -> Page[Organisation]:
    """Public organisations whose names or identifier hold every word of `q`."""
    start, limit = _bounds(start, limit)
    where = [_holds(OrganisationRow.search_text, word) for word in names.search_words(q)]
    total = session.scalar(select(func.count()).select_from(OrganisationRow).where(_PUBLIC_ORGANISATION, *where))
    rows = session.execute(_organisations().where(*where).order_by(OrganisationRow.short_name).offset(start).limit(limit))
    return Page([Organisation._make(row) for row in rows], total or 0, start, limit)


def public_organisations(session: Session) -> list[Organisation]:
    """Every public organisation, ordered by id."""
    return [Organisation._make(row) for row in session.execute(_organisations().order_by(OrganisationRow.id))]


def organisation(session: Session, short_name: str) -> Organisation:
    """The public organisation with this short name or, failing that, the one that once had it."""
    row = session.execute(_organisations().where(OrganisationRow.short_name == short_name)).first()
    if row is None:
        former = _former(session, "organisation", short_name)
        row = session.execute(_organisations().where(OrganisationRow.id == former)).first() if former else None
    if row is None:
        raise NotRegistered(short_name)
    return Organisation._make(row)


def counts(session: Session) -> Counts:
    """How much is public."""
    organisations = session.scalar(select(func.count()).select_from(OrganisationRow).where(_PUBLIC_ORGANISATION))
    publishing, datasets = session.execute(
        select(func.count(DatasetRow.reporting_org_id.distinct()), func.count())
        .select_from(DatasetRow)
        .join(OrganisationRow, OrganisationRow.id == DatasetRow.reporting_org_id)
        .where(_PUBLIC_DATASET)
    ).one()
    return Counts(organisations or 0, publishing, datasets)


# ── sources and events ────────────────────────────────────────────────────────────────────────────────────────────────


def sources(session: Session) -> list[Source]:
    """The remembered sources, oldest first."""
    rows = session.scalars(select(SourceRow).where(SourceRow.superseded_at.is_(None)).order_by(SourceRow.id))
    return [
        Source(r.id, r.spec, r.added_at, r.last_attempt_at, r.last_import_at, r.last_refusal, r.last_rejections or [], r.last_held or [])
        for r in rows
    ]


def events(session: Session, subject: str, start: int = 0, limit: int = 50) -> Page[Event]:
    """The events of one subject, newest first. `subject` is the id of an organisation or dataset, or of a source as text."""
    start, limit = _bounds(start, limit)
    total = session.scalar(select(func.count()).select_from(EventRow).where(EventRow.subject_id == subject))
    columns = [getattr(EventRow, name) for name in Event._fields]
    rows = session.execute(select(*columns).where(EventRow.subject_id == subject).order_by(EventRow.id.desc()).offset(start).limit(limit))
    return Page([Event._make(row) for row in rows], total or 0, start, limit)


def record(session: Session, kind: str, subject_kind: str, subject_id: str, *, actor: str, at: datetime, payload: dict[str, Any]) -> None:
    """Add an event to the log."""
    values = {"at": at, "kind": kind, "subject_kind": subject_kind, "subject_id": subject_id, "actor": actor, "payload": payload}
    session.execute(insert(EventRow).values(values))


def _erase(session: Session, subject_kind: str, ids: list[str]) -> None:
    for first in range(0, len(ids), 500):  # SQLite takes a limited number of parameters
        part = ids[first : first + 500]
        for model in (EventRow, FormerNameRow):
            session.execute(delete(model).where(model.subject_kind == subject_kind, model.subject_id.in_(part)))


def _former(session: Session, subject_kind: str, short_name: str) -> str | None:
    """The id that had this name last."""
    return session.scalar(
        select(FormerNameRow.subject_id)
        .where(FormerNameRow.subject_kind == subject_kind, FormerNameRow.short_name == short_name)
        .order_by(FormerNameRow.id.desc())
        .limit(1)
    )


def _holds(column: Any, word: str) -> Any:
    return column.contains(word, autoescape=True)


def _bounds(start: int, limit: int) -> tuple[int, int]:
    return max(0, start), max(0, min(limit, PAGE_MAXIMUM))

"""Importing: read a source, compare, and write everything in one transaction or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, exists, insert, select, update
from sqlalchemy.orm import Session

from iati_platform.registry.importers import applying, comparing
from iati_platform.registry.importers.checking import DATASET, ORGANISATION, Values
from iati_platform.registry.importers.registry_json import Document, Unreadable, read_document
from iati_platform.registry.importers.results import ImportResult, Tally
from iati_platform.registry.importers.source import parse_source
from iati_platform.registry.models import DatasetRow, EventRow, OrganisationRow, SourceRow, WithheldRow
from iati_platform.storage.database import one_at_a_time, reading, writing

REMARKS_KEPT = 1000
_ORGANISATION_OF_DATASET = tuple(DATASET.fields).index("reporting_org_id")


def import_source(
    engine: Engine,
    source: str,
    *,
    actor: str = "operator",
    allow_private: bool = False,
    accept_shrinkage: bool = False,
    now: datetime | None = None,
) -> ImportResult:
    """Bring a SOURCE into the registry because somebody asked for it, and remember it.

    Records another source brought are taken over. `accept_shrinkage` overrides the safety valve (an operator looked).
    Raises `SourceError` for a SOURCE that is not understood, or that cannot be read and was never imported before;
    an unreadable remembered one gives a result with `refused`. Killed in the middle, the registry is as before.
    """
    spec = parse_source(source)
    moment = now or datetime.now(UTC)
    try:
        document = read_document(spec, allow_private=allow_private)
    except Unreadable as error:
        if not _refuse(engine, spec.text, str(error), actor, moment):
            raise
        return ImportResult(spec.text, refused=str(error))
    return import_document(engine, spec.text, document, actor=actor, take_over=True, accept_shrinkage=accept_shrinkage, now=moment)


def import_remembered(
    engine: Engine, *, actor: str = "refresh", allow_private: bool = False, now: datetime | None = None
) -> list[ImportResult]:
    """Read every remembered source again, oldest first. What cannot be read or is refused changes nothing and is recorded."""
    with reading(engine) as session:
        specs = session.scalars(select(SourceRow.spec).where(SourceRow.superseded_at.is_(None)).order_by(SourceRow.id)).all()
    results = []
    for text in specs:
        moment = now or datetime.now(UTC)
        try:
            document = read_document(parse_source(text), allow_private=allow_private)
        except Unreadable as error:
            _refuse(engine, text, str(error), actor, moment)
            results.append(ImportResult(text, refused=str(error)))
        else:
            results.append(import_document(engine, text, document, actor=actor, take_over=False, now=moment))
    return results


def import_document(
    engine: Engine,
    spec: str,
    document: Document,
    *,
    actor: str,
    take_over: bool,
    now: datetime,
    accept_shrinkage: bool = False,
) -> ImportResult:
    """Make the registry what a document of the source `spec` (canonical) says, in one transaction."""
    with writing(engine) as session:
        one_at_a_time(session, "import")
        source_id = _source_id(session, spec, now)
        result = _import(session, source_id, spec, document, actor, take_over, accept_shrinkage, now)
    if result.refused is not None:
        _refuse(engine, spec, result.refused, actor, now)
    return result


def _import(
    session: Session, source_id: int, spec: str, document: Document, actor: str, take_over: bool, accept_shrinkage: bool, now: datetime
) -> ImportResult:
    organisations = applying.known_rows(session, OrganisationRow, ORGANISATION)
    datasets = applying.known_rows(session, DatasetRow, DATASET)
    named_organisations = comparing.mentions(document.organisations, organisations)
    named_datasets = comparing.mentions(document.datasets, datasets)
    if not accept_shrinkage:
        for kind, known, named in (("organisation", organisations, named_organisations), ("dataset", datasets, named_datasets)):
            reason = comparing.shrinkage(kind, known, named, source_id)
            if reason is not None:
                return ImportResult(spec, refused=f"{spec}: {reason}; nothing was changed")

    leaving_datasets = comparing.gone(datasets, named_datasets, source_id)
    leaving_organisations = comparing.gone(organisations, named_organisations, source_id)
    held: set[str] = set()
    if not accept_shrinkage:
        held = comparing.emptied_organisations(datasets, leaving_datasets, named_datasets, _ORGANISATION_OF_DATASET)
        leaving_datasets = {row_id for row_id in leaving_datasets if datasets[row_id].values[_ORGANISATION_OF_DATASET] not in held}
        leaving_organisations -= held

    others = frozenset() if take_over else frozenset(session.scalars(select(SourceRow.id).where(SourceRow.id != source_id)))
    withheld = frozenset(session.scalars(select(WithheldRow.dataset_id)))
    terms = comparing.Terms(source_id, others, withheld)
    found_organisations = comparing.compare(ORGANISATION, document.organisations, organisations, leaving_organisations, terms)
    there = {row_id for row_id, row in organisations.items() if row.live and row_id not in leaving_organisations}
    there.update(found_organisations.added, found_organisations.changed)

    def object_to(values: Values) -> str | None:
        organisation = values[_ORGANISATION_OF_DATASET]
        return None if organisation in there else f"its reporting organisation {organisation} is not registered"

    found_datasets = comparing.compare(DATASET, document.datasets, datasets, leaving_datasets, terms, object_to)

    common: dict[str, Any] = {"source_id": source_id, "source": spec, "actor": actor, "now": now}
    applying.write_comparison(session, OrganisationRow, found_organisations, organisations, **common)
    applying.write_comparison(session, DatasetRow, found_datasets, datasets, **common)
    result = ImportResult(
        spec,
        found_organisations.tally(),
        found_datasets.tally(),
        rejected=(*found_organisations.rejected, *found_datasets.rejected),
        warnings=(*found_organisations.warnings, *found_datasets.warnings),
        held=tuple(sorted(organisations[row_id].values[0] for row_id in held)),
    )
    _record_success(session, source_id, result, actor, now)
    if take_over:
        _supersede(session, source_id, now)
    return result


def _source_id(session: Session, spec: str, now: datetime) -> int:
    found = session.scalar(select(SourceRow.id).where(SourceRow.spec == spec))
    if found is not None:
        return found
    row = SourceRow(spec=spec, added_at=now)
    session.add(row)
    session.flush()
    return row.id


def _record_success(session: Session, source_id: int, result: ImportResult, actor: str, now: datetime) -> None:
    remarks = [
        {"level": level, "kind": remark.kind, "name": remark.name, "reason": remark.reason}
        for level, group in (("rejected", result.rejected), ("warning", result.warnings))
        for remark in group
    ][:REMARKS_KEPT]
    before = session.execute(select(SourceRow.last_rejections, SourceRow.last_held).where(SourceRow.id == source_id)).one()
    session.execute(
        update(SourceRow)
        .where(SourceRow.id == source_id)
        .values(
            last_attempt_at=now,
            last_import_at=now,
            last_refusal=None,
            last_rejections=remarks,
            last_held=list(result.held),
            superseded_at=None,
        )
    )
    if result.differs or before.last_rejections != remarks or (before.last_held or []) != list(result.held):
        payload = {
            "organisations": _counts(result.organisations),
            "datasets": _counts(result.datasets),
            "rejected": len(result.rejected),
            "warnings": len(result.warnings),
            "held": list(result.held),
            "source": result.source,
        }
        _event(session, "held" if result.held else "imported", source_id, actor, now, payload)


def _counts(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in ("added", "changed", "gone", "unchanged", "elsewhere")}


def _refuse(engine: Engine, spec: str, reason: str, actor: str, now: datetime) -> bool:
    """Record that a source changed nothing and why; an event only when the reason is a new one. False for a source never imported."""
    with writing(engine) as session:
        row = session.scalar(select(SourceRow).where(SourceRow.spec == spec))
        if row is None:
            return False
        row.last_attempt_at = now
        if row.last_refusal != reason:
            row.last_refusal = reason
            _event(session, "refused", row.id, actor, now, {"reason": reason, "source": spec})
    return True


def _supersede(session: Session, source_id: int, now: datetime) -> None:
    """Stop reading sources that another one has taken everything over from."""
    owns = [exists().where(model.source_id == SourceRow.id, model.removed_at.is_(None)) for model in (OrganisationRow, DatasetRow)]
    session.execute(
        update(SourceRow).where(SourceRow.id != source_id, SourceRow.superseded_at.is_(None), ~owns[0], ~owns[1]).values(superseded_at=now)
    )


def _event(session: Session, kind: str, source_id: int, actor: str, now: datetime, payload: Mapping[str, Any]) -> None:
    session.execute(
        insert(EventRow).values(at=now, kind=kind, subject_kind="source", subject_id=str(source_id), actor=actor, payload=dict(payload))
    )

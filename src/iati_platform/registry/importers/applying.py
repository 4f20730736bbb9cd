"""Writes what a comparison found, with an event for every change. Runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from iati_platform.registry import names
from iati_platform.registry.importers.checking import Kind, Values
from iati_platform.registry.importers.comparing import Comparison, Known
from iati_platform.registry.models import DatasetRow, EventRow, FormerNameRow, OrganisationRow

Row = type[OrganisationRow] | type[DatasetRow]


def known_rows(session: Session, model: Row, kind: Kind) -> dict[str, Known]:
    """Every row of a table, also the removed ones, as the comparison wants them. Plain tuples: no ORM object per row."""
    columns = [getattr(model, name) for name in kind.fields]
    width = len(columns)
    statement = select(model.id, model.source_id, model.removed_at.is_(None), *columns)
    return {row[0]: Known(tuple(row[3 : 3 + width]), row[1], bool(row[2])) for row in session.execute(statement)}


def write_comparison(
    session: Session, model: Row, found: Comparison, known: Mapping[str, Known], *, source_id: int, source: str, actor: str, now: datetime
) -> None:
    """Make the table what the comparison says."""
    fields = tuple(found.kind.fields)
    table = cast(Table, model.__table__)
    events: list[dict[str, Any]] = []

    def note(kind: str, row_id: str, payload: dict[str, Any]) -> None:
        events.append(
            {
                "at": now,
                "kind": kind,
                "subject_kind": found.kind.name,
                "subject_id": row_id,
                "actor": actor,
                "payload": {**payload, "source": source},
            }
        )

    if found.gone:
        # First of all, so that the names they had are free.
        session.execute(
            update(table).where(table.c.id == bindparam("row")).values(removed_at=now), [{"row": row_id} for row_id in found.gone]
        )
        for row_id in sorted(found.gone):
            note("gone", row_id, {"before": dict(zip(fields, known[row_id].values, strict=True))})

    renamed = {row_id for row_id, values in found.changed.items() if known[row_id].live and known[row_id].values[0] != values[0]}
    if renamed:
        # Two rows may exchange names: nobody may hold the old one while the new ones are handed out. Ids are free as names.
        session.execute(
            update(table).where(table.c.id == bindparam("row")).values(short_name=bindparam("row")), [{"row": r} for r in renamed]
        )
        session.execute(
            insert(FormerNameRow),
            [
                {"subject_kind": found.kind.name, "subject_id": row_id, "short_name": known[row_id].values[0], "until": now}
                for row_id in sorted(renamed)
            ],
        )

    if found.changed:
        statement = (
            update(table)
            .where(table.c.id == bindparam("row"))
            .values(
                {
                    **{name: bindparam(f"new_{name}") for name in (*fields, *_derived(model, fields, None))},
                    "source_id": source_id,
                    "updated_at": now,
                    "removed_at": None,
                }
            )
        )
        session.execute(
            statement,
            [
                {"row": row_id, **{f"new_{name}": value for name, value in _columns(model, fields, values).items()}}
                for row_id, values in found.changed.items()
            ],
        )
        for row_id, values in found.changed.items():
            before = known[row_id]
            note("changed" if before.live else "returned", row_id, _difference(fields, before, values, source_id))

    if found.added:
        constant = {"source_id": source_id, "created_at": now, "updated_at": now, **_initial(model)}
        session.execute(
            insert(table), [{"id": row_id, **_columns(model, fields, values), **constant} for row_id, values in found.added.items()]
        )
        for row_id, values in found.added.items():
            note("registered", row_id, {"after": dict(zip(fields, values, strict=True))})

    if events:
        session.execute(insert(EventRow), events)


def _initial(model: Row) -> dict[str, Any]:
    """Imported organisations are approved and discoverable, datasets public (interfaces.md, "SOURCE")."""
    return {"state": "approved", "discoverable": True} if model is OrganisationRow else {"visibility": "public"}


def _columns(model: Row, fields: Iterable[str], values: Values) -> dict[str, Any]:
    return {**dict(zip(fields, values, strict=True)), **_derived(model, fields, values)}


def _derived(model: Row, fields: Iterable[str], values: Values | None) -> dict[str, Any]:
    """Columns made from others; only their names without `values`."""
    if model is not OrganisationRow:
        return {}
    if values is None:
        return {"search_text": None}
    by_name = dict(zip(fields, values, strict=True))
    return {"search_text": names.search_text(by_name["short_name"], by_name["human_readable_name"], by_name["organisation_identifier"])}


def _difference(fields: Iterable[str], before: Known, after: Values, source_id: int) -> dict[str, Any]:
    """The fields that changed, before and after; with the source when it changed hands."""
    changes = [(name, old, new) for name, old, new in zip(fields, before.values, after, strict=True) if old != new]
    difference: dict[str, Any] = {"before": {name: old for name, old, _ in changes}, "after": {name: new for name, _, new in changes}}
    if before.source_id != source_id:
        difference["taken_over_from"] = before.source_id
    return difference

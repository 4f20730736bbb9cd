"""Reading the collected statistics: for the portal now, for the Dashboard's pages and API later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from iati_platform.dashboard.models import OVERALL, SnapshotRow

__all__ = ["OVERALL", "Point", "Snapshot", "days", "history", "latest"]


@dataclass(frozen=True, slots=True)
class Point:
    """A statistic on a day of a run; None where there was none."""

    day: date
    value: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All small statistics of an organisation (or of everything) as of the latest run, `day`. `since`: the run that last changed them."""

    day: date
    since: date
    stats: dict[str, Any]
    code_version: str
    made_at: datetime


def days(session: Session) -> list[date]:
    """The days on which statistics were collected, in order."""
    return list(session.scalars(select(SnapshotRow.day).where(SnapshotRow.reporting_org_id == OVERALL).order_by(SnapshotRow.day)))


def latest(session: Session, org_id: str = OVERALL) -> Snapshot | None:
    """The newest statistics; None if there has been no run or the organisation has no data (any more)."""
    run = session.scalar(select(SnapshotRow).where(SnapshotRow.reporting_org_id == OVERALL).order_by(SnapshotRow.day.desc()).limit(1))
    row = session.scalar(select(SnapshotRow).where(SnapshotRow.reporting_org_id == org_id).order_by(SnapshotRow.day.desc()).limit(1))
    if run is None or row is None or not row.stats:
        return None
    return Snapshot(run.day, row.day, row.stats, run.code_version, run.made_at)


def history(session: Session, org_id: str, stat: str) -> list[Point]:
    """One point per run from the organisation's first on. Days without a run have no point: a gap is a gap, not a zero."""
    rows = session.execute(
        select(SnapshotRow.day, SnapshotRow.stats).where(SnapshotRow.reporting_org_id == org_id).order_by(SnapshotRow.day)
    )
    changes: dict[date, dict[str, Any]] = dict(rows.all())
    points = []
    known: dict[str, Any] | None = None
    for day in days(session):
        known = changes.get(day, known)
        if known is not None:
            points.append(Point(day, known.get(stat)))
    return points

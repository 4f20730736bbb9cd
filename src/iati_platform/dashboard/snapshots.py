"""Daily snapshots: taken with every publication, the last run of a day wins, kept for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session

from iati_platform.dashboard.models import OVERALL, SnapshotRow
from iati_platform.dashboard.statistics import DatasetSummary, statistics

__all__ = ["DatasetSummary", "record", "state", "take_snapshot"]


def take_snapshot(
    session: Session,
    tables: duckdb.DuckDBPyConnection,
    files: Iterable[DatasetSummary],
    day: date,
    *,
    made_at: datetime | None = None,
    code_version: str = "",
) -> dict[str, dict[str, Any]]:
    """Compute the statistics of `day` and keep them; gives them by organisation id, `OVERALL` included. The caller commits."""
    stats = statistics(tables, files, day)
    record(session, stats, day, made_at=made_at or datetime.now(UTC), code_version=code_version)
    return stats


def record(session: Session, stats: dict[str, dict[str, Any]], day: date, *, made_at: datetime, code_version: str) -> None:
    """Keep the statistics of a day, replacing those of an earlier run of that day. Only what changed since the run before gets a row."""
    before = state(session, day - timedelta(days=1))
    _preserve_next(session, day, stats)
    session.execute(delete(SnapshotRow).where(SnapshotRow.day == day))
    gone: dict[str, dict[str, Any]] = {org: {} for org, known in before.items() if known and org not in stats and org != OVERALL}
    for org, own in (stats | gone).items():
        if org == OVERALL or before.get(org, {}) != own:
            session.add(SnapshotRow(day=day, reporting_org_id=org, stats=own, code_version=code_version, made_at=made_at))
    session.flush()


def state(session: Session, day: date) -> dict[str, dict[str, Any]]:
    """What was known at the end of `day`, by organisation id; `{}` for one that had no data any more."""
    latest = (
        select(SnapshotRow.reporting_org_id, func.max(SnapshotRow.day).label("day"))
        .where(SnapshotRow.day <= day)
        .group_by(SnapshotRow.reporting_org_id)
        .subquery()
    )
    rows = session.execute(
        select(SnapshotRow.reporting_org_id, SnapshotRow.stats).join(
            latest, and_(SnapshotRow.reporting_org_id == latest.c.reporting_org_id, SnapshotRow.day == latest.c.day)
        )
    )
    return dict(rows.all())


def _preserve_next(session: Session, day: date, stats: dict[str, dict[str, Any]]) -> None:
    """A run for a day in the past must not change the days after it: what the next run left out as unchanged is written there first."""
    following = session.scalar(
        select(SnapshotRow).where(SnapshotRow.reporting_org_id == OVERALL, SnapshotRow.day > day).order_by(SnapshotRow.day).limit(1)
    )
    if following is None:
        return
    written = set(session.scalars(select(SnapshotRow.reporting_org_id).where(SnapshotRow.day == following.day)))
    known = state(session, day)
    for org in (known.keys() | stats.keys()) - written - {OVERALL}:
        if known.get(org, {}) != stats.get(org, {}):
            session.add(
                SnapshotRow(
                    day=following.day,
                    reporting_org_id=org,
                    stats=known.get(org, {}),
                    code_version=following.code_version,
                    made_at=following.made_at,
                )
            )
    session.flush()

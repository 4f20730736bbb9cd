"""The table of daily snapshots. Kept for ever: timeliness is measured against days that cannot be made up later."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from iati_platform.storage.database import Base, JsonDocument

#: `reporting_org_id` of the row about everything.
OVERALL = ""


class SnapshotRow(Base):
    """What an organisation (or everything) looked like on a day.

    The row about everything is written with every run and so tells on which days there was one. An organisation's row is written only when
    its statistics differ from those of the run before: no row means unchanged, `{}` means that it had no data any more. There is no
    foreign key to the registry: what was collected outlives the organisation's registration.
    """

    __tablename__ = "snapshot"

    day: Mapped[date] = mapped_column(primary_key=True)
    reporting_org_id: Mapped[str] = mapped_column(String(36), primary_key=True, index=True)
    stats: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    code_version: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]

"""Tables of the Bulk Data Service: the state of each dataset's checks, what happened to it, and the sessions of checking.

`check_state` is the present and is overwritten; `check_event` is the past and is only ever added to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Index, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from iati_platform.storage.database import Base


class CheckStateRow(Base):
    """What is known about one dataset's file. `lkg_` is the last known good copy: all of it is null when there is none.

    Dataset ids are not foreign keys: a row outlives the registration by the grace period.
    """

    __tablename__ = "check_state"

    dataset_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    # As last seen in the registry, to notice renames and removals.
    short_name: Mapped[str] = mapped_column(String(100))
    reporting_org_id: Mapped[str] = mapped_column(String(36))
    reporting_org_short_name: Mapped[str] = mapped_column(String(100))
    first_seen: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    last_update_check: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None] = mapped_column(index=True)
    """None: due at once."""
    checked_url: Mapped[str | None]
    """Address (or folder and path) of the last check; another one makes the dataset due, without validators."""

    lkg_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    lkg_crc32: Mapped[int | None] = mapped_column(BigInteger)
    lkg_deflated_size: Mapped[int | None] = mapped_column(BigInteger)
    lkg_content_length: Mapped[int | None] = mapped_column(BigInteger)
    lkg_hash: Mapped[str | None] = mapped_column(String(40))
    lkg_hash_excluding: Mapped[str | None] = mapped_column(String(40))
    lkg_encoding: Mapped[str | None] = mapped_column(String(40))
    lkg_initial_contents: Mapped[str | None] = mapped_column(String(150))
    lkg_source_url: Mapped[str | None]
    lkg_server_etag: Mapped[str | None]
    lkg_server_last_modified: Mapped[str | None]
    """The header as sent; given back word for word in conditional requests."""
    lkg_downloaded: Mapped[datetime | None]
    """Last full successful download; expiry counts from here."""
    lkg_verified_on_server: Mapped[datetime | None]
    lkg_modified: Mapped[datetime | None]
    """When the bytes last changed."""
    lkg_modified_excluding: Mapped[datetime | None]
    """When anything but the generation timestamp last changed."""

    most_recent_get_attempt: Mapped[dict[str, Any] | None]
    most_recent_head_attempt: Mapped[dict[str, Any] | None]

    error_type: Mapped[str | None] = mapped_column(String(24), index=True)
    error_cause: Mapped[str | None] = mapped_column(String(24))
    tls_problem: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    consecutive_failures: Mapped[int] = mapped_column(Integer)


class CheckEventRow(Base):
    """One change of state of a dataset's file; `kind` is an `events.EventKind`."""

    __tablename__ = "check_event"
    __table_args__ = (
        Index("ix_check_event_dataset_id", "dataset_id", "id"),
        Index("ix_check_event_content", "content_sha256"),
        Index("ix_check_event_previous", "previous_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(String(36))
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(24))
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    """The copy that the event brought."""
    previous_sha256: Mapped[str | None] = mapped_column(String(64))
    """The copy that it replaced or took away."""
    payload: Mapped[dict[str, Any]]


class FetchSessionRow(Base):
    """One run over the due datasets."""

    __tablename__ = "fetch_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    started: Mapped[datetime]
    ended: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]]
    """`events.SessionSummary` as JSON: counts by outcome and error type, bytes, slowest hosts."""


CHECK_STATE = cast(Table, CheckStateRow.__table__)
CHECK_EVENT = cast(Table, CheckEventRow.__table__)
FETCH_SESSION = cast(Table, FetchSessionRow.__table__)
"""The same tables for Core statements: bulk work goes past the ORM."""

"""Tables of the registry. Other rooms ask `service` instead of reading these.

A row that left its source is kept with `removed_at` set until the grace period is over (`service.purge`): names are
therefore unique among the rows that are not removed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from iati_platform.storage.database import Base, JsonDocument

_LIVE = text("removed_at IS NULL")


class SourceRow(Base):
    """Where records were imported from. `spec` as in interfaces.md ("SOURCE"), folders as absolute paths."""

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True)
    spec: Mapped[str] = mapped_column(String(2048), unique=True)
    added_at: Mapped[datetime]
    last_attempt_at: Mapped[datetime | None]
    last_import_at: Mapped[datetime | None]
    """When it was last read and taken over; stays behind `last_attempt_at` while it is refused."""
    last_refusal: Mapped[str | None]
    """Why the last attempt changed nothing; None after a good one."""
    last_rejections: Mapped[list[dict[str, Any]] | None] = mapped_column(JsonDocument)
    """Remarks of the last good import: `[{"level": "rejected" | "warning", "kind", "name", "reason"}]`."""
    last_held: Mapped[list[str] | None] = mapped_column(JsonDocument)
    """Short names of organisations whose datasets had all left at once and are kept."""
    superseded_at: Mapped[datetime | None]
    """When another source had taken over all of its records: it is not read any more."""


class OrganisationRow(Base):
    """A reporting organisation."""

    __tablename__ = "organisation"
    __table_args__ = (
        Index("uq_organisation_live_short_name", "short_name", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        CheckConstraint("state IN ('approved', 'pending')", name="state"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    short_name: Mapped[str] = mapped_column(String(100))
    human_readable_name: Mapped[str]
    organisation_identifier: Mapped[str | None]
    organisation_type: Mapped[str | None]
    hq_country: Mapped[str | None]
    default_licence_id: Mapped[str | None]
    reporting_source_type: Mapped[str | None]
    created_date: Mapped[datetime | None]
    website: Mapped[str | None]
    description: Mapped[str | None]
    region: Mapped[str | None]
    data_portal_url: Mapped[str | None]
    exclusions_policy_url: Mapped[str | None]
    first_publication_date: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(16))
    discoverable: Mapped[bool]
    search_text: Mapped[str]
    """Names and identifier folded by `names.search_text`; what a text search looks at."""
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DatasetRow(Base):
    """A registered dataset: where an organisation publishes one file."""

    __tablename__ = "dataset"
    __table_args__ = (
        Index("uq_dataset_live_short_name", "short_name", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        CheckConstraint("visibility IN ('public', 'private')", name="visibility"),
        CheckConstraint("file_type IN ('activity', 'organisation')", name="file_type"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    short_name: Mapped[str] = mapped_column(String(100))
    reporting_org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    file_type: Mapped[str] = mapped_column(String(16))
    url: Mapped[str | None]
    """The registered source URL."""
    path: Mapped[str | None]
    """Where the file lies in a folder source, relative to it."""
    licence_id: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(String(16))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class FormerNameRow(Base):
    """A short name an organisation or dataset once had: old addresses keep leading to it."""

    __tablename__ = "former_name"
    __table_args__ = (Index("ix_former_name_lookup", "subject_kind", "short_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(36), index=True)
    short_name: Mapped[str] = mapped_column(String(100))
    until: Mapped[datetime]


class EventRow(Base):
    """One change: who did what to what, with the values before and after. Rows are added, never changed."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(36))
    actor: Mapped[str]
    payload: Mapped[dict[str, Any]]


class WithheldRow(Base):
    """A dataset removed on request: no import brings it back until it is allowed again."""

    __tablename__ = "withheld"

    dataset_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]

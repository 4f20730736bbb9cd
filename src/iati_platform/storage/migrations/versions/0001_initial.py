"""The tables of the first version. Written by tools/rewrite_initial_migration.py; not edited by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import iati_platform.storage.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_event")),
    )
    op.create_index(op.f("ix_check_event_at"), "check_event", ["at"], unique=False)
    op.create_index("ix_check_event_content", "check_event", ["content_sha256"], unique=False)
    op.create_index("ix_check_event_dataset_id", "check_event", ["dataset_id", "id"], unique=False)
    op.create_index("ix_check_event_previous", "check_event", ["previous_sha256"], unique=False)
    op.create_table(
        "check_state",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("reporting_org_id", sa.String(length=36), nullable=False),
        sa.Column("reporting_org_short_name", sa.String(length=100), nullable=False),
        sa.Column("first_seen", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_update_check", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("checked_url", sa.String(), nullable=True),
        sa.Column("lkg_sha256", sa.String(length=64), nullable=True),
        sa.Column("lkg_crc32", sa.BigInteger(), nullable=True),
        sa.Column("lkg_deflated_size", sa.BigInteger(), nullable=True),
        sa.Column("lkg_content_length", sa.BigInteger(), nullable=True),
        sa.Column("lkg_hash", sa.String(length=40), nullable=True),
        sa.Column("lkg_hash_excluding", sa.String(length=40), nullable=True),
        sa.Column("lkg_encoding", sa.String(length=40), nullable=True),
        sa.Column("lkg_initial_contents", sa.String(length=150), nullable=True),
        sa.Column("lkg_source_url", sa.String(), nullable=True),
        sa.Column("lkg_server_etag", sa.String(), nullable=True),
        sa.Column("lkg_server_last_modified", sa.String(), nullable=True),
        sa.Column("lkg_downloaded", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("lkg_verified_on_server", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("lkg_modified", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("lkg_modified_excluding", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column(
            "most_recent_get_attempt",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "most_recent_head_attempt",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column("error_type", sa.String(length=24), nullable=True),
        sa.Column("error_cause", sa.String(length=24), nullable=True),
        sa.Column("tls_problem", sa.String(), nullable=True),
        sa.Column("failing_since", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_check_state")),
    )
    op.create_index(op.f("ix_check_state_error_type"), "check_state", ["error_type"], unique=False)
    op.create_index(op.f("ix_check_state_lkg_sha256"), "check_state", ["lkg_sha256"], unique=False)
    op.create_index(op.f("ix_check_state_next_check_at"), "check_state", ["next_check_at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_subject", "event", ["subject_id", "id"], unique=False)
    op.create_table(
        "fetch_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("ended", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column(
            "counts",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch_session")),
    )
    op.create_table(
        "former_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("until", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_name")),
    )
    op.create_index("ix_former_name_lookup", "former_name", ["subject_kind", "short_name"], unique=False)
    op.create_index(op.f("ix_former_name_subject_id"), "former_name", ["subject_id"], unique=False)
    op.create_table(
        "generation",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("datasets", sa.Integer(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_generation")),
    )
    op.create_table(
        "processed",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("code_version", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "code_version", name=op.f("pk_processed")),
    )
    op.create_table(
        "snapshot",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reporting_org_id", sa.String(length=36), nullable=False),
        sa.Column(
            "stats",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("code_version", sa.String(length=64), nullable=False),
        sa.Column("made_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "reporting_org_id", name=op.f("pk_snapshot")),
    )
    op.create_index(op.f("ix_snapshot_reporting_org_id"), "snapshot", ["reporting_org_id"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("spec", sa.String(length=2048), nullable=False),
        sa.Column("added_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("last_attempt_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_import_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_refusal", sa.String(), nullable=True),
        sa.Column(
            "last_rejections",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "last_held",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column("superseded_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("spec", name=op.f("uq_source_spec")),
    )
    op.create_table(
        "withheld",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_withheld")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("human_readable_name", sa.String(), nullable=False),
        sa.Column("organisation_identifier", sa.String(), nullable=True),
        sa.Column("organisation_type", sa.String(), nullable=True),
        sa.Column("hq_country", sa.String(), nullable=True),
        sa.Column("default_licence_id", sa.String(), nullable=True),
        sa.Column("reporting_source_type", sa.String(), nullable=True),
        sa.Column("created_date", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("website", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("data_portal_url", sa.String(), nullable=True),
        sa.Column("exclusions_policy_url", sa.String(), nullable=True),
        sa.Column("first_publication_date", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("discoverable", sa.Boolean(), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("created_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('approved', 'pending')", name=op.f("ck_organisation_state")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_organisation_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index(op.f("ix_organisation_source_id"), "organisation", ["source_id"], unique=False)
    op.create_index(
        "uq_organisation_live_short_name",
        "organisation",
        ["short_name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("reporting_org_id", sa.String(length=36), nullable=False),
        sa.Column("file_type", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("licence_id", sa.String(), nullable=True),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("created_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", iati_platform.storage.database.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("file_type IN ('activity', 'organisation')", name=op.f("ck_dataset_file_type")),
        sa.CheckConstraint("visibility IN ('public', 'private')", name=op.f("ck_dataset_visibility")),
        sa.ForeignKeyConstraint(["reporting_org_id"], ["organisation.id"], name=op.f("fk_dataset_reporting_org_id_organisation")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_dataset_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
    )
    op.create_index(op.f("ix_dataset_reporting_org_id"), "dataset", ["reporting_org_id"], unique=False)
    op.create_index(op.f("ix_dataset_source_id"), "dataset", ["source_id"], unique=False)
    op.create_index(
        "uq_dataset_live_short_name",
        "dataset",
        ["short_name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )

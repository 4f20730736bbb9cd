"""Records: the SQLAlchemy base every room's tables stand on, engines for SQLite and PostgreSQL, transactions, migrations.

SQLite runs in WAL mode: readers never wait for the writer. Every transaction that will write should be opened with
`writing(engine)`: on SQLite it takes the write lock at once (`BEGIN IMMEDIATE`) and waits its turn; a transaction that
reads first and writes later could otherwise fail when another one wrote in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, sessionmaker
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT_SECONDS = 60
MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"
_MIGRATION_LOCK = 0x1A71  # any constant: the PostgreSQL advisory lock two starting processes meet at
_WRITES = "iati_writes"

JsonDocument = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""Column type for a JSON document; SQL NULL for None."""


class DatabaseTooNew(Exception):
    """The database was written by a newer version of the platform; this one must not touch it."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, always UTC in Python. SQLite stores the naive UTC value, PostgreSQL `timestamptz`."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a datetime without time zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed so that migrations can speak of them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime(), dict[str, Any]: JsonDocument}  # noqa: RUF012 (SQLAlchemy reads it so)


Session = sessionmaker(expire_on_commit=False)
"""Session factory without an engine of its own: `with Session(bind=engine) as session:`. To write, use `writing`."""


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://…`, ready for threads. Creates no file and no table."""
    name = make_url(url).get_backend_name()
    # Front doors answer in a thread pool of 40: each may hold a connection.
    common: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": orjson.loads, "pool_size": 16, "max_overflow": 48}
    if name == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if name == "postgresql":
        return create_engine(url, pool_pre_ping=True, connect_args={"options": "-c timezone=UTC"}, **common)
    raise ValueError(f"no engine for {name}: use sqlite:///PATH or postgresql+psycopg://…")


def _to_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would open transactions on its own and late; `_begin_sqlite` does it instead, so that DDL and reads
    # are inside them as well (SQLAlchemy documentation, "SQLite: serializable isolation / savepoints").
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # NORMAL in WAL mode: a killed process loses nothing; a power cut may lose the last commits but never half of one.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[OrmSession]:
    """A session for reading: one consistent view of the records, nothing is committed."""
    with Session(bind=engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[OrmSession]:
    """A session for writing: commits at the end of the block, rolls everything back when it raises."""
    with Session(bind=engine.execution_options(**{_WRITES: True})) as session, session.begin():
        yield session


def one_at_a_time(session: OrmSession, what: str) -> None:
    """Let only one transaction at a time do `what`, until it ends. On SQLite every writing transaction is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": what})


# ── migrations ────────────────────────────────────────────────────────────────────────────────────────────────────────


def code_revision() -> str:
    """The newest revision this version of the platform knows, for example `0001`."""
    return max(_known_revisions())


def database_revision(engine: Engine) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with engine.connect() as connection:
        return _revision(connection)


def migrate(engine: Engine) -> None:
    """Bring the database to this version's tables: all of it or nothing. Two processes may call it at the same time.

    Raises `DatabaseTooNew` when a newer version of the platform wrote it.
    """
    if database_revision(engine) == code_revision():
        return  # the usual start: no lock, and Alembic (100 ms of imports) stays out of it
    from alembic import command
    from alembic.config import Config

    with engine.execution_options(**{_WRITES: True}).connect() as connection:
        if connection.dialect.name == "sqlite":
            # Rebuilding a table that others point to needs this off, and it can only be switched outside a transaction.
            _raw(connection, "PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                _refuse_newer(_revision(connection))
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise RuntimeError("a migration left rows that point nowhere; nothing was changed")
        finally:
            if connection.dialect.name == "sqlite":
                _raw(connection, "PRAGMA foreign_keys=ON")


def _raw(connection: Connection, statement: str) -> None:
    """Execute outside SQLAlchemy's transaction."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _known_revisions() -> set[str]:
    return {path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")}


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in _known_revisions():
        raise DatabaseTooNew(
            f"the database stands at revision {revision}, this version of iati-platform knows up to {code_revision()}: "
            "install the newer version again, or restore a backup made before it"
        )

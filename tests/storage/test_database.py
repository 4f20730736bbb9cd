import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import StatementError

from iati_platform.registry.models import EventRow, SourceRow
from iati_platform.storage import database as database_module
from iati_platform.storage.database import (
    Base,
    DatabaseTooNew,
    Session,
    code_revision,
    database_revision,
    make_engine,
    migrate,
    reading,
    writing,
)

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'empty.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    yield engine
    engine.dispose()


def test_an_empty_database_is_brought_to_this_version_and_stays_there(empty_database: Engine) -> None:
    assert database_revision(empty_database) is None
    migrate(empty_database)
    migrate(empty_database)
    assert database_revision(empty_database) == code_revision()
    assert {"organisation", "dataset", "source", "event"} <= set(inspect(empty_database).get_table_names())


def test_migrations_make_exactly_the_tables_of_the_models(database: Engine) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import rewrite_initial_migration

        rewrite_initial_migration.import_models()
    finally:
        sys.path.remove(str(ROOT / "tools"))
    with database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == [], "run tools/rewrite_initial_migration.py"


def test_two_processes_that_start_together_migrate_once(empty_database: Engine) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            engine = make_engine(empty_database.url.render_as_string(hide_password=False))
            migrate(engine)
            engine.dispose()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert database_revision(empty_database) == code_revision()


def test_a_newer_database_is_refused_and_left_alone(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew) as caught:
        migrate(database)
    assert str(caught.value) == (
        f"the database stands at revision 9999, this version of iati-platform knows up to {code_revision()}: "
        "install the newer version again, or restore a backup made before it"
    )
    assert database_revision(database) == "9999"


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "migrations"
    (broken / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (broken / name).write_bytes((database_module.MIGRATIONS / name).read_bytes())
    (broken / "versions" / "0001_broken.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Integer()))\n    op.execute('SELECT * FROM nowhere')\n"
    )
    monkeypatch.setattr(database_module, "MIGRATIONS", broken)
    with pytest.raises(Exception, match="nowhere"):
        migrate(empty_database)
    assert inspect(empty_database).get_table_names() == []


def test_times_come_back_as_they_went_in_always_utc(database: Engine) -> None:
    east = timezone(timedelta(hours=5, minutes=45))
    with writing(database) as session:
        session.add(SourceRow(spec="a", added_at=NOON.astimezone(east), last_import_at=None))
    with reading(database) as session:
        row = session.scalars(select(SourceRow)).one()
        assert (row.added_at, row.added_at.tzinfo, row.last_import_at) == (NOON, UTC, None)
        assert session.scalar(select(SourceRow.spec).where(SourceRow.added_at == NOON.astimezone(east))) == "a"
        assert session.scalar(select(SourceRow.spec).where(SourceRow.added_at < NOON)) is None


def test_a_time_without_zone_is_refused(database: Engine) -> None:
    with pytest.raises(StatementError, match="without time zone"), writing(database) as session:
        session.add(SourceRow(spec="a", added_at=datetime(2026, 11, 22)))  # noqa: DTZ001


def test_json_keeps_its_shape_and_times_become_text(database: Engine) -> None:
    payload = {"at": NOON, "list": [1, 2.5, None, True, "ñ"], "nested": {"b": 1}}
    with writing(database) as session:
        session.add(EventRow(at=NOON, kind="k", subject_kind="s", subject_id="1", actor="a", payload=payload))
    with reading(database) as session:
        stored = session.scalars(select(EventRow.payload)).one()
    assert stored == {"at": "2026-11-22T12:00:00.123456Z", "list": [1, 2.5, None, True, "ñ"], "nested": {"b": 1}}


def test_a_writing_block_that_raises_changes_nothing(database: Engine) -> None:
    with pytest.raises(RuntimeError), writing(database) as session:
        session.add(SourceRow(spec="a", added_at=NOON))
        session.flush()
        raise RuntimeError
    with reading(database) as session:
        assert session.scalars(select(SourceRow)).all() == []


def test_writers_that_read_first_wait_for_each_other(database: Engine) -> None:
    """Without the write lock at the start of the transaction SQLite would fail some, and both engines would lose counts."""
    with writing(database) as session:
        session.add(SourceRow(id=1, spec="0", added_at=NOON))

    def count_up() -> None:
        for _ in range(20):
            with writing(database) as session:
                row = session.scalars(select(SourceRow).where(SourceRow.id == 1).with_for_update()).one()
                row.spec = str(int(row.spec) + 1)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as session:
        assert session.scalar(select(SourceRow.spec)) == "80"


def test_readers_see_the_old_state_while_somebody_writes(database: Engine) -> None:
    with writing(database) as writer:
        writer.add(SourceRow(spec="a", added_at=NOON))
        writer.flush()
        with reading(database) as session:
            assert session.scalars(select(SourceRow)).all() == []
    with Session(bind=database) as session:
        assert session.scalar(select(SourceRow.spec)) == "a"


def test_sqlite_runs_with_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'r.sqlite'}")
    migrate(engine)
    with engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys", "busy_timeout")]
    engine.dispose()
    assert settings == ["wal", 1, 60_000]


def test_a_killed_writer_leaves_the_committed_state(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    program = f"""
import os, signal
from datetime import UTC, datetime
from iati_platform.registry.models import SourceRow
from iati_platform.storage.database import make_engine, writing
engine = make_engine("sqlite:///{path}")
with writing(engine) as session:
    session.add(SourceRow(spec="committed", added_at=datetime.now(UTC)))
with writing(engine) as session:
    session.add(SourceRow(spec="lost", added_at=datetime.now(UTC)))
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == -9
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT spec FROM source").fetchall() == [("committed",)]
    connection.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="no engine for mysql"):
        make_engine("mysql://localhost/iati")

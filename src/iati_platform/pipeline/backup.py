"""Backup and restore of the records: registry, check history, snapshots. Files are not in it: they are fetched again.

What cannot be made up later is what must be kept: who registered what, what happened when, and the daily snapshots.
"""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import delete, select
from sqlalchemy.engine import make_url

from iati_platform import __version__
from iati_platform.bulk.models import CheckStateRow
from iati_platform.bulk.service import lost_copies
from iati_platform.pipeline.generations import write_durably
from iati_platform.pipeline.house import House
from iati_platform.pipeline.models import Processed
from iati_platform.settings import Settings
from iati_platform.storage.database import make_engine, migrate, writing
from iati_platform.storage.format import prepare

RECORDS: Final = "records.sqlite"
DESCRIPTION: Final = "backup.json"


class BackupError(RuntimeError):
    """A backup that cannot be written or used; the message says what to do."""


def backup(house: House, directory: Path) -> Path:
    """Copy the records into `directory` while the platform runs (SQLite's online backup). Returns the copy's path."""
    if make_url(house.settings.database_url).get_backend_name() != "sqlite":
        raise BackupError("the records are in PostgreSQL: use pg_dump, it makes a consistent copy while the platform runs")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise BackupError(f"{directory} is not empty: give a new directory, so that no older backup is overwritten")
    target = directory / RECORDS
    source = sqlite3.connect(f"file:{make_url(house.settings.database_url).database}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    description = {"version": __version__, "made": datetime.now(UTC).isoformat(timespec="seconds")}
    write_durably(directory / DESCRIPTION, orjson.dumps(description))
    return target


def restore(settings: Settings, directory: Path) -> None:
    """Put a backup's records into a data directory that has none, and bring them up to this version."""
    source = directory / RECORDS
    if not source.is_file() or not (directory / DESCRIPTION).is_file():
        raise BackupError(f"{directory} holds no complete backup: {RECORDS} and {DESCRIPTION} are needed")
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise BackupError("the records are in PostgreSQL: restore the dump with pg_restore")
    target = Path(url.database)
    if target.exists():
        raise BackupError(f"{target} exists already: restore into an empty data directory, or move it away first")
    prepare(settings.data_dir)
    temporary = target.with_suffix(".restoring")
    shutil.copyfile(source, temporary)
    temporary.replace(target)
    engine = make_engine(settings.database_url)
    migrate(engine)
    with writing(engine) as session:  # the files themselves are not in a backup: every one is fetched again in full
        lost_copies(session, session.scalars(select(CheckStateRow.dataset_id)).all())
        session.execute(delete(Processed))
    engine.dispose()

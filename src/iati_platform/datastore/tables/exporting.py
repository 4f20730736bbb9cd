"""The whole corpus as tables in a folder, for people who bring their own tools. It names the licence and source of each dataset."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from iati_platform.datastore.tables.reader import open_views, table_names

FORMATS: Final = ("parquet", "csv", "duckdb", "sqlite")
#: progress(table, done, total), called after each table.
Progress = Callable[[str, int, int], None]

#: "transaction" is a reserved word in SQLite; the IATI Tables service calls it this too.
_SQLITE_NAMES: Final = {"transaction": "trans"}
_BATCH: Final = 20_000

_ATTRIBUTION: Final = """IATI data as tables
===================

Format: {form}
Datasets: {datasets} of {organisations} reporting organisations

Each row of each table names the dataset it comes from, the organisation that published it, the licence and the source address
(columns dataset, reporting_org, licence, source_url). The same list, one line per dataset, is in attribution.csv.

Licences are chosen by the publishers and differ: keep to the licence of each dataset you use and name its publisher. Where no licence is
given the publisher has not stated one.

Columns, codes and types follow the IATI Standard (https://iatistandard.org/), which is available under CC BY 4.0.

Licences in this export
-----------------------
{licences}
"""


def export(directory: Path, target: Path, form: str = "parquet", progress: Progress | None = None) -> list[Path]:
    """Write every table of the generation in `directory` to the folder `target`; gives the files written.

    parquet, csv: one file per table; duckdb, sqlite: one database, `iati.duckdb` or `iati.sqlite`. With each go `ATTRIBUTION.txt` and
    `attribution.csv`. Files of an earlier export are replaced only when the new one is whole. ValueError for an unknown format.
    """
    if form not in FORMATS:
        raise ValueError(f"unknown format {form}: choose one of {', '.join(FORMATS)}")
    target.mkdir(parents=True, exist_ok=True)
    building = target / ".building"
    if building.exists():
        shutil.rmtree(building)
    building.mkdir()
    try:
        with open_views(directory) as connection:
            _WRITERS[form](connection, building, progress or (lambda table, done, total: None))
            _attribute(connection, building, form)
        written = []
        for path in sorted(building.iterdir()):
            path.replace(target / path.name)
            written.append(target / path.name)
        return written
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _files(options: str, ending: str) -> Callable[[duckdb.DuckDBPyConnection, Path, Progress], None]:
    def write(connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
        names = table_names()
        for number, name in enumerate(names, 1):
            path = str(folder / f"{name}.{ending}").replace("'", "''")
            connection.execute(f"COPY (SELECT * FROM \"{name}\") TO '{path}' ({options})")
            progress(name, number, len(names))

    return write


def _write_duckdb(connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
    path = str(folder / "iati.duckdb").replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS target")
    names = table_names()
    for number, name in enumerate(names, 1):
        connection.execute(f'CREATE TABLE target."{name}" AS SELECT * FROM memory.main."{name}"')
        progress(name, number, len(names))
    connection.execute("DETACH target")


def _write_sqlite(connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
    """Dates as ISO text, amounts as REAL (SQLite has neither), flags as 0 and 1; an index on the dataset and on the identifier."""
    names = table_names()
    with closing(sqlite3.connect(folder / "iati.sqlite", isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        for number, name in enumerate(names, 1):
            result = connection.execute(f'SELECT * FROM "{name}"')
            columns = [(column[0], _SQLITE_TYPES.get(str(column[1]).split("(")[0], "TEXT")) for column in result.description or []]
            own = _SQLITE_NAMES.get(name, name)
            database.execute(f'CREATE TABLE "{own}" ({", ".join(f"{_quoted(column)} {kind}" for column, kind in columns)})')
            insert = f'INSERT INTO "{own}" VALUES ({", ".join("?" * len(columns))})'
            database.execute("BEGIN")
            while rows := result.fetchmany(_BATCH):
                database.executemany(insert, ([_sqlite_value(value) for value in row] for row in rows))
            for column, _ in columns:
                if column in ("dataset", "iati_identifier"):
                    database.execute(f'CREATE INDEX "{own}_{column}" ON "{own}" ({_quoted(column)})')
            database.execute("COMMIT")
            progress(name, number, len(names))


_SQLITE_TYPES: Final = {"INTEGER": "INTEGER", "BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "DOUBLE": "REAL", "DECIMAL": "REAL"}


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _attribute(connection: duckdb.DuckDBPyConnection, folder: Path, form: str) -> None:
    path = str(folder / "attribution.csv").replace("'", "''")
    connection.execute(
        "COPY (SELECT dataset, reporting_org, licence, source_url, dataset_id, content_sha256 FROM dataset ORDER BY dataset) "
        f"TO '{path}' (FORMAT csv, HEADER)"
    )
    counted = connection.execute("SELECT count(*), count(DISTINCT reporting_org_id) FROM dataset").fetchone() or (0, 0)
    licences = connection.execute(
        "SELECT coalesce(licence, 'none given'), count(*) FROM dataset GROUP BY ALL ORDER BY 2 DESC, 1"
    ).fetchall()
    lines = "\n".join(f"{licence}: {number} dataset{'' if number == 1 else 's'}" for licence, number in licences)
    text = _ATTRIBUTION.format(form=form, datasets=counted[0], organisations=counted[1], licences=lines or "none")
    (folder / "ATTRIBUTION.txt").write_text(text, encoding="utf-8")


_WRITERS: Final[dict[str, Callable[[duckdb.DuckDBPyConnection, Path, Progress], None]]] = {
    "parquet": _files("FORMAT parquet, COMPRESSION zstd", "parquet"),
    "csv": _files("FORMAT csv, HEADER", "csv"),
    "duckdb": _write_duckdb,
    "sqlite": _write_sqlite,
}

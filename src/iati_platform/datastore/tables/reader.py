"""Reading the analytics tables of a generation with SQL: DuckDB views over the Parquet parts, closed to everything else.

Every view shows the rows of live datasets only, and beside the columns of `specification` those of `PROVENANCE`: each row says which
dataset it is from, who published it, under which licence and where. `dataset` lists the datasets themselves.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from iati_platform.datastore.tables.schema import LOAD, SCHEMAS
from iati_platform.datastore.tables.statements import QueryRefused, reading_statement
from iati_platform.datastore.tables.writer import DATASETS, MANIFEST, TablesError, read_manifest

#: Columns that every view has, and where in the live list they come from.
PROVENANCE: Final = ("dataset", "dataset_id", "reporting_org", "licence", "source_url")

MEMORY_LIMIT: Final = "512MB"
SPILL_LIMIT: Final = "4GB"
THREADS: Final = 2
TIMEOUT: Final = 60.0


class QueryTimeout(QueryRefused):
    """A statement that ran longer than it may."""


def connect(directory: Path, *, memory_limit: str = MEMORY_LIMIT, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """An in-memory database with the views of one generation. It can reach no file but the generation's tables, no network and no
    extension, and its settings are locked. TablesError if there are no tables.

    Whoever lets others write the SQL uses `query`, which also refuses statements that do more than read.
    """
    connection = open_views(directory, memory_limit=memory_limit, threads=threads)
    connection.execute(f"SET allowed_directories = [{_text(str(directory.resolve()))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def query(directory: Path, sql: str, *, timeout: float = TIMEOUT, memory_limit: str = MEMORY_LIMIT) -> pa.Table:
    """The result of one reading statement. QueryRefused for anything else or wrong SQL, QueryTimeout after `timeout` seconds."""
    with connect(directory, memory_limit=memory_limit) as connection:
        return run(connection, sql, timeout=timeout)


def run(connection: duckdb.DuckDBPyConnection, sql: str, *, timeout: float = TIMEOUT) -> pa.Table:
    """`query` on a connection of `connect` that is kept. One statement at a time per connection: use `.cursor()` per thread."""
    statement = reading_statement(connection, sql)
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        connection.interrupt()

    clock = threading.Timer(timeout, stop)
    clock.daemon = True
    clock.start()
    try:
        return connection.sql(statement).to_arrow_table()
    except duckdb.Error as error:
        if expired.is_set():
            raise QueryTimeout(f"the statement ran longer than {timeout:g} seconds: ask for less, or export the tables") from None
        raise QueryRefused(str(error)) from None
    finally:
        clock.cancel()


def table_names() -> tuple[str, ...]:
    """All views, the list of datasets first."""
    return ("dataset", *SCHEMAS)


def open_views(directory: Path, *, memory_limit: str = MEMORY_LIMIT, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """Views without the locks: for statements we write ourselves (`export`)."""
    directory = directory.resolve()
    manifest = read_manifest(directory)
    if not (directory / DATASETS).exists():
        raise TablesError(f"the tables of {directory.name} are incomplete: {MANIFEST} without {DATASETS}")
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": str(Path(tempfile.gettempdir()) / "iati-tables-spill"),
        "max_temp_directory_size": SPILL_LIMIT,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(f"CREATE TABLE live AS SELECT * FROM read_parquet({_text(str(directory / DATASETS))})")
    connection.execute(
        "CREATE VIEW dataset AS SELECT dataset, reporting_org, licence, source_url, dataset_id, reporting_org_id, "
        "content_sha256, hash_excluding AS hash_excluding_generated_timestamp FROM live"
    )
    for name, schema in SCHEMAS.items():
        connection.execute(f"CREATE VIEW {_name(name)} AS {_view(directory, schema, manifest['parts'].get(name, []))}")
    return connection


def _view(directory: Path, schema: pa.Schema, parts: list[str]) -> str:
    columns = ", ".join(f"rows.{_name(column)}" for column in schema.names)
    provenance = ", ".join(f"live.{column}" for column in PROVENANCE)
    if parts:
        files = ", ".join(_text(str(directory / part)) for part in parts)
        rows = f"read_parquet([{files}], union_by_name = true)"
    else:
        nulls = ", ".join(f"NULL::{_sql_type(field.type)} AS {_name(field.name)}" for field in schema)
        rows = f"(SELECT NULL::BIGINT AS {LOAD}, {nulls} WHERE false)"
    return f"SELECT {columns}, {provenance} FROM {rows} AS rows JOIN live ON live.load = rows.{LOAD}"


_SQL_TYPES: Final = {
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.float64(): "DOUBLE",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
}


def _sql_type(kind: pa.DataType) -> str:
    return f"DECIMAL({kind.precision}, {kind.scale})" if pa.types.is_decimal(kind) else _SQL_TYPES[kind]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

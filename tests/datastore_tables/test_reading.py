"""Reading the tables: what is allowed, what is refused, how results and exports look."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from iati_platform.datastore import tables
from iati_platform.datastore.tables.output import write
from tests.datastore_tables.files import FIRST, ORGANISATION, SECOND, published


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("tables") / "tables", a=SECOND, b=FIRST, c=ORGANISATION)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select 1;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "FROM dataset",
        "VALUES (1)",
        "DESCRIBE transaction",
        "SHOW TABLES",
        "SUMMARIZE budget",
        "EXPLAIN SELECT 1",
        "-- why\nEXPLAIN ANALYZE SELECT count(*) FROM activity",
    ],
)
def test_reading_statements_are_answered(generation: Path, sql: str) -> None:
    assert tables.query(generation, sql).num_rows > 0


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT * FROM no_such_table",
        "INSERT INTO live SELECT * FROM live",
        "CREATE TABLE x AS SELECT 1",
        "SET memory_limit = '10GB'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "COPY (SELECT 1) TO '{inside}'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{inside}'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{inside}'",
        "EXPLAIN /* ( */ (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{inside}'",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM glob('/*')",
    ],
)
def test_anything_else_is_refused_and_leaves_no_trace(generation: Path, tmp_path: Path, sql: str) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    inside = generation / "written.csv"
    with pytest.raises(tables.QueryRefused):
        tables.query(generation, sql.format(inside=inside, outside=outside))
    assert not inside.exists()


def test_the_connection_is_locked(generation: Path, tmp_path: Path) -> None:
    with tables.connect(generation) as connection:
        for sql in ("SET enable_external_access = true", "SET threads = 8", "RESET memory_limit", f"COPY dataset TO '{tmp_path / 'x'}'"):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)


def test_a_statement_that_runs_too_long_is_stopped_and_the_connection_can_go_on(generation: Path) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range < b.range"
    with tables.connect(generation) as connection:
        with pytest.raises(tables.QueryTimeout, match=r"longer than 0\.2 seconds"):
            tables.run(connection, endless, timeout=0.2)
        assert tables.run(connection, "SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_without_tables_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(tables.TablesError, match="run a refresh first"):
        tables.connect(tmp_path)


QUESTION = "SELECT iati_identifier, value, date, humanitarian FROM transaction WHERE dataset = 'a' ORDER BY transaction_index"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "table",
            "iati_identifier    value  date        humanitarian\n"
            "---------------  -------  ----------  ------------\n"
            "XM-EX-1-A        12.5000  2020-03-04  false\n"
            "XM-EX-1-A\n"
            "(2 rows)\n",
        ),
        (
            "json",
            '[\n {"iati_identifier":"XM-EX-1-A","value":12.5000,"date":"2020-03-04","humanitarian":false},\n'
            ' {"iati_identifier":"XM-EX-1-A","value":null,"date":null,"humanitarian":null}\n]\n',
        ),
        ("csv", "iati_identifier,value,date,humanitarian\r\nXM-EX-1-A,12.5000,2020-03-04,false\r\nXM-EX-1-A,,,\r\n"),
    ],
)
def test_results_as_text(generation: Path, form: str, expected: str) -> None:
    stream = io.BytesIO()
    write(tables.query(generation, QUESTION), form, stream)
    assert stream.getvalue().decode() == expected


def test_results_as_parquet_keep_their_types(generation: Path) -> None:
    stream = io.BytesIO()
    write(tables.query(generation, QUESTION), "parquet", stream)
    assert pq.read_table(io.BytesIO(stream.getvalue())).equals(tables.query(generation, QUESTION))


@pytest.mark.parametrize("form", ["parquet", "csv", "duckdb", "sqlite"])
def test_exports_hold_every_row_and_name_licences_and_sources(generation: Path, tmp_path: Path, form: str) -> None:
    seen: list[tuple[str, int, int]] = []
    paths = tables.export(generation, tmp_path, form, lambda *step: seen.append(step))
    assert seen[0][0] == "dataset"
    assert seen[-1][1] == seen[-1][2] == len(seen)
    assert {path.name for path in paths} == {path.name for path in tmp_path.iterdir()}
    with (tmp_path / "attribution.csv").open(encoding="utf-8", newline="") as stream:
        assert [(row["dataset"], row["licence"], row["source_url"]) for row in csv.DictReader(stream)] == [
            (name, "cc-by", f"https://example.org/{name}.xml") for name in "abc"
        ]
    text = (tmp_path / "ATTRIBUTION.txt").read_text(encoding="utf-8")
    assert "Datasets: 3 of 1 reporting organisations" in text
    assert "cc-by: 3 datasets" in text
    columns = "dataset, iati_identifier, type, CAST(value AS DOUBLE), CAST(date AS VARCHAR), source_url"
    sql = f"SELECT {columns} FROM {{}} ORDER BY 1, transaction_index"
    expected = [
        ("a", "XM-EX-1-A", "3", 12.5, "2020-03-04", "https://example.org/a.xml"),
        ("a", "XM-EX-1-A", "4", None, None, "https://example.org/a.xml"),
        ("b", "GB-1-X", "D", 5e18, "2010-02-03", "https://example.org/b.xml"),
    ]
    if form == "sqlite":
        with closing(sqlite3.connect(tmp_path / "iati.sqlite")) as database:
            assert database.execute(sql.replace("AS VARCHAR", "AS TEXT").format("trans")).fetchall() == expected
    elif form == "duckdb":
        with duckdb.connect(tmp_path / "iati.duckdb", read_only=True) as connection:
            assert connection.execute(sql.format("transaction")).fetchall() == expected
    else:
        assert duckdb.sql(sql.format(f"'{tmp_path}/transaction.{form}'")).fetchall() == expected


def test_an_unknown_format_is_named(generation: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown format xls: choose one of parquet, csv, duckdb, sqlite"):
        tables.export(generation, tmp_path, "xls")


def test_the_newest_transaction_per_organisation_in_plain_sql(generation: Path) -> None:
    found = tables.query(generation, "SELECT reporting_org, max(date) AS newest FROM transaction GROUP BY 1").to_pylist()
    assert found == [{"reporting_org": "example", "newest": date(2020, 3, 4)}]

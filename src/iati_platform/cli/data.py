"""Commands for those who use the data: search, sql, export."""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from iati_platform.cli.root import EXIT_USAGE, CommandError, DataDir, app, err, house_for, out


class Collection(StrEnum):
    """The Datastore's collections."""

    ACTIVITY = "activity"
    TRANSACTION = "transaction"
    BUDGET = "budget"


class TextFormat(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class SqlFormat(StrEnum):
    """How an answer of `iati sql` is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class ExportFormat(StrEnum):
    """What `iati export` writes."""

    PARQUET = "parquet"
    CSV = "csv"
    DUCKDB = "duckdb"
    SQLITE = "sqlite"


class Scope(StrEnum):
    """Which activities are searched."""

    ADMITTED = "admitted"
    HELD_BACK = "held-back"
    ALL = "all"


DEFAULT_FIELDS = {
    Collection.ACTIVITY: "iati_identifier,title_narrative,reporting_org_narrative,activity_status_code",
    Collection.TRANSACTION: "iati_identifier,transaction_transaction_type_code,transaction_transaction_date_iso_date,"
    "transaction_value,transaction_value_currency",
    Collection.BUDGET: "iati_identifier,budget_period_start_iso_date,budget_period_end_iso_date,budget_value,budget_value_currency",
}


@app.command(epilog="Example: iati search 'recipient_country_code:KE AND title_narrative:water' --format csv")
def search(
    query: Annotated[str, typer.Argument(help="A query in the Datastore's language.", metavar="QUERY")],
    collection: Annotated[Collection, typer.Option(help="What to search.")] = Collection.ACTIVITY,
    fl: Annotated[str | None, typer.Option(help="Fields to print, separated by commas.")] = None,
    rows: Annotated[int, typer.Option(help="How many.", min=0, max=1000)] = 10,
    output: Annotated[TextFormat, typer.Option("--format", help="How to print them.")] = TextFormat.TABLE,
    scope: Annotated[
        Scope, typer.Option(help="Activities in the collections, those held back (1.x, schema-invalid), or all.")
    ] = Scope.ADMITTED,
    data_dir: DataDir = None,
) -> None:
    """Query the local search index."""
    from iati_platform.datastore.index import IndexReader
    from iati_platform.datastore.query import QueryError
    from iati_platform.datastore.service import search as run

    generation = house_for(data_dir).generations.current()
    if generation is None:
        raise CommandError("there is nothing to search yet: run `iati refresh` first")
    try:
        found = run(
            IndexReader(generation.path / "search"),
            query,
            collection=collection.value,
            fl=fl or DEFAULT_FIELDS[collection],
            rows=rows,
            scope=scope.value,
        )
    except QueryError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    if output is TextFormat.JSON:
        sys.stdout.write(orjson.dumps({"numFound": found.total, "docs": found.documents}, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    names = (fl or DEFAULT_FIELDS[collection]).split(",")
    lines = [[_cell(document.get(name)) for name in names] for document in found.documents]
    if output is TextFormat.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(lines)
        return
    table = Table(*names, box=None, pad_edge=False)
    for line in lines:
        table.add_row(*line)
    out.print(table, markup=False)
    err.print(f"{found.total:,} found", highlight=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(_cell(item) for item in value)
    return str(value)


@app.command(epilog='Example: iati sql "SELECT reporting_org, count(*) FROM activity GROUP BY 1 ORDER BY 2 DESC"')
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT over the analytics tables (SHOW TABLES lists them).", metavar="QUERY")],
    output: Annotated[SqlFormat, typer.Option("--format", help="How to write the answer.")] = SqlFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Read-only SQL over the analytics tables."""
    from iati_platform.datastore import tables
    from iati_platform.datastore.tables.output import write

    generation = house_for(data_dir).generations.current()
    if generation is None:
        raise CommandError("there are no tables yet: run `iati refresh` first")
    try:
        answer = tables.query(generation.path / "tables", query)
    except tables.QueryRefused as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    if output is SqlFormat.PARQUET and sys.stdout.isatty():
        raise CommandError("Parquet is not for a terminal: redirect it to a file", EXIT_USAGE)
    write(answer, output.value, sys.stdout.buffer)


@app.command(epilog="Example: iati export --format sqlite ./iati-tables")
def export(
    directory: Annotated[Path, typer.Argument(help="Where to write (made when missing).", metavar="DIR")],
    output: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.PARQUET,
    data_dir: DataDir = None,
) -> None:
    """The whole corpus as tables, with the licence and source of every dataset."""
    from iati_platform.datastore import tables

    generation = house_for(data_dir).generations.current()
    if generation is None:
        raise CommandError("there are no tables yet: run `iati refresh` first")
    for path in tables.export(generation.path / "tables", directory, output.value):
        out.print(str(path), highlight=False, markup=False)

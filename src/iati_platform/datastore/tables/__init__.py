"""Analytics tables: activities, transactions, budgets and more as typed rows for SQL and for exports (DuckDB over Parquet).

`specification` says which tables and columns there are. `TablesBuilder` makes the rows of one file (process step), `TablesWriter` keeps
the rows of all datasets in immutable Parquet parts (publish step), `connect`, `query` and `export` read them.

Names are looked up on first use: a worker process that only builds rows loads neither pyarrow nor DuckDB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iati_platform.datastore.tables.builder import TablesBuilder
    from iati_platform.datastore.tables.exporting import export
    from iati_platform.datastore.tables.reader import QueryTimeout, connect, query, run
    from iati_platform.datastore.tables.statements import QueryRefused
    from iati_platform.datastore.tables.writer import TablesError, TablesWriter

_PLACES = {
    "TablesBuilder": "builder",
    "TablesWriter": "writer",
    "TablesError": "writer",
    "connect": "reader",
    "export": "exporting",
    "query": "reader",
    "run": "reader",
    "QueryTimeout": "reader",
    "QueryRefused": "statements",
}

__all__ = ["QueryRefused", "QueryTimeout", "TablesBuilder", "TablesError", "TablesWriter", "connect", "export", "query", "run"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What a reader may ask: one statement that only reads. Everything else is refused before it reaches the engine."""

from __future__ import annotations

import re
from typing import Final

import duckdb

_EXPLAIN: Final = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*explain\b", re.IGNORECASE | re.DOTALL)
_EXPLAIN_OPTIONS: Final = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:analyze\b|\([^()]*\))?", re.IGNORECASE | re.DOTALL)


class QueryRefused(ValueError):
    """A statement that is refused or not understood; the message says what to do."""


def reading_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """`sql` if it is exactly one SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN of one. QueryRefused otherwise.

    EXPLAIN ANALYZE runs what it explains, so what follows it is looked at too: `EXPLAIN ANALYZE COPY ... TO` writes files.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
    if len(statements) != 1:
        raise QueryRefused(f"one statement at a time, please: this is {len(statements)}")
    kind = statements[0].type
    if kind == duckdb.StatementType.SELECT:
        return sql
    if kind == duckdb.StatementType.EXPLAIN:
        found = _EXPLAIN.match(sql)
        if found is None:
            raise QueryRefused("EXPLAIN must come first")
        inner = sql[found.end() :]
        options = _EXPLAIN_OPTIONS.match(inner)
        reading_statement(connection, inner[options.end() :] if options else inner)
        return sql
    raise QueryRefused(f"only reading is allowed (SELECT, WITH, DESCRIBE, SHOW, EXPLAIN), not {kind.name}")

"""Arrow schemas of the tables, derived from the specification."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from iati_platform.datastore.tables.plan import leading_columns
from iati_platform.datastore.tables.specification import LEADING, TABLES, Table
from iati_platform.datastore.tables.values import ARROW_TYPES

#: The column that ties a row to the dataset version it came from (see `writer`). Never shown.
LOAD: Final = "_load"

_LEADING_TYPES: Final = {
    **{name: (pa.int32() if name.endswith("_index") else pa.string()) for names in LEADING.values() for name in names},
    "version": pa.string(),
    "admitted": pa.bool_(),
    "schema_valid": pa.bool_(),
}


def table_schema(table: Table) -> pa.Schema:
    """Columns of one table as the process step makes them."""
    types = _LEADING_TYPES | ({table.kind: pa.string()} if table.kind else {})
    fields = [pa.field(name, types.get(name, pa.int32())) for name in leading_columns(table)]
    fields += [pa.field(column.name, ARROW_TYPES[column.type]) for column in table.columns]
    return pa.schema(fields)


SCHEMAS: Final[dict[str, pa.Schema]] = {table.name: table_schema(table) for table in TABLES}
#: As stored in Parquet: with the load in front.
STORED: Final[dict[str, pa.Schema]] = {name: schema.insert(0, pa.field(LOAD, pa.int64())) for name, schema in SCHEMAS.items()}

"""Parts: immutable Parquet files that hold the rows of many datasets. Written once, hard-linked from generation to generation.

Every row carries the `_load` it came with (the number of one version of one dataset); the part's own metadata says how many rows each load
has, so that dead rows are counted without reading data.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iati_platform.datastore.tables import values
from iati_platform.datastore.tables.schema import LOAD, SCHEMAS, STORED
from iati_platform.datastore.tables.specification import TABLES

PART_FORMAT: Final = 1
#: A row group is what DuckDB reads at once (its own default is 122,880 rows); a part is what a compaction rewrites at once.
GROUP_ROWS: Final = 122_880
GROUP_BYTES: Final = 24 << 20
PART_ROWS: Final = 1_000_000
PART_BYTES: Final = 256 << 20
#: Texts waiting to be typed, as bytes of JSON, and how many times as much memory Python needs for them.
_PENDING_BYTES: Final = 2 << 20
_TEXT_COST: Final = 5
_METADATA: Final = b"iati_platform.part"

_TYPES: Final = {table.name: {column.name: column.type for column in table.columns} for table in TABLES}


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of one table; `loads`: rows per load."""

    path: Path
    loads: Mapping[int, int]

    @property
    def rows(self) -> int:
        return sum(self.loads.values())

    def live(self, live: set[int]) -> int:
        """Rows whose load still counts."""
        return sum(count for load, count in self.loads.items() if load in live)


def open_part(path: Path) -> Part:
    """Reads only the footer. ValueError for a part made by a newer version."""
    found = (pq.read_metadata(path).metadata or {}).get(_METADATA)
    described = orjson.loads(found) if found else {}
    if described.get("format") != PART_FORMAT:
        raise ValueError(f"{path.name} is not a part of format {PART_FORMAT}")
    return Part(path, dict(zip(described["loads"], described["rows"], strict=True)))


def live_batches(part: Part, table: str, live: set[int]) -> Iterator[pa.Table]:
    """The rows of a part that still count, a row group at a time, in today's schema."""
    wanted = pa.array([load for load in part.loads if load in live], pa.int64())
    with pq.ParquetFile(part.path) as file:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            kept = group.filter(pc.is_in(group[LOAD], value_set=wanted))
            if kept.num_rows:
                yield conform(kept, STORED[table])


def conform(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """`found` with the columns of `schema`: new ones are NULL, gone ones left out. Parts of an older version live until they are merged."""
    columns = [
        found[field.name].cast(field.type) if field.name in found.column_names else pa.nulls(found.num_rows, field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class PartsWriter:
    """New parts of one table, `<prefix>-<n>.parquet` in `directory`. Memory is bounded by one row group and the pending texts."""

    def __init__(self, directory: Path, table: str, prefix: str) -> None:
        self.directory = directory
        self.table = table
        self.prefix = prefix
        self.rows = 0
        self.parts: list[Part] = []
        self._names = SCHEMAS[table].names
        self._texts: dict[str, list[Any]] = {name: [] for name in (LOAD, *self._names)}
        self._text_bytes = 0
        self._batches: list[pa.Table] = []
        self._batch_rows = self._batch_bytes = 0
        self._file: Any = None
        self._path: Path | None = None
        self._loads: Counter[int] = Counter()
        self._file_rows = 0

    def append(self, load: int, chunk: bytes) -> int:
        """One line of what `TablesBuilder.finish` gave; gives its number of rows."""
        described = orjson.loads(chunk)
        count, columns = int(described["rows"]), described["columns"]
        self._texts[LOAD].extend([load] * count)
        for name in self._names:
            found = columns.get(name)
            self._texts[name].extend([None] * count if found is None else found)
        self._text_bytes += len(chunk)
        self.rows += count
        if self._text_bytes >= _PENDING_BYTES:
            self._type()
        return count

    def append_rows(self, rows: pa.Table) -> None:
        """Rows that are typed already, with their loads (compaction)."""
        self.rows += rows.num_rows
        self._batches.append(rows)
        self._batch_rows += rows.num_rows
        self._batch_bytes += rows.nbytes
        if self._batch_rows >= GROUP_ROWS or self._batch_bytes >= GROUP_BYTES:
            self._group()

    @property
    def held(self) -> int:
        """Bytes of memory that `release` would free, roughly."""
        return self._text_bytes * _TEXT_COST + self._batch_bytes

    def release(self) -> None:
        """Write what is held as a row group of its own, though it may be small."""
        self._type()
        self._group()

    def close(self) -> list[Part]:
        """Write what is left; the new parts, durable on disk."""
        self._type()
        self._group()
        self._finish_file()
        return self.parts

    def _type(self) -> None:
        """Pending texts to typed columns."""
        if not self._texts[LOAD]:
            return
        types, schema = _TYPES[self.table], STORED[self.table]
        arrays = [
            values.column(types[field.name], texts) if field.name in types else pa.array(texts, field.type)
            for field, texts in zip(schema, self._texts.values(), strict=True)
        ]
        waiting = self.rows
        self._texts = {name: [] for name in self._texts}
        self._text_bytes = 0
        self.append_rows(pa.Table.from_arrays(arrays, schema=schema))
        self.rows = waiting

    def _group(self) -> None:
        """Collected batches to one row group."""
        if not self._batches:
            return
        rows = pa.concat_tables(self._batches)
        self._batches, self._batch_rows, self._batch_bytes = [], 0, 0
        if self._file is None:
            self._path = self.directory / f"{self.prefix}-{len(self.parts)}.parquet"
            self._file = pq.ParquetWriter(self._path, STORED[self.table], compression="zstd")
        self._file.write_table(rows, row_group_size=GROUP_ROWS)
        counted = pc.value_counts(rows[LOAD].combine_chunks())
        self._loads.update(dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)))
        self._file_rows += rows.num_rows
        if self._path is not None and (self._file_rows >= PART_ROWS or self._path.stat().st_size >= PART_BYTES):
            self._finish_file()

    def _finish_file(self) -> None:
        if self._file is None or self._path is None:
            return
        described = {"format": PART_FORMAT, "loads": list(self._loads), "rows": list(self._loads.values())}
        self._file.add_key_value_metadata({_METADATA.decode(): orjson.dumps(described).decode()})
        self._file.close()
        fsync(self._path)
        self.parts.append(Part(self._path, dict(self._loads)))
        self._file, self._path, self._loads, self._file_rows = None, None, Counter(), 0


def fsync(path: Path) -> None:
    """Make a file or the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Results of `iati sql` as text, JSON, CSV or Parquet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

_NUMERIC: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
#: A cell of the text table is cut after this many characters; the other formats give everything.
CELL: Final = 40


def write(result: pa.Table, form: str, stream: BinaryIO) -> None:
    """Write `result` in one of `FORMATS`. ValueError for another."""
    try:
        writer = FORMATS[form]
    except KeyError:
        raise ValueError(f"unknown format {form}: choose one of {', '.join(FORMATS)}") from None
    writer(result, stream)


def _rows(result: pa.Table) -> Iterator[list[Any]]:
    for batch in result.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        yield from (list(row) for row in zip(*columns, strict=True))


def _write_table(result: pa.Table, stream: BinaryIO) -> None:
    """Aligned columns, numbers to the right, the number of rows below."""
    numeric = [any(is_type(kind) for is_type in _NUMERIC) for kind in result.schema.types]
    rows = [[_cell(value) for value in row] for row in _rows(result)]
    widths = [max([_width(name), *(_width(row[i]) for row in rows)]) for i, name in enumerate(result.column_names)]

    def line(cells: list[str]) -> str:
        padded = [
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip() + "\n"

    text = line(list(result.column_names)) + line(["-" * width for width in widths]) + "".join(line(row) for row in rows)
    stream.write((text + f"({len(rows)} row{'' if len(rows) == 1 else 's'})\n").encode())


def _cell(value: Any) -> str:
    text = "" if value is None else _text(value)
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | dict):
        return _json(value).decode()
    return str(value)


def _write_json(result: pa.Table, stream: BinaryIO) -> None:
    """A list with one object per row. Decimals are numbers with all their digits."""
    stream.write(b"[")
    names = result.column_names
    for number, row in enumerate(_rows(result)):
        stream.write((b",\n " if number else b"\n ") + _json(dict(zip(names, row, strict=True))))
    stream.write(b"\n]\n")


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_unknown, option=orjson.OPT_NON_STR_KEYS)


def _unknown(value: Any) -> Any:
    return orjson.Fragment(format(value, "f")) if isinstance(value, Decimal) else str(value)


def _write_csv(result: pa.Table, stream: BinaryIO) -> None:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(result.column_names)
    for row in _rows(result):
        writer.writerow(["" if value is None else _text(value) for value in row])
    text.detach()


def _write_parquet(result: pa.Table, stream: BinaryIO) -> None:
    pq.write_table(result, stream, compression="zstd")


FORMATS: Final[dict[str, Callable[[pa.Table, BinaryIO], None]]] = {
    "table": _write_table,
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}

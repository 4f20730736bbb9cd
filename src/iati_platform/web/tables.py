"""Tables people can sort, page and take away: one value that becomes a page, a CSV and a JSON answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import orjson

from .cells import Cell, csv_text, plain

PAGE_SIZES = (25, 50, 100)


@dataclass(frozen=True)
class Column:
    """One column: `key` is its name in CSV, JSON and `?sort=`; `label` is what people read."""

    key: str
    label: str
    numeric: bool = False
    sortable: bool = False
    wide: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Order:
    """Where in a list the reader is: sort column, direction, page and page size. Lives in the address, so back works."""

    sort: str
    descending: bool = False
    page: int = 1
    per_page: int = 50

    @property
    def start(self) -> int:
        return (self.page - 1) * self.per_page

    @staticmethod
    def read(query: Mapping[str, str], sortable: Iterable[str], default: str, *, per_page: int = 50) -> Order:
        """Order from the query string (`sort=-size&page=2&rows=25`); anything unknown falls back to the default."""
        wanted = query.get("sort", default)
        name, descending = wanted.removeprefix("-"), wanted.startswith("-")
        if name not in set(sortable):
            name, descending = default.removeprefix("-"), default.startswith("-")
        rows = _whole(query.get("rows"), per_page)
        return Order(name, descending, max(1, min(_whole(query.get("page"), 1), 1_000_000)), rows if rows in PAGE_SIZES else per_page)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


@dataclass(frozen=True)
class Table:
    """A table ready to be shown. `query` holds the other parameters of the address (filters), kept by every link."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: int
    order: Order
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    export: bool = True
    anchor: str = ""
    empty: str = "Nothing to show."

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.order.per_page))

    @property
    def first(self) -> int:
        return min(self.total, self.order.start + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.order.start + len(self.rows))

    def address(self, order: Order, ending: str = "") -> str:
        """Link to the same list in another order, page or format."""
        parameters = {key: value for key, value in self.query.items() if value}
        parameters["sort"] = ("-" if order.descending else "") + order.sort
        if order.page > 1:
            parameters["page"] = str(order.page)
        if order.per_page != 50:
            parameters["rows"] = str(order.per_page)
        return f"{self.path}{ending}?{urlencode(parameters)}{self.anchor}"

    def page_address(self, page: int) -> str:
        return self.address(replace(self.order, page=page))

    def sort_address(self, key: str) -> str:
        """Sorting by the current column turns it round; numbers start with the largest."""
        if key == self.order.sort:
            return self.address(replace(self.order, descending=not self.order.descending, page=1))
        numeric = any(column.key == key and column.numeric for column in self.columns)
        return self.address(Order(key, numeric, 1, self.order.per_page))

    def sort_state(self, key: str) -> str:
        """The `aria-sort` value of a column."""
        if key != self.order.sort:
            return "none"
        return "descending" if self.order.descending else "ascending"

    def export_address(self, ending: str) -> str:
        parameters = {key: value for key, value in self.query.items() if value}
        parameters["sort"] = ("-" if self.order.descending else "") + self.order.sort
        return f"{self.path}{ending}?{urlencode(parameters)}"

    def page_numbers(self) -> list[int | None]:
        """Pages to link: both ends and the neighbours of the current one; None is a gap."""
        here, last = self.order.page, self.pages
        near = sorted({1, last, *(page for page in range(here - 1, here + 2) if 1 <= page <= last)})
        numbers: list[int | None] = []
        for page in near:
            if numbers and numbers[-1] is not None and page - numbers[-1] > 1:
                numbers.append(None)
            numbers.append(page)
        return numbers


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """RFC 4180 text, UTF-8, CRLF: header of keys, then the rows; yields blocks of about 64 kB so that long lists stream."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([csv_text(cell) for cell in row])
        if buffer.tell() > 65_536:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def json_rows(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> list[dict[str, object]]:
    """Rows as objects keyed by column."""
    keys = [column.key for column in columns]
    return [dict(zip(keys, map(plain, row), strict=True)) for row in rows]


def json_page(table: Table, items: str) -> bytes:
    """One page of a list as JSON: total, page, pages, the rows under the name `items`."""
    answer = {
        "total": table.total,
        "page": table.order.page,
        "pages": table.pages,
        items: json_rows(table.columns, table.rows),
    }
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

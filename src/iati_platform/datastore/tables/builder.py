"""One file's records into the rows of the analytics tables: part of the process step, so pure (no clock, database or network).

The rows leave as columns of trimmed *texts*; `writer` gives them their types, many files at a time. Making typed Arrow arrays here would
cost seven times as much: a typical file has 10 to 14 tables of a few dozen rows, and each of their 150 columns costs microseconds
whatever its length (docs/decisions/tables.md has the figures). It also keeps pyarrow out of the worker processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from iati_platform.datastore.tables.plan import PLANS, Node, Row, TablePlan, column_names
from iati_platform.datastore.tables.specification import ACTIVITY, ORGANISATION

if TYPE_CHECKING:
    from iati_platform.reading import FileReading, Record

#: Rows kept as Python lists before they become bytes. Bounds the memory of a file with hundreds of thousands of transactions.
CHUNK: Final = 8_192


class TablesBuilder:
    """Rows of every table for one file. `add` each record in document order, then `finish` once."""

    def __init__(self, reading: FileReading) -> None:
        self._reading = reading
        self.version = reading.version.strip() or None
        kind = str(reading.kind.value) if reading.kind is not None else ""
        record = {"iati-activities": ACTIVITY, "iati-organisations": ORGANISATION}.get(kind)
        self._buffers = [_Buffer(plan) for plan in PLANS if plan.table.record == record]

    def add(self, record: Record, admitted: bool) -> None:
        """One activity or organisation; `admitted`: it is in the Datastore's collections."""
        groups, index = record.groups, record.index
        identifier = record.identifier.strip() or None
        attributes = record.node[1]
        for buffer in self._buffers:
            if not buffer.steps:
                row: Row = [index, identifier, self.version, admitted, record.schema_valid, *buffer.plan.blanks]
                buffer.plan.fill_record(attributes, groups, row)
                buffer.rows.append(row)
                buffer.check()
                continue
            position = 0
            defaults: list[tuple[int, Any]] | None = None
            for steps in buffer.steps:
                nodes = groups.get(steps[0])
                if nodes:
                    if defaults is None:
                        defaults = buffer.defaults(attributes, groups)
                    position += buffer.below(nodes, steps, [index, identifier], position, defaults)
            if position:
                buffer.check()

    def finish(self) -> dict[str, bytes]:
        """The tables that have rows, by name: lines of JSON, `{"rows": n, "columns": {name: [values]}}`, empty columns left out.
        A file that turned out to be broken has none."""
        if self._reading.problems:
            return {}
        return {buffer.plan.table.name: buffer.finish() for buffer in self._buffers if buffer.rows or buffer.chunks}


class _Buffer:
    """The rows of one table: collected as lists, turned into Arrow a chunk at a time."""

    def __init__(self, plan: TablePlan) -> None:
        self.plan = plan
        self.steps = [path.split("/") for path in plan.table.rows if path]
        self.names = column_names(plan.table)
        self.rows: list[Row] = []
        self.chunks: list[bytes] = []

    def defaults(self, attributes: dict[str, str], groups: Mapping[str, Sequence[Node]]) -> list[tuple[int, Any]]:
        """(slot, value) that rows of this record fall back to."""
        if self.plan.defaults is None:
            return []
        row: Row = [None] * (self.plan.leading + len(self.plan.blanks))
        self.plan.defaults(attributes, groups, row)
        return [(slot, value) for slot, value in enumerate(row) if value is not None]

    def below(self, nodes: Sequence[Node], steps: list[str], lead: Row, first: int, defaults: list[tuple[int, Any]]) -> int:
        """Rows for `nodes` (all of tag `steps[0]`), or for what is below them when more steps follow. Positions count from `first`.
        Gives the number of nodes."""
        plan = self.plan
        if len(steps) > 1:
            tag = steps[1]
            for position, node in enumerate(nodes, first):
                inner = [child for child in node[3] if child[0].name == tag]
                if inner:
                    self.below(inner, steps[1:], [*lead, position], 0, defaults)
            return len(nodes)
        blanks = [steps[0], *plan.blanks] if plan.table.kind else plan.blanks
        fill, append = plan.fill, self.rows.append
        for position, node in enumerate(nodes, first):
            row: Row = [*lead, position, *blanks]
            fill(node, row)
            for slot, value in defaults:
                if row[slot] is None:
                    row[slot] = value
            append(row)
        return len(nodes)

    def check(self) -> None:
        """Between records: turn a full chunk into bytes."""
        if len(self.rows) >= CHUNK:
            self._flush()

    def finish(self) -> bytes:
        if self.rows:
            self._flush()
        return b"\n".join(self.chunks)

    def _flush(self) -> None:
        count = len(self.rows)
        columns = zip(self.names, zip(*self.rows, strict=True), strict=True)
        filled = {name: column for name, column in columns if column.count(None) < count}
        self.chunks.append(orjson.dumps({"rows": count, "columns": filled}))
        self.rows.clear()

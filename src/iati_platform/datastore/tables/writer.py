"""The single writer of the analytics tables of a generation.

A log-structured store: every version of a dataset gets a number, its *load*; its rows are appended to new parts and never touched again.
The `dataset` table, written whole with each generation, says which load of which dataset counts, and what the dataset is called, whose
it is and under which licence: so a replaced or deleted dataset only leaves dead rows behind, and a renamed one costs nothing.

    tables/manifest.json                 which parts belong to the generation; written last, atomically
    tables/dataset.parquet               the live list with names and attribution
    tables/<table>/<generation>-n.parquet
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from iati_platform.datastore.tables.compaction import CREDIT_FLOOR, CREDIT_PER_ROW, Merge, choose
from iati_platform.datastore.tables.parts import Part, PartsWriter, fsync, live_batches, open_part
from iati_platform.datastore.tables.schema import SCHEMAS

if TYPE_CHECKING:
    from iati_platform.registry.refs import DatasetRef

FORMAT: Final = 1
#: Memory for rows of all tables that are not written yet; above it the table that holds most writes a row group.
HELD_BYTES: Final = 96 << 20
MANIFEST: Final = "manifest.json"
DATASETS: Final = "dataset.parquet"


class TablesError(RuntimeError):
    """Tables that cannot be read or written: missing, finished already, or of a newer format."""


@dataclass(frozen=True, slots=True)
class LiveDataset:
    """A row of the live list: which load of the dataset counts, and what is shown with each of its rows."""

    load: int
    dataset_id: str
    dataset: str
    reporting_org_id: str
    reporting_org: str
    licence: str | None
    source_url: str | None
    content_sha256: str | None
    hash_excluding: str | None


_DATASET_SCHEMA: Final = pa.schema(
    [pa.field(name, pa.int64() if name == "load" else pa.string()) for name in LiveDataset.__dataclass_fields__]
)


def read_manifest(directory: Path) -> dict[str, Any]:
    """{"format", "number", "next_load", "credit", "parts": {table: [relative paths]}}. TablesError if missing or newer."""
    try:
        manifest: dict[str, Any] = orjson.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise TablesError(f"no analytics tables in {directory.name}: run a refresh first") from None
    if manifest.get("format") != FORMAT:
        raise TablesError(f"analytics tables of format {manifest.get('format')}; this version reads format {FORMAT}")
    return manifest


class TablesWriter:
    """Fills the empty or missing `directory` from `previous` (the same folder of the generation before, or None) and the changes.

    Nothing of `previous` is modified. Without `commit` the directory is worthless and can be removed.
    """

    def __init__(self, directory: Path, previous: Path | None) -> None:
        if (directory / MANIFEST).exists():
            raise TablesError(f"the tables in {directory} are finished; a new generation needs a directory of its own")
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(parents=True)
        self.directory = directory
        self._datasets: dict[str, LiveDataset] = {}
        self._parts: dict[str, list[Part]] = {name: [] for name in SCHEMAS}
        self._number = self._next_load = 1
        self._credit = 0
        self._new: dict[str, PartsWriter] = {}
        if previous is not None:
            manifest = read_manifest(previous)
            self._number, self._next_load, self._credit = manifest["number"] + 1, manifest["next_load"], manifest["credit"]
            self._datasets = {row["dataset_id"]: LiveDataset(**row) for row in pq.read_table(previous / DATASETS).to_pylist()}
            for name, paths in manifest["parts"].items():
                if name in SCHEMAS:
                    self._parts[name] = [open_part(previous / path) for path in paths]

    def replace(self, dataset: DatasetRef, tables: dict[str, bytes]) -> None:
        """A new version of a dataset: `tables` as `TablesBuilder.finish` gave them. Tables this version does not know are left out."""
        load = self._next_load
        self._next_load += 1
        for name, content in tables.items():
            if name in SCHEMAS and content:
                writer = self._new.get(name)
                if writer is None:
                    writer = self._new[name] = self._writer(name, "new")
                for chunk in content.split(b"\n"):
                    writer.append(load, chunk)
            while sum(each.held for each in self._new.values()) > HELD_BYTES:
                max(self._new.values(), key=lambda each: each.held).release()
        self._datasets[dataset.id] = _live(dataset, load)

    def describe(self, dataset: DatasetRef) -> bool:
        """New name, organisation, licence or source of a dataset whose contents did not change. False if its rows are not here."""
        known = self._datasets.get(dataset.id)
        if known is None:
            return False
        self._datasets[dataset.id] = replace(
            _live(dataset, known.load), content_sha256=known.content_sha256, hash_excluding=known.hash_excluding
        )
        return True

    def delete(self, dataset_id: str) -> bool:
        """Take a dataset out. False if it was not in."""
        return self._datasets.pop(dataset_id, None) is not None

    def datasets(self) -> dict[str, str | None]:
        """Dataset id -> hash of the content that is in, including changes not committed yet."""
        return {dataset.dataset_id: dataset.content_sha256 for dataset in self._datasets.values()}

    def commit(self) -> None:
        """Finish the generation's tables: everything durable, the manifest last."""
        live = {dataset.load for dataset in self._datasets.values()}
        written = 0
        for name, writer in self._new.items():
            written += writer.rows
            self._parts[name] += writer.close()
        self._new = {}
        for name, parts in self._parts.items():
            self._parts[name] = [part for part in parts if part.live(live)]
        credit = max(CREDIT_FLOOR, self._credit + CREDIT_PER_ROW * written)
        for number, merge in enumerate(choose(self._parts, live, credit)):
            self._merge(merge, live, number)
            credit -= merge.live
        paths = {name: [self._place(name, part) for part in parts] for name, parts in self._parts.items()}
        self._write_datasets()
        manifest = {"format": FORMAT, "number": self._number, "next_load": self._next_load, "credit": credit, "parts": paths}
        for folder in [path for path in self.directory.iterdir() if path.is_dir()]:
            self._sweep(folder, {self.directory / path for path in paths[folder.name]})
            fsync(folder)
        temporary = self.directory / (MANIFEST + ".new")
        temporary.write_bytes(orjson.dumps(manifest))
        fsync(temporary)
        temporary.rename(self.directory / MANIFEST)
        fsync(self.directory)

    def _writer(self, table: str, purpose: str) -> PartsWriter:
        folder = self.directory / table
        folder.mkdir(exist_ok=True)
        return PartsWriter(folder, table, f"{self._number:08}-{purpose}")

    def _merge(self, merge: Merge, live: set[int], number: int) -> None:
        merged = self._writer(merge.table, f"merged-{number}")
        for part in sorted(merge.parts, key=lambda part: min(part.loads)):
            for rows in live_batches(part, merge.table, live):
                merged.append_rows(rows)
        self._parts[merge.table] = [part for part in self._parts[merge.table] if part not in merge.parts] + merged.close()

    def _place(self, table: str, part: Part) -> str:
        """The part's path in this generation, linked there if it is an old one."""
        target = self.directory / table / part.path.name
        if part.path != target:
            target.parent.mkdir(exist_ok=True)
            link(part.path, target)
        return f"{table}/{target.name}"

    def _sweep(self, folder: Path, wanted: set[Path]) -> None:
        """New parts that were merged or died within this very commit."""
        for path in folder.iterdir():
            if path not in wanted:
                path.unlink()

    def _write_datasets(self) -> None:
        rows = sorted((asdict(dataset) for dataset in self._datasets.values()), key=lambda row: row["load"])
        path = self.directory / DATASETS
        pq.write_table(pa.Table.from_pylist(rows, schema=_DATASET_SCHEMA), path, compression="zstd")
        fsync(path)


def link(source: Path, target: Path) -> None:
    """A hard link where the file system has them, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        fsync(target)


def _live(dataset: DatasetRef, load: int) -> LiveDataset:
    return LiveDataset(
        load=load,
        dataset_id=dataset.id,
        dataset=dataset.short_name,
        reporting_org_id=dataset.reporting_org_id,
        reporting_org=dataset.reporting_org_short_name,
        licence=dataset.licence_id,
        source_url=dataset.source_url,
        content_sha256=dataset.content_sha256,
        hash_excluding=dataset.hash_excluding,
    )

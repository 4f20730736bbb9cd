"""Writing the search index of one generation: datasets are replaced one by one, then everything is committed at once.

The directory may already hold hard links to the files of the generation before. Nothing is ever written into those: the engine's segment
files are immutable, its meta files are replaced by renaming, and the lock files (the only ones opened in place) are unlinked first. So a
process killed at any moment leaves the generation before untouched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import orjson
import tantivy

from iati_platform.datastore.fields import Collection
from iati_platform.datastore.layout import FORMAT_FILE, dataset_key, is_current
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.schema import INDEX_FORMAT, open_index, schema
from iati_platform.datastore.values import milliseconds

if TYPE_CHECKING:
    from iati_platform.registry.refs import DatasetRef

_LOCKS: Final = (".tantivy-writer.lock", ".tantivy-meta.lock")
_MEGABYTE: Final = 1_000_000
#: Bytes of heap per collection's writer. The fuller a segment before it is written, the less there is to merge later.
_HEAP: Final = {Collection.ACTIVITY: 256 * _MEGABYTE, Collection.TRANSACTION: 160 * _MEGABYTE, Collection.BUDGET: 48 * _MEGABYTE}
_MASK: Final = 2**64 - 1

__all__ = ["IndexReader", "IndexWriter", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """How many documents of a dataset went in, per kind; `held_back` activities are kept but not in the collections."""

    activities: int
    held_back: int
    transactions: int
    budgets: int


class IndexWriter:
    """The one writer of a generation's search index. Use as a context manager, or call `commit` (or `close`, to drop everything)."""

    def __init__(self, directory: Path, *, memory: float = 1.0, threads: int = 1, now: datetime | None = None) -> None:
        """`memory` scales the heaps (1.0: 464 MB altogether); `now`: the `indexed_datetime` of what is added."""
        self.directory = directory
        self._indexed = milliseconds(now or datetime.now(UTC))
        directory.mkdir(parents=True, exist_ok=True)
        if not is_current(directory):
            _empty(directory)
        self._writers: dict[Collection, tantivy.IndexWriter] = {}
        self._fresh: dict[Collection, bool] = {}
        for collection in Collection:
            for lock in _LOCKS:
                (directory / collection.value / lock).unlink(missing_ok=True)
            index = open_index(directory, collection, create=True)
            self._fresh[collection] = index.searcher().num_docs == 0
            heap = max(int(_HEAP[collection] * memory), 16 * _MEGABYTE * threads)
            self._writers[collection] = index.writer(heap, threads)
        self._written: set[int] = set()

    def replace(self, dataset: DatasetRef, documents: bytes) -> Written:
        """Take out what the index holds of this dataset and put in `documents` (the section DocumentsBuilder made). b"" only takes out."""
        key = dataset_key(dataset.id)
        self._delete(key)
        self._written.add(key)
        add_activity = self._writers[Collection.ACTIVITY].add_json
        adders = {"T": self._writers[Collection.TRANSACTION].add_json, "B": self._writers[Collection.BUDGET].add_json}
        counts = dict.fromkeys("AXTB", 0)
        shared = self._shared(dataset, key)
        head = int(dataset.id[:8], 16) if _hex(dataset.id[:8]) else key >> 32
        part_hash = sha1(f"{dataset.id}|{dataset.hash_excluding}|".encode(), usedforsecurity=False)
        activity, prefix, held = -1, part_hash, ""
        part_names = {"T": f"|{Collection.TRANSACTION.value}|", "B": f"|{Collection.BUDGET.value}|"}
        ordinals = {"T": 0, "B": 0}
        for line in documents.decode().split("\n")[:-1]:
            kind = line[0]
            counts[kind] += 1
            if kind in "TB":
                identity = prefix.copy()
                identity.update(f"{part_names[kind]}{ordinals[kind]}".encode())
                ordinals[kind] += 1
                order = int.from_bytes(identity.digest()[:8], "big")
                adders[kind](f'{{"_key":{(key + activity) & _MASK},"_dataset":{key},"_order":{order},{held}{line[2:]}')
                continue
            activity += 1
            ordinals = {"T": 0, "B": 0}
            end = line.index('"', 9)
            suffix = line[9:end]
            held = '"_held":true,' if kind == "X" else ""
            out = '"_out":true,' if kind == "X" else ""
            order = head << 32 | int(suffix[:8], 16)
            identity_text = f"{dataset.id}--{suffix}"
            prefix = part_hash.copy()
            prefix.update(identity_text.encode())
            add_activity(
                f'{{"id":"{identity_text}","_key":{(key + activity) & _MASK},"_order":{order},"_i":{activity},'
                f"{held}{out}{shared}{line[end + 1 :]}"
            )
        return Written(counts["A"], counts["X"], counts["T"], counts["B"])

    def delete(self, dataset_id: str) -> None:
        """Take out everything of a dataset; nothing happens if there is nothing."""
        self._delete(dataset_key(dataset_id))

    def commit(self) -> None:
        """Make everything since the start durable, wait for merges, close. The writer cannot be used afterwards."""
        for writer in self._writers.values():
            writer.commit()
        for writer in self._writers.values():
            writer.wait_merging_threads()
        self._writers.clear()
        (self.directory / FORMAT_FILE).unlink(missing_ok=True)
        (self.directory / FORMAT_FILE).write_text(str(INDEX_FORMAT))

    def close(self) -> None:
        """Drop what was not committed and give the directory free."""
        for writer in self._writers.values():
            writer.rollback()
            writer.wait_merging_threads()
        self._writers.clear()

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writers:
            if kind is None:
                self.commit()
            else:
                self.close()

    def _delete(self, key: int) -> None:
        # Deletes are looked up in every segment at commit; a new index has nothing to delete but what this writer put in.
        for collection, writer in self._writers.items():
            if not self._fresh[collection] or key in self._written:
                # Not delete_documents_by_term: tantivy-py 0.27 makes a signed term of a number, which matches no unsigned field.
                writer.delete_documents_by_query(tantivy.Query.term_query(schema(collection), "_dataset", key))

    def _shared(self, dataset: DatasetRef, key: int) -> str:
        """The dataset's part of every activity line."""
        source = {
            "id": dataset.id,
            "name": dataset.short_name,
            "org": dataset.reporting_org_id,
            "org_name": dataset.reporting_org_short_name,
            "content": dataset.content_sha256,
            "hash": dataset.hash_excluding,
            "licence": dataset.licence_id,
            "url": dataset.source_url,
        }
        fields = {
            "_dataset": key,
            "iati_activities_document_id": dataset.id,
            "iati_activities_document_hash": dataset.hash_excluding,
            "_name": dataset.short_name,
            "indexed_datetime": self._indexed,
            "_source": orjson.dumps(source).decode(),
        }
        return orjson.dumps(fields).decode()[1:-1]


def _hex(text: str) -> bool:
    return len(text) == 8 and all(sign in "0123456789abcdef" for sign in text)


def _empty(directory: Path) -> None:
    """Remove an index of another format: links only, the files live on in the generation before."""
    for collection in Collection:
        folder = directory / collection.value
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink()

"""The bulk part of a generation in one call: indices and ZIPs from one reading of the records."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from iati_platform.bulk.indices import Entry, write_indices
from iati_platform.bulk.zips import ZipReport, write_zips
from iati_platform.registry.records import Organisation
from iati_platform.storage.content import ContentStore


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What was published. `missing` are datasets whose content was not in the store: hand them to `service.lost_copies`."""

    datasets: int
    copies: int
    zips: ZipReport
    missing: Sequence[str]


def write_bulk(
    directory: Path,
    entries: Sequence[Entry],
    organisations: Collection[Organisation],
    contents: ContentStore,
    created: datetime,
    base_url: str,
) -> BulkReport:
    """Write everything this room publishes into `directory`. `base_url` as in `write_indices`.

    A copy that is recorded but not in the store is published as none, in the indices and in both ZIPs alike.
    """
    lost = {entry.dataset.id for entry in entries if entry.copy is not None and not contents.exists(entry.copy.sha256)}
    if lost:
        entries = [replace(entry, copy=None) if entry.dataset.id in lost else entry for entry in entries]
    write_indices(directory, entries, organisations, created, base_url)
    zips = write_zips(directory, entries, organisations, contents, created)
    return BulkReport(len(entries), sum(entry.copy is not None for entry in entries), zips, sorted({*lost, *zips.missing}))

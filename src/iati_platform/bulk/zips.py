"""The two bulk ZIPs: ours (`iati-data.zip`) and the layout of the Code for IATI data dump that iatikit and others read (§5, §11).

Both are made in one pass over the datasets: a content is read once and copied into both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from iati_platform.bulk.archive import ArchiveSummary, ArchiveWriter
from iati_platform.bulk.indices import Entry
from iati_platform.bulk.notes import PublishedFile, write_zips_note
from iati_platform.bulk.service import rfc3339
from iati_platform.registry.records import Organisation
from iati_platform.standard import licences
from iati_platform.storage.content import ContentDamaged, ContentMissing, ContentStore

NATIVE = "iati-data.zip"
LEGACY = "code-for-iati-data-download.zip"
_NATIVE_ROOT = "iati-data"
_LEGACY_ROOT = "iati-data-main"
_OPEN_GROUP = "OKD Compliant"
INDICES = ("datasets-minimal", "datasets-full", "reporting-orgs")
"""The indices that travel inside the native ZIP, with `.json` added."""


@dataclass(frozen=True, slots=True)
class ZipReport:
    """What was written, and the datasets whose content was not in the store (left out as if they had no good copy)."""

    native: ArchiveSummary
    legacy: ArchiveSummary
    missing: Sequence[str]


def write_zips(
    directory: Path,
    entries: Sequence[Entry],
    organisations: Collection[Organisation],
    contents: ContentStore,
    created: datetime,
    indices: Path | None = None,
) -> ZipReport:
    """Write both ZIPs into `directory`. `indices` is where `write_indices` has written its files (default: the same directory).

    Deterministic: equal arguments and contents give equal bytes. Raises ArchiveError or OSError and then leaves what was there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    by_id = {organisation.id: organisation for organisation in organisations}
    missing: list[str] = []
    with ExitStack() as stack:
        native = stack.enter_context(ArchiveWriter(directory / NATIVE, created))
        legacy = stack.enter_context(ArchiveWriter(directory / LEGACY, created))
        _native_head(native, indices or directory)
        _legacy_head(legacy, created)
        folder = None
        for entry in sorted(entries, key=lambda entry: (entry.dataset.reporting_org_short_name, entry.dataset.short_name)):
            owner, name = entry.dataset.reporting_org_short_name, entry.dataset.short_name
            if owner != folder:
                folder = owner
                legacy.add_directory(f"{_LEGACY_ROOT}/data/{owner}/")
                legacy.add_directory(f"{_LEGACY_ROOT}/metadata/{owner}/")
                native.add_directory(f"{_NATIVE_ROOT}/datasets/{owner}/")
                document = organisation_metadata(by_id.get(entry.dataset.reporting_org_id))
                legacy.add_bytes(f"{_LEGACY_ROOT}/metadata/{owner}.json", orjson.dumps(document))
            legacy.add_bytes(f"{_LEGACY_ROOT}/metadata/{owner}/{name}.json", orjson.dumps(dataset_metadata(entry)))
            raw = _member(entry, contents)
            if raw is None or entry.copy is None:
                if entry.copy is not None:
                    missing.append(entry.dataset.id)
                legacy.add_bytes(f"{_LEGACY_ROOT}/data/{owner}/{name}.xml", b"")
                continue
            copy = entry.copy
            for archive, path in ((native, f"{_NATIVE_ROOT}/datasets"), (legacy, f"{_LEGACY_ROOT}/data")):
                archive.add_deflated(f"{path}/{owner}/{name}.xml", raw, copy.crc32, copy.size, copy.modified)
    files = [PublishedFile(made.path.name, made.etag, made.size, "application/zip", None, 0) for made in (native.summary, legacy.summary)]
    write_zips_note(directory, files)
    return ZipReport(native.summary, legacy.summary, missing)


def _member(entry: Entry, contents: ContentStore) -> bytes | None:
    """The deflated bytes of an entry's copy; None when they are not there or not the ones that were recorded."""
    if entry.copy is None:
        return None
    try:
        raw = contents.member(entry.copy.sha256)
    except (ContentMissing, ContentDamaged):
        return None
    return raw if len(raw) == entry.copy.deflated_size else None


def _native_head(archive: ArchiveWriter, indices: Path) -> None:
    archive.add_directory(f"{_NATIVE_ROOT}/")
    for name in INDICES:
        archive.add_bytes(f"{_NATIVE_ROOT}/{name}.json", (indices / name).read_bytes())
    archive.add_directory(f"{_NATIVE_ROOT}/datasets/")


def _legacy_head(archive: ArchiveWriter, created: datetime) -> None:
    archive.add_directory(f"{_LEGACY_ROOT}/")
    # iatikit reads the time with a fixed pattern: whole seconds and a Z.
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    archive.add_bytes(f"{_LEGACY_ROOT}/metadata.json", orjson.dumps({"created_at": moment, "updated_at": moment}))
    archive.add_directory(f"{_LEGACY_ROOT}/data/")
    archive.add_directory(f"{_LEGACY_ROOT}/metadata/")


def organisation_metadata(organisation: Organisation | None) -> dict[str, Any]:
    """`metadata/{org}.json`; an organisation nobody knows is an empty object."""
    return {} if organisation is None else {"id": organisation.id, "name": organisation.short_name}


def dataset_metadata(entry: Entry) -> dict[str, Any]:
    """`metadata/{org}/{dataset}.json`: the CKAN package that readers of the old dump expect.

    `extras` must be a list (iatikit makes a dictionary of it); its `filetype` lets readers skip a file that is an empty placeholder.
    """
    dataset, copy = entry.dataset, entry.copy
    extras = [{"key": "filetype", "value": dataset.file_type}]
    resource: dict[str, Any] = {"format": "IATI-XML", "mimetype": "application/xml", "url": dataset.url}
    if copy is not None:
        # The old registry's hash left the generation timestamp out as well.
        resource |= {"hash": copy.hash_excluding, "size": copy.size}
        extras.append({"key": "content_modified", "value": rfc3339(copy.modified_excluding) or ""})
    modified = copy.modified_excluding if copy is not None else dataset.updated_at
    title, is_open = licence(dataset.licence_id)
    return {
        "id": dataset.id,
        "name": dataset.short_name,
        "title": dataset.short_name,
        "notes": "",
        "license_id": dataset.licence_id,
        "license_title": title,
        "isopen": is_open,
        "metadata_modified": modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "organization": {"id": dataset.reporting_org_id, "name": dataset.reporting_org_short_name},
        "resources": [resource],
        "extras": extras,
        "tags": [],
        "groups": [],
        "users": [],
    }


def licence(licence_id: str | None) -> tuple[str | None, bool]:
    """Title of a licence and whether it is an open one; an unknown id is its own title."""
    if licence_id is None:
        return None, False
    found = licences().get(licence_id)
    return (licence_id, False) if found is None else (found.title, found.group == _OPEN_GROUP)

"""The JSON indices: what is published about every dataset and every reporting organisation (§1.1-1.5).

`entries` reads the records once; everything written from one call carries the same creation time, so that the set is consistent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson
from isal import igzip
from sqlalchemy import select
from sqlalchemy.orm import Session

from iati_platform.bulk.models import CHECK_STATE as _state
from iati_platform.bulk.notes import PublishedCopy, PublishedFile, write_indices_note, write_whole
from iati_platform.bulk.recorder import NO_ERROR
from iati_platform.bulk.service import rfc3339
from iati_platform.registry import service as registry
from iati_platform.registry.records import Dataset, Organisation


@dataclass(frozen=True, slots=True)
class Copy:
    """The last known good copy of one dataset."""

    sha256: str
    crc32: int
    size: int
    deflated_size: int
    hash: str
    hash_excluding: str
    encoding: str
    initial_contents: str
    source_url: str | None
    server_etag: str | None
    server_last_modified: str | None
    downloaded: datetime
    verified_on_server: datetime
    modified: datetime
    modified_excluding: datetime

    @property
    def xml_etag(self) -> str:
        return f'"{self.sha256}"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One published dataset with the state of its file."""

    dataset: Dataset
    last_update_check: datetime | None
    get_attempt: Mapping[str, Any] | None
    head_attempt: Mapping[str, Any] | None
    error_cause: str | None
    failing_since: datetime | None
    consecutive_failures: int
    tls_problem: str | None
    copy: Copy | None

    @property
    def key(self) -> str:
        """`{reporting_org_short_name}/{dataset_short_name}`: where copies are published."""
        return f"{self.dataset.reporting_org_short_name}/{self.dataset.short_name}"

    @property
    def from_folder(self) -> bool:
        """Read from a registry folder, not fetched: what look like the server's validators are our own."""
        spec = self.dataset.source_spec
        return spec is not None and spec.startswith("/")

    @property
    def tls_verified(self) -> bool | None:
        """Whether the server's certificate was in order at the last check; None where none was looked at."""
        if self.last_update_check is None or self.from_folder or not (self.dataset.url or "").startswith("https:"):
            return None
        return self.tls_problem is None

    @property
    def zip_etag(self) -> str | None:
        """ETag of the one-entry ZIP: it holds the file's name besides its bytes."""
        if self.copy is None:
            return None
        return f'"{hashlib.sha256(f"{self.copy.sha256} {self.dataset.short_name}".encode()).hexdigest()}"'


def entries(session: Session) -> list[Entry]:
    """Every published dataset, by organisation and name."""
    states = {row.dataset_id: row for row in session.execute(select(_state).where(_state.c.removed_at.is_(None)))}
    made = [_entry(dataset, states.get(dataset.id)) for dataset in registry.public_datasets(session)]
    made.sort(key=lambda entry: (entry.dataset.reporting_org_short_name, entry.dataset.short_name))
    return made


def _entry(dataset: Dataset, row: Any) -> Entry:
    if row is None:
        return Entry(dataset, None, None, None, None, None, 0, None, None)
    copy = None
    if row.lkg_sha256 is not None:
        copy = Copy(
            row.lkg_sha256,
            row.lkg_crc32,
            row.lkg_content_length,
            row.lkg_deflated_size,
            row.lkg_hash,
            row.lkg_hash_excluding,
            row.lkg_encoding,
            row.lkg_initial_contents,
            row.lkg_source_url,
            row.lkg_server_etag,
            row.lkg_server_last_modified,
            row.lkg_downloaded,
            row.lkg_verified_on_server,
            row.lkg_modified,
            row.lkg_modified_excluding,
        )
    return Entry(
        dataset,
        row.last_update_check,
        row.most_recent_get_attempt,
        row.most_recent_head_attempt,
        row.error_cause,
        row.failing_since,
        row.consecutive_failures,
        row.tls_problem,
        copy,
    )


# -- the documents ---------------------------------------------------------------------------------------------------------------


def minimal_entry(entry: Entry, base_url: str) -> dict[str, Any]:
    """§1.2. `base_url` ends with a slash."""
    dataset, copy = entry.dataset, entry.copy
    xml = zipped = None
    if copy is not None:
        xml, zipped = f"{base_url}{entry.key}.xml", f"{base_url}{entry.key}.zip"
    return {
        "id": dataset.id,
        "short_name": dataset.short_name,
        "reporting_org_id": dataset.reporting_org_id,
        "reporting_org_short_name": dataset.reporting_org_short_name,
        "source_url": dataset.url,
        "licence_id": dataset.licence_id,
        "last_update_check": rfc3339(entry.last_update_check),
        "last_known_good_dataset": {
            "cached_dataset_xml_url": xml,
            "cached_dataset_zip_url": zipped,
            # Deprecated spellings that the refresher still reads without asking whether they are there.
            "cached_dataset_url_xml": xml,
            "cached_dataset_url_zip": zipped,
            "downloaded": rfc3339(copy.downloaded) if copy else None,
            "hash": copy.hash if copy else None,
            "hash_excluding_generated_timestamp": copy.hash_excluding if copy else None,
            "source_url": copy.source_url if copy else None,
            "verified_on_server": rfc3339(copy.verified_on_server) if copy else None,
        },
    }


_NO_ATTEMPT: dict[str, Any] = {"datetime": None, "error_details": NO_ERROR, "error_occurred": False, "http_status": None}


def full_entry(entry: Entry, base_url: str) -> dict[str, Any]:
    """§1.3, and what we add: when the content changed (§13.10) and one `check` object with our finer knowledge."""
    document = minimal_entry(entry, base_url)
    copy = entry.copy
    document["last_known_good_dataset"] |= {
        "cached_dataset_xml_etag": copy.xml_etag if copy else None,
        "cached_dataset_zip_etag": entry.zip_etag,
        "content_length": copy.size if copy else None,
        "initial_contents": copy.initial_contents if copy else None,
        "server_header_etag": copy.server_etag if copy and not entry.from_folder else None,
        "server_header_last_modified": http_time(copy.server_last_modified) if copy else None,
        "content_modified": rfc3339(copy.modified) if copy else None,
        "content_modified_excluding_generated_timestamp": rfc3339(copy.modified_excluding) if copy else None,
    }
    document["most_recent_get_attempt"] = entry.get_attempt or _NO_ATTEMPT
    document["most_recent_head_attempt"] = entry.head_attempt or _NO_ATTEMPT
    document["check"] = {
        "cause": entry.error_cause,
        "failing_since": rfc3339(entry.failing_since),
        "consecutive_failures": entry.consecutive_failures,
        "tls_verified": entry.tls_verified,
        "tls_problem": entry.tls_problem,
    }
    return document


def organisation_entry(organisation: Organisation) -> dict[str, Any]:
    """§1.4."""
    source_type = organisation.reporting_source_type
    return {
        "created_date": rfc3339(organisation.created_date),
        "data_portal_url": organisation.data_portal_url,
        "default_licence_id": organisation.default_licence_id,
        "description": organisation.description,
        "exclusions_policy_url": organisation.exclusions_policy_url,
        "first_publication_date": rfc3339(organisation.first_publication_date),
        "hq_country": organisation.hq_country,
        "human_readable_name": organisation.human_readable_name,
        "iati_identifier": organisation.organisation_identifier,
        "id": organisation.id,
        "organisation_identifier": organisation.organisation_identifier,
        "organisation_type": organisation.organisation_type,
        "region": organisation.region,
        "reporting_source_type": source_type.replace("_", "-") if source_type else None,
        "short_name": organisation.short_name,
        "website": organisation.website,
    }


def _old_minimal_entry(entry: Entry, base_url: str) -> dict[str, Any]:
    """§1.5, first generation: addresses are empty texts without a good copy."""
    dataset, copy = entry.dataset, entry.copy
    return {
        "id": dataset.id,
        "name": dataset.short_name,
        "publisher_id": dataset.reporting_org_id,
        "publisher_name": dataset.reporting_org_short_name,
        "source_url": dataset.url or "",
        "hash": copy.hash if copy else "",
        "hash_excluding_generated_timestamp": copy.hash_excluding if copy else "",
        "last_successful_download": rfc3339(copy.downloaded) if copy else None,
        "url_xml": f"{base_url}{entry.key}.xml" if copy else "",
        "url_zip": f"{base_url}{entry.key}.zip" if copy else "",
    }


def _old_full_entry(entry: Entry, base_url: str) -> dict[str, Any]:
    dataset, copy = entry.dataset, entry.copy
    get, head = entry.get_attempt or _NO_ATTEMPT, entry.head_attempt or _NO_ATTEMPT
    return {
        "id": dataset.id,
        "name": dataset.short_name,
        "publisher_name": dataset.reporting_org_short_name,
        "type": dataset.file_type,
        "source_url": dataset.url or "",
        "hash": copy.hash if copy else "",
        "hash_excluding_generated_timestamp": copy.hash_excluding if copy else "",
        "last_update_check": rfc3339(entry.last_update_check),
        "last_head_attempt": head["datetime"],
        "last_head_http_status": head["http_status"],
        "head_error_details": head["error_details"] if head["error_occurred"] else {},
        "last_download_attempt": get["datetime"],
        "last_download_http_status": get["http_status"],
        "last_successful_download": rfc3339(copy.downloaded) if copy else None,
        "last_verified_on_server": rfc3339(copy.verified_on_server) if copy else None,
        "download_error_details": get["error_details"] if get["error_occurred"] else {},
        "content_modified": rfc3339(copy.modified) if copy else None,
        "content_modified_excluding_generated_timestamp": rfc3339(copy.modified_excluding) if copy else None,
        "server_header_last_modified": http_time(copy.server_last_modified) if copy else None,
        "server_header_etag": copy.server_etag if copy and not entry.from_folder else None,
        "url_xml": f"{base_url}{entry.key}.xml" if copy else "",
        "url_zip": f"{base_url}{entry.key}.zip" if copy else "",
    }


def http_time(value: str | None) -> str | None:
    """An HTTP date header as RFC 3339; None when it is none."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return rfc3339(moment) if moment.tzinfo is not None else None


# -- writing them ----------------------------------------------------------------------------------------------------------------


def write_indices(
    directory: Path, entries: Sequence[Entry], organisations: Collection[Organisation], created: datetime, base_url: str
) -> dict[str, PublishedFile]:
    """Write all indices into `directory` (made when missing); `base_url` is where the service answers.

    File names are the last part of the paths they are published under. Organisations without a dataset in `entries` are left out.
    """
    directory.mkdir(parents=True, exist_ok=True)
    base_url = base_url.rstrip("/") + "/"
    owners = {entry.dataset.reporting_org_id for entry in entries}
    stamp = rfc3339(created)
    envelope = {"index_created": stamp, "index_created_unix_timestamp": int(created.timestamp())}
    meta = {name: {"index_created": stamp} for name in ("datasets_minimal", "datasets_full", "reporting_orgs", "zip")}
    documents: dict[str, Callable[[], dict[str, Any]]] = {
        "datasets-minimal": lambda: envelope | {"datasets": [minimal_entry(entry, base_url) for entry in entries]},
        "datasets-full": lambda: envelope | {"datasets": [full_entry(entry, base_url) for entry in entries]},
        "reporting-orgs": lambda: (
            envelope
            | {
                "reporting_orgs": [
                    organisation_entry(organisation)
                    for organisation in sorted(organisations, key=lambda organisation: organisation.short_name)
                    if organisation.id in owners
                ]
            }
        ),
        "indices-meta": lambda: {"meta": meta},
        "dataset-index-minimal.json": lambda: (
            envelope | {"datasets": {entry.dataset.short_name: _old_minimal_entry(entry, base_url) for entry in entries}}
        ),
        "dataset-index-full.json": lambda: (
            envelope | {"datasets": {entry.dataset.short_name: _old_full_entry(entry, base_url) for entry in entries}}
        ),
    }
    files = {name: _write(directory, name, to_json(make())) for name, make in documents.items()}
    copies = {entry.key: _published_copy(entry, entry.copy) for entry in entries if entry.copy is not None}
    write_indices_note(directory, int(created.timestamp()), len(entries), list(files.values()), copies)
    return files


def _write(directory: Path, name: str, content: bytes) -> PublishedFile:
    """The file and its gzip form: nothing is compressed while answering."""
    packed = igzip.compress(content, compresslevel=2, mtime=0)
    write_whole(directory / name, content)
    write_whole(directory / f"{name}.gz", packed)
    return PublishedFile(name, hashlib.sha256(content).hexdigest(), len(content), "application/json", f"{name}.gz", len(packed))


def _published_copy(entry: Entry, copy: Copy) -> PublishedCopy:
    etag = (entry.zip_etag or "").strip('"')
    return PublishedCopy(copy.sha256, copy.size, copy.crc32, copy.deflated_size, copy.encoding, etag, int(copy.modified.timestamp()))


def to_json(document: object) -> bytes:
    """Sorted keys, indented by one space, as the peer writes it (§1.1).

    orjson indents by two; halving is done on the bytes, deepest level first. A line break inside a JSON text is always escaped, so
    every real one starts an indentation; NUL marks those already done.
    """
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    for level in range(8, 0, -1):
        text = text.replace(b"\n" + b"  " * level, b"\0" + b" " * level)
    return text.replace(b"\0", b"\n")

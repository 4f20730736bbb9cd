"""What the Validator does: validate bytes, find the stored report of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from iati_platform import reading
from iati_platform.validator.builder import ReportBuilder
from iati_platform.validator.report import Report, report_from_json
from iati_platform.validator.shapes import to_api

if TYPE_CHECKING:
    from iati_platform.web.platform import Platform

__all__ = ["StoredReport", "find_report", "load_report", "publishers", "to_api", "validate"]

#: How a stored report can be asked for, and how a manifest entry is recognised.
KEYS: Final[dict[str, Callable[[str, Mapping[str, Any]], Collection[str]]]] = {
    "id": lambda dataset_id, entry: (dataset_id,),
    "hash": lambda dataset_id, entry: tuple(str(entry[key]) for key in ("hash", "content", "hash_excluding") if entry.get(key)),
    "url": lambda dataset_id, entry: (str(entry.get("url") or ""),),
    "name": lambda dataset_id, entry: (str(entry.get("short_name") or ""),),
}


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A registered dataset with the report of its current copy; `report` None: it has not been validated yet."""

    dataset_id: str
    name: str
    url: str
    content_hash: str
    report: Report | None


def validate(data: bytes, *, as_of: date | None = None, publishers: Collection[str] | None = None, mode: str = "strict") -> Report:
    """The report of a file. Never raises on bad input. `as_of`: the day date rules see (default: today, UTC); `publishers`: identifiers
    of registered publishers, None if nothing is known of any. ValueError for a mode other than "strict"."""
    if mode != "strict":
        raise ValueError(f"unknown mode {mode!r}; there is only 'strict'")
    source = reading.read(data)
    builder = ReportBuilder(source, as_of=as_of or datetime.now(UTC).date())
    for record in source.records():
        builder.add(record)
    report = builder.finish()
    return report if publishers is None else report.resolved(publishers)


def find_report(platform: Platform, key: str, value: str) -> StoredReport | None:
    """The dataset that `key` ("id", "hash", "url" or "name") leads to, with its report as of today; None if there is none."""
    names = KEYS[key]
    for dataset_id, entry in _datasets(platform).items():
        if value and value in names(dataset_id, entry):
            name, url = str(entry.get("short_name") or ""), str(entry.get("url") or "")
            content = str(entry.get("hash") or entry.get("content") or "")
            return StoredReport(dataset_id, name, url, content, _load(platform, entry))
    return None


def load_report(platform: Platform, dataset_id: str) -> Report | None:
    """The report of a dataset's current copy as of today, None if there is none."""
    entry = _datasets(platform).get(dataset_id)
    return _load(platform, entry) if entry else None


def publishers(platform: Platform) -> frozenset[str]:
    """Identifiers of all registered reporting organisations."""
    from iati_platform.registry import service as registry
    from iati_platform.storage.database import reading as session_for_reading

    with session_for_reading(platform.engine) as session:
        return frozenset(one.organisation_identifier for one in registry.public_organisations(session) if one.organisation_identifier)


def _datasets(platform: Platform) -> Mapping[str, Mapping[str, Any]]:
    generation = platform.generation()
    if generation is None:
        return {}
    datasets = generation.manifest.get("datasets", {})
    return datasets if isinstance(datasets, Mapping) else {}


def _load(platform: Platform, entry: Mapping[str, Any]) -> Report | None:
    from iati_platform.storage.artefacts import ArtefactMissing
    from iati_platform.storage.objects import ObjectMissing

    content, code_version = entry.get("content"), entry.get("code_version") or platform.code_version
    if not content:
        return None
    try:
        stored = platform.artefacts.read_section(str(content), str(code_version), "report")
    except (ArtefactMissing, ObjectMissing):
        return None
    return report_from_json(stored).on(platform.today()).resolved(publishers(platform))

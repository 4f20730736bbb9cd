"""The catalogue: every public organisation and dataset with its state, joined once and kept until something changes.

Three rooms know parts of a dataset: the registry its registration, the Bulk Data Service its download, the generation what its content
came to. Lists sort and filter over all three, so they are joined in memory (13,000 datasets: about 15 MB) and kept while the
generation, the newest import and the newest check event stay the same. States change only with an event, so nothing goes stale.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from iati_platform.bulk.models import CheckEventRow, CheckStateRow
from iati_platform.registry import service as registry
from iati_platform.registry.names import search_text
from iati_platform.registry.records import Dataset, Organisation
from iati_platform.storage.database import Session
from iati_platform.web.cells import State
from iati_platform.web.platform import Platform

from . import words


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One dataset as lists show it. Numbers are those of the content in the current generation; None when it is not in it."""

    registered: Dataset
    download: State
    validity: State
    kind: str
    version: str | None
    activities: int | None
    admitted: int | None
    size: int | None
    changed: datetime | None
    has_copy: bool
    header: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """What the process step found in the content."""
    published: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """The entry of the generation's manifest; empty when the dataset is not in it."""
    search: str = field(repr=False, default="")
    """Its names folded for searching."""

    @property
    def short_name(self) -> str:
        return self.registered.short_name


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """One organisation with the sums over its datasets."""

    registered: Organisation
    datasets: tuple[DatasetEntry, ...]
    search: str = field(repr=False, default="")

    @property
    def short_name(self) -> str:
        return self.registered.short_name

    @property
    def activities(self) -> int:
        return sum(entry.activities or 0 for entry in self.datasets)

    @property
    def size(self) -> int:
        return sum(entry.size or 0 for entry in self.datasets)

    @property
    def failing(self) -> int:
        return sum(1 for entry in self.datasets if entry.download.code.startswith(("error", "stale")))

    @property
    def valid(self) -> int:
        return sum(1 for entry in self.datasets if entry.header.get("schema_valid"))

    @property
    def validated(self) -> int:
        return sum(1 for entry in self.datasets if entry.header)

    @property
    def changed(self) -> datetime | None:
        return max((entry.changed for entry in self.datasets if entry.changed), default=None)


@dataclass(frozen=True)
class Totals:
    """The numbers of the front page."""

    organisations: int
    publishing: int
    datasets: int
    with_copy: int
    failing: int
    activities: int
    admitted: int
    size: int
    validated: int
    valid: int
    versions: Mapping[str, int]
    severities: Mapping[str, int]


@dataclass(frozen=True)
class Catalogue:
    """Everything lists are made of, as of one generation and one state of the records."""

    version: tuple[object, ...]
    datasets: Mapping[str, DatasetEntry]
    organisations: Mapping[str, OrganisationEntry]
    totals: Totals


class CatalogueKeeper:
    """Gives the current catalogue; joins it again only when one of its three sources has changed."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._lock = threading.Lock()
        self._kept: Catalogue | None = None

    def current(self) -> Catalogue:
        generation = self.platform.generation()
        with Session(bind=self.platform.engine) as session:
            imports = tuple((source.id, source.last_import_at) for source in registry.sources(session))
            last_event = session.scalar(select(func.max(CheckEventRow.id))) or 0
            version = (generation.number if generation else 0, imports, last_event)
            if self._kept is not None and self._kept.version == version:
                return self._kept
            with self._lock:
                if self._kept is None or self._kept.version != version:
                    self._kept = join(session, version, generation.manifest if generation else {})
                return self._kept


def join(session: Any, version: tuple[object, ...], manifest: Mapping[str, Any]) -> Catalogue:
    """Read the three sources and put them together."""
    states = {
        row[0]: row
        for row in session.execute(
            select(
                CheckStateRow.dataset_id,
                CheckStateRow.last_update_check,
                CheckStateRow.lkg_sha256,
                CheckStateRow.lkg_content_length,
                CheckStateRow.lkg_modified,
                CheckStateRow.error_type,
                CheckStateRow.error_cause,
            )
        )
    }
    published: Mapping[str, Any] = manifest.get("datasets", {})
    datasets: dict[str, DatasetEntry] = {}
    by_org: dict[str, list[DatasetEntry]] = {}
    for registered in sorted(registry.public_datasets(session), key=lambda one: one.short_name):
        state = states.get(registered.id)
        entry = _entry(registered, state, published.get(registered.id) or {})
        datasets[registered.short_name] = entry
        by_org.setdefault(registered.reporting_org_id, []).append(entry)
    organisations = {
        one.short_name: OrganisationEntry(
            one, tuple(by_org.get(one.id, ())), search_text(one.human_readable_name, one.short_name, one.organisation_identifier)
        )
        for one in sorted(registry.public_organisations(session), key=lambda one: one.human_readable_name.casefold())
    }
    return Catalogue(version, datasets, organisations, _totals(datasets, organisations))


def _entry(registered: Dataset, state: Any, published: Mapping[str, Any]) -> DatasetEntry:
    header: Mapping[str, Any] = published.get("header") or {}
    checked = state is not None and state[1] is not None
    has_copy = state is not None and state[2] is not None
    return DatasetEntry(
        registered=registered,
        download=words.download_state(
            checked=checked, error_type=state[5] if state else None, cause=state[6] if state else None, has_copy=has_copy
        ),
        # `summary` of the entry is that of the day; the header's was made before publishers and the calendar were looked at
        validity=words.validity_state(
            published.get("state"), {**header, **({"summary": published["summary"]} if "summary" in published else {})}
        ),
        kind=words.KINDS.get(header.get("kind") or registered.file_type, "File"),
        version=header.get("version") or None,
        activities=header.get("activities"),
        admitted=header.get("admitted"),
        size=state[3] if state and state[3] is not None else header.get("size"),
        changed=state[4] if state else None,
        has_copy=has_copy,
        header=header,
        published=published,
        search=search_text(registered.short_name, registered.reporting_org_name, registered.reporting_org_short_name),
    )


def _totals(datasets: Mapping[str, DatasetEntry], organisations: Mapping[str, OrganisationEntry]) -> Totals:
    entries = datasets.values()
    validated = [entry for entry in entries if entry.header]
    return Totals(
        organisations=len(organisations),
        publishing=sum(1 for one in organisations.values() if one.datasets),
        datasets=len(datasets),
        with_copy=sum(1 for entry in entries if entry.has_copy),
        failing=sum(1 for entry in entries if entry.download.code.startswith(("error", "stale"))),
        activities=sum(entry.activities or 0 for entry in entries),
        admitted=sum(entry.admitted or 0 for entry in entries),
        size=sum(entry.size or 0 for entry in entries if entry.has_copy),
        validated=len(validated),
        valid=sum(1 for entry in validated if entry.header.get("schema_valid")),
        versions=Counter(entry.version or "not given" for entry in validated),
        severities=Counter(entry.validity.code for entry in entries),
    )

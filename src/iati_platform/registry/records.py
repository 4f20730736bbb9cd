"""Value types of the registry: what `service` answers. Detached from the database, safe to keep and to pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Dataset(NamedTuple):
    """A registered dataset with its organisation's names and where it was imported from."""

    id: str
    short_name: str
    reporting_org_id: str
    reporting_org_short_name: str
    reporting_org_name: str
    file_type: str
    """`activity` or `organisation`."""
    url: str | None
    path: str | None
    licence_id: str | None
    visibility: str
    source_spec: str | None
    """A folder (absolute path): the file is read from `path` in it; anything else: `url` is fetched."""
    created_at: datetime
    updated_at: datetime


class Organisation(NamedTuple):
    """A reporting organisation; `datasets` counts its public ones."""

    id: str
    short_name: str
    human_readable_name: str
    organisation_identifier: str | None
    organisation_type: str | None
    hq_country: str | None
    default_licence_id: str | None
    reporting_source_type: str | None
    created_date: datetime | None
    website: str | None
    description: str | None
    region: str | None
    data_portal_url: str | None
    exclusions_policy_url: str | None
    first_publication_date: datetime | None
    state: str
    discoverable: bool
    datasets: int


class Source(NamedTuple):
    """A remembered source and how its last import went."""

    id: int
    spec: str
    added_at: datetime
    last_attempt_at: datetime | None
    last_import_at: datetime | None
    last_refusal: str | None
    last_rejections: Sequence[Mapping[str, Any]]
    last_held: Sequence[str]


class Event(NamedTuple):
    """One entry of the event log, newest first in lists."""

    id: int
    at: datetime
    kind: str
    subject_kind: str
    subject_id: str
    actor: str
    payload: Mapping[str, Any]


class Counts(NamedTuple):
    """What is public: organisations with at least one public dataset, those registered, and datasets."""

    organisations: int
    publishing_organisations: int
    datasets: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list: `items[0]` is number `start` (from 0) of `total`."""

    items: Sequence[Item]
    total: int
    start: int
    limit: int

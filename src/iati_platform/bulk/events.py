"""The kinds of events in a dataset's history, and the session summary: value types that pages, APIs and the pipeline share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What can happen to a dataset's file. One event per change of state, never one per check."""

    FIRST_SEEN = "first_seen"  # registered
    FIRST_COPY = "first_copy"  # downloaded for the first time, or again after expiry
    CONTENT_CHANGED = "content_changed"
    TIMESTAMP_CHANGED = "timestamp_changed"  # only generated-datetime differs
    ERROR_STARTED = "error_started"
    ERROR_CHANGED = "error_changed"
    ERROR_ENDED = "error_ended"
    EXPIRED = "expired"
    RENAMED = "renamed"
    REMOVED = "removed"
    RESTORED = "restored"  # registered again within the grace period


@dataclass(frozen=True, slots=True)
class CheckEvent:
    """One line of a dataset's history."""

    id: int
    dataset_id: str
    at: datetime
    kind: EventKind
    content_sha256: str | None
    previous_sha256: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HostLine:
    """How one host did in a session: seconds are summed over its transfers."""

    host: str
    checks: int
    failures: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What one run over the due datasets came to."""

    id: int
    started: datetime
    ended: datetime | None
    checked: int
    unchanged: int  # the server said so, or sent the same bytes
    changed: int  # new bytes, first copies included
    failed: int
    errors: Mapping[str, int]  # by error_type
    bytes: int  # received
    slowest_hosts: Sequence[HostLine]
    changed_datasets: Sequence[str]  # ids, in order of arrival

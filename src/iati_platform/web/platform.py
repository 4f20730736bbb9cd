"""The one value handed to every front door: settings, engines and the current generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # types only: this room depends on nothing but settings
    from sqlalchemy import Engine

    from iati_platform.settings import Settings
    from iati_platform.storage.artefacts import ArtefactStore
    from iati_platform.storage.content import ContentStore
    from iati_platform.storage.objects import ObjectStore


class Generation(Protocol):
    """One published state of everything that is read; immutable once it is current."""

    @property
    def number(self) -> int: ...

    @property
    def path(self) -> Path: ...

    @property
    def created(self) -> datetime: ...

    @property
    def manifest(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class Platform:
    """Everything a front door may use. `generation()` is None until the first refresh has been published."""

    settings: Settings
    engine: Engine
    objects: ObjectStore
    contents: ContentStore
    artefacts: ArtefactStore
    generation: Callable[[], Generation | None]
    today: Callable[[], date]
    code_version: str
    systems: frozenset[str] = frozenset({"portal"})
    """Names of the systems this process (or host) answers for; pages link only to these."""

"""One data directory, opened: settings, records, stores and generations in one value that the steps of the cycle are handed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from iati_platform.pipeline.code_version import code_version
from iati_platform.pipeline.generations import Generations
from iati_platform.settings import Settings
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore
from iati_platform.storage.database import make_engine, migrate
from iati_platform.storage.format import needs_steps, prepare
from iati_platform.storage.lock import WriterLock
from iati_platform.storage.objects import ObjectStore

#: How long a second writer waits for the first before it gives up and names it.
WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True)
class House:
    """A platform's data directory with everything in it. `code_version` is what new artefacts are made with."""

    settings: Settings
    engine: Engine
    objects: ObjectStore
    contents: ContentStore
    artefacts: ArtefactStore
    generations: Generations
    code_version: str

    @property
    def folder(self) -> Path:
        """The data directory."""
        return self.settings.data_dir

    def address_of(self, system: str) -> str:
        """Where a system answers, ending with a slash: a host of its own (HOSTS) or its prefix below PUBLIC_URL."""
        host = self.settings.hosts.get(system)
        if host is not None:
            return f"{urlsplit(self.settings.public_url).scheme}://{host}/"
        return f"{self.settings.public_url.rstrip('/')}/{system}/"

    def today(self) -> date:
        """The day that date rules and statistics see (UTC, or IATI_TODAY)."""
        return self.settings.today or datetime.now(UTC).date()

    @contextmanager
    def writer(self, *, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold the data directory's writer lock; another writer is waited for, then named in an error."""
        with WriterLock(self.folder).acquire(WAIT_SECONDS if wait_seconds is None else wait_seconds):
            yield


def open_house(settings: Settings) -> House:
    """Open a data directory: make it if it is not there, bring an older one up to date, refuse a newer one."""
    if needs_steps(settings.data_dir):
        with WriterLock(settings.data_dir).acquire(WAIT_SECONDS):
            prepare(settings.data_dir)
    else:
        prepare(settings.data_dir)
    engine = make_engine(settings.database_url)
    migrate(engine)
    objects = ObjectStore(settings.object_store_url)
    return House(
        settings=settings,
        engine=engine,
        objects=objects,
        contents=ContentStore(objects),
        artefacts=ArtefactStore(objects),
        generations=Generations(settings.data_dir / "generations"),
        code_version=code_version(),
    )

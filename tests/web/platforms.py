"""A platform without data, and small applications behind the real guards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine
from starlette.types import ASGIApp

from iati_platform.settings import load_settings
from iati_platform.storage.artefacts import ArtefactStore
from iati_platform.storage.content import ContentStore
from iati_platform.storage.objects import ObjectStore
from iati_platform.web.platform import Generation, Platform

TODAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Published:
    """A generation that only has a number and a time."""

    number: int = 7
    path: Path = Path("nowhere")
    created: datetime = datetime(2026, 11, 21, 17, 5, tzinfo=UTC)
    manifest: dict[str, Any] = field(default_factory=dict)


def make_platform(folder: Path, generation: Callable[[], Generation | None] = lambda: None, **settings: str) -> Platform:
    """A platform over an empty data directory; settings by their environment names without prefix."""
    loaded = load_settings({f"IATI_{name}": value for name, value in settings.items()}, folder)
    objects = ObjectStore(loaded.object_store_url)
    return Platform(
        settings=loaded,
        engine=create_engine(loaded.database_url),
        objects=objects,
        contents=ContentStore(objects),
        artefacts=ArtefactStore(objects),
        generation=generation,
        today=lambda: TODAY,
        code_version="abc123",
    )


@asynccontextmanager
async def calling(app: ASGIApp, base: str = "http://localhost", client: str = "203.0.113.9") -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to the application in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=base) as session:
        yield session

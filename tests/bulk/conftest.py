"""A misbehaving server, and a small registry folder that can be changed between cycles."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from iati_platform.bulk import service
from iati_platform.bulk.events import SessionSummary
from iati_platform.bulk.folder import FolderFetcher
from iati_platform.bulk.policy import CheckPolicy
from iati_platform.bulk.recorder import Recorder
from iati_platform.registry.importers.service import import_source
from iati_platform.storage.content import ContentStore
from iati_platform.storage.database import writing
from tests.bulk.server import Server

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def identifier(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def activities(text: str = "", generated: str = "2026-01-01T00:00:00Z") -> bytes:
    return f'<?xml version="1.0"?>\n<iati-activities version="2.03" generated-datetime="{generated}">{text}</iati-activities>\n'.encode()


class Cycle:
    """A registry folder with one organisation and a clock: register, write files, run a cycle."""

    def __init__(self, engine: Engine, contents: ContentStore, folder: Path) -> None:
        self.engine, self.contents, self.folder = engine, contents, folder
        self.now = START
        self.policy = CheckPolicy()
        self.organisation = "acme"
        self.datasets: dict[str, dict[str, object]] = {}
        folder.mkdir()

    def register(self, *names: str, **fields: object) -> None:
        for name in names:
            self.datasets[name] = {
                "id": identifier(name),
                "short_name": name,
                "reporting_org_id": identifier("org"),
                "file_type": "activity",
                "url": f"https://acme.example/{name}.xml",
                "path": f"{name}.xml",
                "licence_id": "cc-by",
            } | fields
        self.read_registry()

    def read_registry(self) -> None:
        organisation = {
            "id": identifier("org"),
            "short_name": self.organisation,
            "human_readable_name": "Acme Aid",
            "organisation_identifier": "XM-EXAMPLE-1",
            "organisation_type": "21",
            "hq_country": "KE",
            "default_licence_id": "cc-by",
            "reporting_source_type": "primary_source",
            "created_date": "2020-01-01",
        }
        document = {"organisations": [organisation], "datasets": list(self.datasets.values())}
        (self.folder / "registry.json").write_text(json.dumps(document))
        import_source(self.engine, str(self.folder), accept_shrinkage=True, now=self.now)

    def write(self, name: str, content: bytes) -> None:
        (self.folder / f"{name}.xml").write_bytes(content)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def run(self, force: bool = False) -> SessionSummary:
        with writing(self.engine) as session:
            requests = service.due(session, self.now, force, policy=self.policy)
        recorder = Recorder(self.engine, self.contents, now=lambda: self.now, policy=self.policy)
        FolderFetcher().run(requests, recorder.add)
        summary = recorder.finish()
        with writing(self.engine) as session:
            service.expire(session, self.now, self.policy)
        return summary

    def kinds(self, name: str) -> list[str]:
        """A dataset's events, oldest first."""
        with writing(self.engine) as session:
            return [str(event.kind) for event in reversed(service.history(session, identifier(name)))]

    def state(self, name: str) -> service.CheckState:
        with writing(self.engine) as session:
            found = service.check_state(session, identifier(name))
        assert found is not None
        return found


@pytest.fixture
def cycle(database: Engine, contents: ContentStore, tmp_path: Path) -> Cycle:
    return Cycle(database, contents, tmp_path / "registry")

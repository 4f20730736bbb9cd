"""Fixtures every room uses: real databases, real stores, the shared reference material where it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from iati_platform.storage.content import ContentStore
from iati_platform.storage.database import make_engine, migrate
from iati_platform.storage.objects import ObjectStore
from tests.postgres import PostgresServer, find_server

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
_HOW = "install PostgreSQL (apt-get install postgresql, brew install postgresql) or set IATI_TEST_POSTGRES_URL to a server's URL"


def _skip(reason: str) -> None:
    """Skip, but never where everything has to be there: `.ci/run` sets CI=true."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared reference material next to the checkout; the test is skipped without it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the reference material in {SHARED.name}/ next to the checkout")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Path:
    """The folder of real published files with its registry.json; the test is skipped without it."""
    folder = shared / "corpus"
    if not (folder / "registry.json").is_file():
        pytest.skip("needs the corpus of real files in shared/corpus")
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; tests copy it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server with a migrated template: the one named by IATI_TEST_POSTGRES_URL, else a private one for this session."""
    server = find_server()
    if server is None:
        _skip(f"no PostgreSQL found: {_HOW}")
        return
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres_server.database(migrated=False) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of this test's own, on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "records.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(migrated=True) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """A migrated database of this test's own, on each engine."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """An empty object store in a folder."""
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def contents(objects: ObjectStore) -> ContentStore:
    """An empty content store."""
    return ContentStore(objects)

"""PostgreSQL for the tests: a server somebody runs, or a private throw-away cluster started for the session."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

from iati_platform.storage.database import make_engine, migrate

URL_VARIABLE = "IATI_TEST_POSTGRES_URL"
_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Fedora, RHEL
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


class PostgresServer:
    """A server on which databases can be made and dropped. `with server:` makes the migrated template and cleans up."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._prefix = f"iati_test_{os.getpid()}"

    def __enter__(self) -> Self:
        self._execute(f'CREATE DATABASE "{self._template}"')
        engine = make_engine(self._at(self._template))
        migrate(engine)
        engine.dispose()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')

    @contextlib.contextmanager
    def database(self, *, migrated: bool) -> Iterator[str]:
        """The URL of a database of one's own, copied from the migrated template or empty."""
        name = f"{self._prefix}_{next(self._numbers)}"
        template = self._template if migrated else "template0"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self._at(name)
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @property
    def _template(self) -> str:
        return f"{self._prefix}_template"

    def _at(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


class PrivateServer(PostgresServer):
    """A cluster of our own in a temporary folder, reachable only through a socket in it: no port to collide on."""

    def __init__(self, programs: Path) -> None:
        # Not pytest's folder: that one is closed to the unprivileged user the server runs as, and too long for a socket.
        self._folder = Path(tempfile.mkdtemp(prefix="iati-pg-", dir="/tmp"))
        self._programs = programs
        self._user = _unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(
            URL.create("postgresql+psycopg", username="iati", database="postgres", query={"host": str(self._folder), "port": "5432"})
        )

    def __enter__(self) -> Self:
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        data = str(self._folder / "cluster")
        self._run("initdb", "-D", data, "-U", "iati", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = ("listen_addresses=", f"unix_socket_directories={self._folder}", "port=5432", "fsync=off", "full_page_writes=off")
        options = [part for setting in settings for part in ("-c", setting)]
        # The server ends when our end of the pipe closes: also when the tests are killed, none is left behind.
        self._process = subprocess.Popen(
            [
                "sh",
                "-c",
                '"$@" & server=$!; cat; kill -INT $server; wait $server; rm -rf "$FOLDER"',
                "sh",
                str(self._programs / "postgres"),
                "-D",
                data,
                *options,
            ],
            **self._as_user(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self._execute("SELECT 1")
                return
            except Exception:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(self._programs / program), *arguments], **self._as_user(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")

    def _as_user(self) -> dict[str, object]:
        common: dict[str, object] = {
            "cwd": self._folder,
            "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC", "FOLDER": str(self._folder)},
        }
        if self._user is None:
            return common
        return {**common, "user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}


def find_server() -> PostgresServer | None:
    """The server named by IATI_TEST_POSTGRES_URL, else a private one where PostgreSQL is installed, else None."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        return PostgresServer(make_url(url))
    programs = _programs()
    return None if programs is None else PrivateServer(programs)


def _programs() -> Path | None:
    """The newest folder that holds both `initdb` and `postgres`."""
    found = shutil.which("initdb")
    if found and (folder := Path(found).resolve().parent).joinpath("postgres").exists():
        return folder
    for pattern in _PLACES:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    return None


def _unprivileged_user() -> str | None:
    """Who runs the server: PostgreSQL refuses to run as root. None is whoever we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError(f"PostgreSQL does not run as {getpass.getuser()}, and there is no user postgres or nobody")

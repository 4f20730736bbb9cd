"""Runs the test suite with every real component found on this machine, and says at the end which were missing and how to enable them.

    python tools/run_tests.py [PYTEST ARGUMENT...]

PostgreSQL: unless IATI_TEST_POSTGRES_URL names a server, one is started in a temporary folder, on a Unix socket only, and removed after.
With CI=true a missing component, or a test skipped for any reason but the absent reference folder, fails the run.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTINUOUS_INTEGRATION = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# The reference material lies beside the checkout where the project is developed and is not part of it.
ALLOWED_SKIP = "reference folder"


@dataclass(frozen=True)
class Component:
    name: str
    found: bool
    used_by: str
    enable: str


def postgres_programs() -> Path | None:
    """The folder with initdb and pg_ctl: Debian keeps them off the PATH."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    candidates = [
        *Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        *Path("/opt/homebrew/opt").glob("postgresql*/bin/initdb"),
        *Path("/usr/local/opt").glob("postgresql*/bin/initdb"),
    ]
    return max(candidates, key=lambda path: path.as_posix()).parent if candidates else None


def components() -> list[Component]:
    browser_modules = not (ROOT / "tests/browser/package.json").exists() or (ROOT / "tests/browser/node_modules").is_dir()
    return [
        Component(
            "PostgreSQL",
            bool(os.environ.get("IATI_TEST_POSTGRES_URL")) or postgres_programs() is not None,
            "the database tests run on it as well as on SQLite",
            "sudo apt install postgresql, brew install postgresql, or set IATI_TEST_POSTGRES_URL=postgresql+psycopg://...",
        ),
        Component(
            "Chromium",
            any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")),
            "the pages are used in a real browser",
            "sudo apt install chromium chromium-driver, or brew install chromium",
        ),
        Component(
            "browser test packages",
            browser_modules,
            "accessibility checks of the pages",
            "(cd tests/browser && npm ci); needs Node.js",
        ),
        Component("openssl", shutil.which("openssl") is not None, "certificates for the HTTPS fetching tests", "sudo apt install openssl"),
        Component("unzip", shutil.which("unzip") is not None, "second opinion on our ZIP archives", "sudo apt install unzip"),
    ]


@contextlib.contextmanager
def temporary_postgres() -> Iterator[str | None]:
    """The URL of a server that lives as long as the block; None when PostgreSQL is not installed."""
    programs = postgres_programs()
    if programs is None:
        yield None
        return
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    account = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="iati-pg-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        if account:
            entry = pwd.getpwnam(account)
            os.chown(home, entry.pw_uid, entry.pw_gid)
        home.chmod(0o755)
        cluster, sockets = home / "cluster", home

        def run(*command: str) -> None:
            done = subprocess.run(command, cwd=home, user=account, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"PostgreSQL could not be started: {' '.join(command)}\n{done.stdout}{done.stderr}")

        def pg_ctl(*arguments: str) -> None:
            # The server keeps the descriptors it inherits: its output goes to a file, or the pipe would never close.
            with (home / "pg_ctl.log").open("w") as log:
                done = subprocess.run(
                    [str(programs / "pg_ctl"), "--pgdata", str(cluster), *arguments],
                    cwd=home, user=account, stdout=log, stderr=log, check=False,
                )  # fmt: skip
            if done.returncode:
                sys.exit(f"PostgreSQL could not be started: {(home / 'pg_ctl.log').read_text()}")

        run(str(programs / "initdb"), "--pgdata", str(cluster), "--username", "iati", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={sockets} -c fsync=off -c max_connections=200"
        pg_ctl("--log", str(home / "server.log"), "--options", options, "--wait", "start")
        try:
            run(str(programs / "createdb"), "--host", str(sockets), "--username", "iati", "iati_test")
            yield f"postgresql+psycopg://iati@/iati_test?host={sockets}"
        finally:
            pg_ctl("--mode", "immediate", "--wait", "stop")


def unexpected_skips(report: Path) -> list[str]:
    """Tests of a JUnit report that were skipped for a reason continuous integration does not accept."""
    found = []
    for case in ET.parse(report).getroot().iter("testcase"):
        for skip in case.iter("skipped"):
            reason = skip.get("message") or ""
            if skip.get("type") != "pytest.xfail" and ALLOWED_SKIP not in reason:
                found.append(f"{case.get('classname')}::{case.get('name')}: {reason}")
    return found


def main(arguments: list[str]) -> int:
    missing = [component for component in components() if not component.found]
    if missing and CONTINUOUS_INTEGRATION:
        for component in missing:
            print(f"{component.name} is missing; {component.enable}", file=sys.stderr)
        return 1
    with contextlib.ExitStack() as stack:
        environment = dict(os.environ)
        if not environment.get("IATI_TEST_POSTGRES_URL") and (url := stack.enter_context(temporary_postgres())):
            environment["IATI_TEST_POSTGRES_URL"] = url
        report = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iati-test-"))) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        skipped = unexpected_skips(report) if report.exists() else []
    if CONTINUOUS_INTEGRATION and skipped:
        print("\nSkipped, which continuous integration does not accept:", *skipped, sep="\n  ", file=sys.stderr)
        status = status or 1
    if missing:
        print("\nNot found on this machine, so their tests did not run:")
        for component in missing:
            print(f"  {component.name}: {component.used_by}. To enable: {component.enable}")
    else:
        print("\nEvery component was found; nothing was left out.")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

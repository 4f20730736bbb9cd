"""Runs the test suite with every real component found on this machine, and says at the end which were missing and how to enable them.

    python tools/run_tests.py [PYTEST ARGUMENT...]

With CI=true a missing component, or a test skipped for any reason but the absent reference material, fails the run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTINUOUS_INTEGRATION = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# The reference material in ../shared lies beside the checkout where the platform is developed and is no part of it.
ALLOWED_SKIP = "shared"


@dataclass(frozen=True)
class Component:
    name: str
    found: bool
    used_by: str
    enable: str


def postgres_found() -> bool:
    """A server is named, or its programs are installed: the tests start a private one then. Debian keeps them off the PATH."""
    places = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin", "usr/local/opt/postgresql*/bin")
    return (
        bool(os.environ.get("IATI_TEST_POSTGRES_URL"))
        or shutil.which("initdb") is not None
        or any(next(Path("/").glob(f"{place}/initdb"), None) for place in places)
    )


def components() -> list[Component]:
    browser_modules = not (ROOT / "tests/browser/package.json").exists() or (ROOT / "tests/browser/node_modules").is_dir()
    return [
        Component(
            "PostgreSQL",
            postgres_found(),
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
    with tempfile.TemporaryDirectory(prefix="iati-test-") as folder:
        report = Path(folder) / "report.xml"
        # A file at a time for each processor: what a file sets up once is set up once. `ARGS="-n 0"` runs everything in one process.
        parallel = [] if "-n" in arguments else ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *parallel, *arguments]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
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

"""Every example of the documentation is executed against a platform that runs over the demonstration, page by page from top to bottom."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page, pages
from tests.packaging.running import Running, clean_environment, platform

PAGES = [page for page in pages() if page.examples("sh")]
IATI = [sys.executable, "-m", "iati_platform.cli"]
# Where the package is not installed, the checkout is good enough for reading the manual.
SOURCE = {"PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def programs(folder: Path) -> Path:
    """What a reader has on the PATH: `iati`, and a curl that fails when the server answers with an error."""
    place = folder / "programs"
    place.mkdir()
    commands = {"iati": " ".join(IATI), "curl": 'PATH="$CURL_PATH" exec curl --fail-with-body --silent --show-error'}
    for name, command in commands.items():
        (place / name).write_text(f'#!/bin/sh\n{command} "$@"\n', encoding="utf-8")
        (place / name).chmod(0o755)
    return place


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    with platform(IATI, folder, "--demo", **SOURCE) as started:
        yield started


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_work_as_written(page: Page, running: Running, programs: Path, folder: Path) -> None:
    environment = clean_environment(**SOURCE, PATH=f"{programs}:{os.environ['PATH']}", CURL_PATH=os.environ["PATH"], NO_COLOR="1")

    def execute(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    for example in page.examples("sh"):
        done = execute("bash", "-euo", "pipefail", "-c", example.replace("127.0.0.1:8000", f"127.0.0.1:{running.port}"))
        assert done.returncode == 0, f"{example}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        assert done.stdout.strip() or " -o " in example, f"{example}\nprinted nothing"
    for example in page.examples("python"):
        done = execute(sys.executable, "-c", example)
        assert (done.returncode, done.stderr) == (0, ""), example


def test_every_page_for_a_role_has_examples() -> None:
    assert {"README.md", "docs/data-user.md", "docs/publisher.md", "docs/tool-developer.md", "docs/operator.md"} <= {
        page.name for page in PAGES
    }

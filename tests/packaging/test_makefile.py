"""The set-up itself: targets the documentation promises, and words that help when Python is too old."""

import subprocess
from pathlib import Path

import pytest

from tests.packaging.running import clean_environment

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, env=clean_environment(**environment), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "target", ["venv", "up", "test", "check", "bench", "docs", "dist", "migration", "lock", "format", "check-standard FROM=somewhere"]
)
def test_every_target_of_the_documentation_is_there(target: str) -> None:
    done = make("--dry-run", *target.split())
    assert (done.returncode, done.stderr) == (0, "")


def test_help_lists_the_two_commands_of_the_readme() -> None:
    lines = [line.split()[1] for line in make().stdout.splitlines()]
    assert {"up", "test"} <= set(lines)


def test_without_a_python_that_will_do_it_says_what_to_install(tmp_path: Path) -> None:
    done = make("venv", f"VENV={tmp_path}/venv", "PYTHON=")
    assert done.returncode == 2
    assert "This needs Python 3.11 or newer with its venv module" in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_check_standard_asks_for_the_folder(tmp_path: Path) -> None:
    """Without a virtual environment being made: the question comes before the work."""
    done = make("check-standard", "--dry-run")
    assert "make check-standard FROM=DIR" in done.stdout


def test_lock_files_hold_what_they_promise() -> None:
    done = subprocess.run(
        ["python3", "tools/check_locks.py"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

"""A wheel built from a clean copy of the checkout, installed into an empty environment outside of it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.running import clean_environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fresh clone would hold, uncommitted changes included and ignored files left out."""
    target = tmp_path_factory.mktemp("clone") / "iati-platform"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def wheel(copy: Path) -> Path:
    """The one file that `make dist` leaves in dist/."""
    subprocess.run(["make", "dist", f"PYTHON={sys.executable}"], cwd=copy, env=clean_environment(), check=True, stdout=subprocess.DEVNULL)
    (found,) = (copy / "dist").iterdir()
    return found


@pytest.fixture(scope="session")
def installed(copy: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `iati` command of an environment that has the wheel, its locked dependencies and nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env=clean_environment())
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(copy / "requirements.txt")], check=True, env=clean_environment())
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, env=clean_environment())
    return folder / "bin/iati"

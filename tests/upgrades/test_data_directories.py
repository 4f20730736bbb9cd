"""The data directory of every released version opens with the current code, shows what it showed, and can be refreshed."""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.packaging.running import clean_environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/fixtures/datadirs"


def iati(data_dir: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "iati_platform.cli", *arguments, "--data-dir", str(data_dir)]
    environment = clean_environment(PYTHONPATH=str(ROOT / "src"), NO_COLOR="1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"iati {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def found(data_dir: Path) -> dict[str, list[str]]:
    """What a reader finds: identifiers of the collection, datasets of the tables."""
    activities = json.loads(iati(data_dir, "search", "*:*", "--rows", "1000", "--fl", "iati_identifier", "--format", "json"))
    datasets = json.loads(iati(data_dir, "sql", "SELECT dataset FROM dataset ORDER BY 1", "--format", "json"))
    return {
        "identifiers": sorted(document["iati_identifier"] for document in activities["docs"]),
        "datasets": sorted(row["dataset"] for row in datasets),
    }


def test_every_released_version_left_its_data_directory() -> None:
    released = set(re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert released <= {path.name.removesuffix(".tar.gz") for path in FOLDER.glob("*.tar.gz")}


def test_data_directories_of_earlier_versions_open_and_refresh(tmp_path: Path) -> None:
    for archive in sorted(FOLDER.glob("*.tar.gz")):
        place = tmp_path / archive.name.removesuffix(".tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(place, filter="data")
        expected = json.loads((place / "expected.json").read_text(encoding="utf-8"))
        kept = {key: expected[key] for key in ("identifiers", "datasets")}
        assert found(place / "data") == kept, f"as {archive.name} left it"
        # The source lay on the machine that made the archive: it is imported from where it lies now, fetched and processed with this code.
        iati(place / "data", "import", str(place / "registry"))
        summary = json.loads(iati(place / "data", "refresh", "--json"))
        assert [summary[key] for key in ("failed_processing", "poison")] == [[], []]
        assert found(place / "data") == kept, f"{archive.name} after a refresh"

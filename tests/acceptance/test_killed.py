"""Killed with -9 at any moment of a cycle: readers keep a whole generation, and the next cycle ends as if nothing had happened.

Moments are chosen from a printed seed: half by time, half by counting what the process does to the file system and the database (through an
audit hook in the killed process, so that the narrow windows of import, commit and switch are met). IATI_TEST_KILLS sets how many rounds
there are; `make bench ARGS=killed` runs fifty.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from iati_platform.pipeline.check import verify
from iati_platform.pipeline.house import House

from .platforms import change_registry, environment, house_of, iati, refresh, write_registry

ROUNDS = int(os.environ.get("IATI_TEST_KILLS", "6"))
SEED = int(os.environ.get("IATI_TEST_KILL_SEED", "20261122"))

# Runs the command and ends the process at the n-th event that can leave something half-done behind. n = 0: count them.
EVENTS = """
import os, signal, sys
wanted, seen = int(sys.argv[1]), 0
names = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "open", "sqlite3.connect"}
def hook(event, arguments):
    global seen
    if event in names and not (event == "open" and isinstance(arguments[1], str) and arguments[1].startswith("r")):
        seen += 1
        if seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.argv = ["iati", *sys.argv[2:]]
from iati_platform.cli.root import main
try:
    main()
finally:
    print(seen, file=sys.stderr)
"""


def outcome(house: House) -> dict[str, Any]:
    """What a finished cycle came to, without times and numbers that count attempts."""
    generation = house.generations.current()
    assert generation is not None
    keep = ("short_name", "reporting_org_short_name", "content", "indexed", "indexed_hash", "hash_excluding", "state", "header", "counted")
    return {
        "totals": generation.manifest["totals"],
        "datasets": {key: {name: entry[name] for name in keep} for key, entry in generation.manifest["datasets"].items()},
    }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A platform with one generation, a registry that changed since, and how long and how eventful the next cycle is."""
    base = tmp_path_factory.mktemp("killed")
    registry = write_registry(base / "registry")
    start = base / "start"
    iati("import", str(registry), data_dir=start)
    refresh(start)
    first = outcome(house_of(start))
    change_registry(registry)
    reference = base / "reference"
    shutil.copytree(start, reference)
    began = time.monotonic()
    refresh(reference)
    seconds = time.monotonic() - began
    counted = base / "counted"
    shutil.copytree(start, counted)
    command = [sys.executable, "-c", EVENTS, "0", "refresh", "--data-dir", str(counted)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True, timeout=120)
    return {
        "base": base,
        "start": start,
        "first": first,
        "second": outcome(house_of(reference)),
        "seconds": seconds,
        "events": int(done.stderr.split()[-1]),
    }


def moments() -> list[tuple[str, float]]:
    """`("time", share of the cycle)` and `("event", share of the events)`, alternating, from the seed."""
    chance = random.Random(SEED)
    return [("time" if number % 2 else "event", chance.random()) for number in range(ROUNDS)]


@pytest.mark.parametrize(("kind", "share"), moments(), ids=lambda value: f"{value:.3f}" if isinstance(value, float) else value)
def test_killed_at_any_moment(story: dict[str, Any], tmp_path: Path, kind: str, share: float) -> None:
    data = tmp_path / "data"
    shutil.copytree(story["start"], data)
    if kind == "event":
        number = 1 + int(share * story["events"])
        command = [sys.executable, "-c", EVENTS, str(number), "refresh", "--data-dir", str(data)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode in (-9, 0), done.stderr
    else:
        command = [sys.executable, "-m", "iati_platform.cli", "refresh", "--data-dir", str(data)]
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(share * story["seconds"])
        process.kill()
        process.wait()
    # Readers: what is served now is one of the two states, whole.
    house = house_of(data)
    assert verify(house, hashes=True) == []
    assert outcome(house) in (story["first"], story["second"])
    # The next cycle finishes the work.
    summary = refresh(data)
    assert summary["failed_processing"] == [] and summary["poison"] == []
    house = house_of(data)
    assert verify(house, hashes=True) == []
    assert outcome(house) == story["second"]
    leftovers = [path.name for path in (data / "generations").iterdir() if path.name.endswith((".building", ".tmp"))]
    assert leftovers == []


def test_killed_while_importing_leaves_the_registry_as_it_was(story: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(story["start"], data)
    before = json.loads(json.dumps(outcome(house_of(data))))
    registry = story["base"] / "registry"
    command = [sys.executable, "-c", EVENTS, "3", "import", str(registry), "--data-dir", str(data)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (-9, 0)
    assert outcome(house_of(data)) == before
    assert verify(house_of(data)) == []

"""Holds what the lock files promise: every release pinned with hashes, no address of any index, all that pyproject.toml asks for.

Run by `make check` and at the end of `make lock`. Prints one line per fault and exits 1.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"(?:https?|git|ssh|ftp)(?:\+\w+)?://|--(?:index-url|extra-index-url|find-links|trusted-host)\b|\bfile:/")
REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.\-]*)(?:\[[^\]]*\])?==(\S+)")


def pip_locks() -> list[Path]:
    return sorted(ROOT.glob("requirements*.txt"))


def npm_locks() -> list[Path]:
    """package-lock.json files under version control (or about to be)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*package-lock.json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [ROOT / line for line in listed.stdout.splitlines()]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, tuple[str, int]]:
    """Name -> (version, number of hashes)."""
    found: dict[str, tuple[str, int]] = {}
    current = ""
    for line in text.splitlines():
        if match := REQUIREMENT.match(line):
            current = normal(match[1])
            found[current] = (match[2], 0)
        elif "--hash=sha256:" in line and current:
            version, count = found[current]
            found[current] = (version, count + 1)
    return found


def faults_of_pip_lock(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    faults = [
        f"{path.name}:{number}: an address: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if ADDRESS.search(line)
    ]
    faults += [f"{path.name}: {name} has no hash" for name, (_, hashes) in pins(text).items() if hashes == 0]
    if not pins(text):
        faults.append(f"{path.name}: pins nothing")
    return faults


def faults_of_npm_lock(path: Path) -> list[str]:
    packages = json.loads(path.read_text(encoding="utf-8")).get("packages", {})
    name = path.relative_to(ROOT)
    faults = [f"{name}: {key} has a `resolved` address" for key, entry in packages.items() if "resolved" in entry]
    return faults + [f"{name}: {key} has no integrity hash" for key, entry in packages.items() if key and "integrity" not in entry]


def faults_between() -> list[str]:
    """The locks agree with each other and name everything pyproject.toml asks for."""
    runtime = pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    faults = []
    for dependency in project["dependencies"]:
        name = normal(re.split(r"[\[<>=!~; ]", dependency, maxsplit=1)[0])
        if name not in runtime:
            faults.append(f"requirements.txt: {name} of pyproject.toml is not locked; run make lock")
    for path in pip_locks():
        for name, (version, _) in pins(path.read_text(encoding="utf-8")).items():
            if name in runtime and runtime[name][0] != version:
                faults.append(f"{path.name}: {name}=={version}, but requirements.txt has {runtime[name][0]}; run make lock")
    return faults


def main() -> int:
    faults = [fault for path in pip_locks() for fault in faults_of_pip_lock(path)]
    faults += [fault for path in npm_locks() for fault in faults_of_npm_lock(path)]
    faults += faults_between()
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"lock files: {len(pip_locks())} pip, {len(npm_locks())} npm, pinned with hashes, no addresses")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Keeps a small data directory of this version for later ones to open: tests/fixtures/datadirs/VERSION.tar.gz.

    python tools/make_datadir_fixture.py            # just before tagging
    python tools/make_datadir_fixture.py --force    # replaces the one of the same version, while it is not out yet

A handful of datasets of the demonstration is imported and refreshed with the `iati` command; what a reader finds in it goes into
expected.json beside it, and the source into registry/, so that it can be imported and refreshed at any later time (good copies of files
that are not there any more expire). Exits 1 when the fixture exists.

The records remember where the source was. It is put in a neutral place before packing: no path of the machine that made the fixture stays.
"""

import argparse
import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from iati_platform import __version__, demo

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/fixtures/datadirs"
# A good file, an organisation file, flaws, a file that cannot be used, and a dataset without an address.
ORGANISATIONS = ("solarhome", "open-ledger", "delta-women")
SCALE = 0.15
# Where the records say the source was; nobody has this folder.
NEUTRAL = "/srv/iati/registry"


def iati(data_dir: Path, *arguments: str) -> str:
    """Output of one command; its errors go to the terminal and end this program."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IATI_")}
    environment |= {"IATI_TODAY": demo.BASE_DATE.isoformat(), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "iati_platform.cli", *arguments, "--data-dir", str(data_dir)]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def expectations(data_dir: Path) -> dict[str, object]:
    """What stays true of this directory in every later version."""
    activities = json.loads(iati(data_dir, "search", "*:*", "--rows", "1000", "--fl", "iati_identifier", "--format", "json"))
    datasets = json.loads(iati(data_dir, "sql", "SELECT dataset FROM dataset ORDER BY 1", "--format", "json"))
    return {
        "version": __version__,
        "identifiers": sorted(document["iati_identifier"] for document in activities["docs"]),
        "datasets": sorted(row["dataset"] for row in datasets),
    }


def neutralise(data_dir: Path, folder: Path, source: Path) -> None:
    """Put NEUTRAL for the source's path in every record; RuntimeError when a file still names the temporary folder."""
    with sqlite3.connect(data_dir / "records.sqlite") as records:
        for (table,) in records.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, *_ in records.execute(f'PRAGMA table_info("{table}")').fetchall():
                change = f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)'
                records.execute(f"{change} WHERE typeof(\"{column}\") = 'text'", (str(source), NEUTRAL))
    records.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    records.execute("VACUUM")  # freed pages keep what was in them
    records.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    records.close()
    for path in data_dir.rglob("*"):
        if path.is_file() and str(folder).encode() in path.read_bytes():
            raise RuntimeError(f"{path.relative_to(data_dir)} names {folder}")


def pack(contents: dict[str, Path], expected: dict[str, object], target: Path) -> None:
    """A tar with nothing of this machine in it: no owner, no times, names in order. `contents`: name in the tar -> folder."""
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        note = json.dumps(expected, indent=1).encode() + b"\n"
        entry = tarfile.TarInfo("expected.json")
        entry.size = len(note)
        archive.addfile(entry, io.BytesIO(note))
        for name, path in sorted(
            (f"{top}/{path.relative_to(folder).as_posix()}", path) for top, folder in contents.items() for path in folder.rglob("*")
        ):
            entry = archive.gettarinfo(str(path), name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = 0
            if entry.isfile():
                with path.open("rb") as file:
                    archive.addfile(entry, file)
            else:
                archive.addfile(entry)


def main() -> int:
    options = argparse.ArgumentParser(description="Keeps a small data directory of this version for later ones to open.")
    options.add_argument("--force", action="store_true", help="replace the fixture of this version")
    target = FOLDER / f"{__version__}.tar.gz"
    if target.exists() and not options.parse_args().force:
        print(f"{target.relative_to(ROOT)} is there already; --force replaces it while {__version__} is not out", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="iati-datadir-") as temporary:
        folder = Path(temporary).resolve()
        source, data_dir = folder / "registry", folder / "data"
        demo.write(source, scale=SCALE, only=ORGANISATIONS)
        iati(data_dir, "import", str(source))
        iati(data_dir, "refresh", "--no-import")
        expected = expectations(data_dir)
        neutralise(data_dir, folder, source)
        pack({"data": data_dir, "registry": source}, expected, target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

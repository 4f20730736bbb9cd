"""Refuses dependencies under the GPL or AGPL: the platform is MIT and has to stay free to build on.

Reads the metadata of every distribution that the lock files name and the running environment has. LGPL and MPL are fine: they are used
unchanged as libraries. A distribution whose metadata says nothing must be listed in KNOWN with its licence, read by a person.

    python tools/check_licences.py            # exit 1 and one line per fault
    python tools/check_licences.py --list     # the table of docs/licences.md
"""

import argparse
import re
import sys
from importlib import metadata
from pathlib import Path

from check_locks import normal, pins

ROOT = Path(__file__).resolve().parent.parent

# Distributions whose metadata names no licence, or names it only as a file; looked up in their own source.
KNOWN: dict[str, str] = {}

# "GNU General Public License", "GPLv3", "GPL-3.0-or-later", "AGPL", but not "LGPL" or "Lesser General Public License".
STRONG = re.compile(r"(?<!L)\bA?GPL|(?<!Lesser )(?<!Library )(?<!Library or Lesser )\bGeneral Public License|Affero", re.IGNORECASE)
# A choice of licences ("MIT OR GPL-2.0") is fine when one of them is.
CHOICE = re.compile(r"\s+OR\s+|\s*;\s*", re.IGNORECASE)


def licence_of(distribution: metadata.Distribution) -> str:
    """What the distribution says of itself: SPDX expression, else classifiers, else the first line of the free-text field."""
    fields = distribution.metadata
    if expression := fields.get("License-Expression"):
        return str(expression)
    classifiers = [c.rsplit(" :: ", 1)[-1] for c in fields.get_all("Classifier") or [] if c.startswith("License :: ")]
    named = [c for c in classifiers if c != "OSI Approved"]
    if named:
        return " OR ".join(named) if len(named) > 1 else named[0]
    text = str(fields.get("License") or "").strip()
    return text.splitlines()[0][:80] if text else ""


def refused(licence: str) -> bool:
    """True when no choice the licence gives avoids the GPL or AGPL."""
    return all(STRONG.search(choice) for choice in CHOICE.split(licence.strip("()")))


def locked() -> set[str]:
    return {name for path in ROOT.glob("requirements*.txt") for name in pins(path.read_text(encoding="utf-8"))}


def installed() -> dict[str, metadata.Distribution]:
    return {normal(d.metadata["Name"]): d for d in metadata.distributions() if d.metadata["Name"]}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--list", action="store_true", help="print every dependency with its licence")
    arguments = options.parse_args()
    here = installed()
    faults, seen = [], 0
    for name in sorted(locked() & here.keys()):
        seen += 1
        licence = KNOWN.get(name) or licence_of(here[name])
        if arguments.list:
            print(f"| {name} | {here[name].version} | {licence} |")
        if not licence:
            faults.append(f"{name}: names no licence; read its source and list it in tools/check_licences.py")
        elif refused(licence):
            faults.append(f"{name}: {licence} is refused; choose another library")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults and not arguments.list:
        print(f"licences: {seen} locked dependencies looked at, none under GPL or AGPL")
    return 1 if faults or not seen else 0


if __name__ == "__main__":
    sys.exit(main())

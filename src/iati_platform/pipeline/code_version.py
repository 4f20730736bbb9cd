"""Which code made an artefact: a short hash over the source of everything the process step runs, and over the standard's tables.

An artefact is a pure function of (bytes, this version), so it is reused as long as neither changes. Hashing the sources rather than
counting a number by hand means that nobody can forget to raise it; the price is that an edit of a comment reprocesses everything once.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import iati_platform

#: Rooms and files whose change may change an artefact. Everything below a folder counts.
SOURCES = (
    "reading",
    "standard",
    "validator",
    "datastore/analysis.py",
    "datastore/documents.py",
    "datastore/fields.py",
    "datastore/fragments.py",
    "datastore/values.py",
    "datastore/tables/builder.py",
    "datastore/tables/plan.py",
    "datastore/tables/specification.py",
    "datastore/tables/values.py",
    "dashboard/facts",
    "pipeline/process.py",
    "pipeline/summaries.py",
)
#: Parts of those rooms that read artefacts instead of making them.
NOT_SOURCES = frozenset({"api.py", "pages.py", "output.py", "service.py"})


@cache
def code_version() -> str:
    """Twelve hexadecimal digits, the same for the same sources on every machine."""
    package = Path(iati_platform.__file__).parent
    digest = hashlib.sha256()
    for source in SOURCES:
        path = package / source
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        for file in files:
            if file.suffix == ".pyc" or file.name in NOT_SOURCES:
                continue
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]

"""The versions of the IATI Standard and the two kinds of file it knows. Nothing else lives here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

VERSIONS: Final[tuple[str, ...]] = ("1.01", "1.02", "1.03", "1.04", "1.05", "2.01", "2.02", "2.03")

CODELIST_VERSIONS: Final[tuple[str, ...]] = ("1.04", "1.05", "2.01", "2.02", "2.03")
"""Versions with their own codelists, mappings and rules; the Standard never published any for 1.01 to 1.03."""


class FileKind(StrEnum):
    """What a file is about; the value is the name of its root element."""

    ACTIVITIES = "iati-activities"
    ORGANISATIONS = "iati-organisations"


def known(version: str) -> str:
    """The version itself; ValueError if it is none of VERSIONS."""
    if version not in VERSIONS:
        raise ValueError(f"not a version of the IATI Standard: {version!r} (known: {', '.join(VERSIONS)})")
    return version


def codelist_version(version: str) -> str:
    """The version whose codelists, mappings and rules hold for `version`: 1.04 for the three before it."""
    return version if version in CODELIST_VERSIONS else {"1.01": "1.04", "1.02": "1.04", "1.03": "1.04"}[known(version)]

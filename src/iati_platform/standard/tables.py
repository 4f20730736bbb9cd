"""Access to the shipped tables in `data/`: text by name, the version of the whole set and where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part of the tables comes from: `folder` ("rulesets/2.03"), `repository`, `commit` (40 hex), `date` (YYYY-MM-DD)."""

    folder: str
    repository: str
    commit: str
    date: str


def read_text(name: str) -> str:
    """The text of one table, by its path below `data/` ("schemas/2.03/common.txt"). FileNotFoundError if not shipped."""
    return (files("iati_platform.standard") / "data" / name).read_text(encoding="utf-8")


def read_json(name: str) -> Any:
    """One JSON table, decoded."""
    return json.loads(read_text(name))


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a TSV table by its header; lines that start with # are skipped."""
    header, *lines = (line.split("\t") for line in read_text(name).splitlines() if not line.startswith("#"))
    return [dict(zip(header, line, strict=True)) for line in lines]


@cache
def _manifest() -> dict[str, Any]:
    content: dict[str, Any] = read_json("manifest.json")
    return content


@cache
def data_version() -> str:
    """Date and short hash of the shipped tables ("2026-08-17.1a2b3c4d"); part of the code version of every artefact."""
    manifest = _manifest()
    return f"{manifest['date']}.{manifest['hash'][:8]}"


@cache
def sources() -> tuple[Source, ...]:
    """The origins of all tables, by folder of the official files."""
    return tuple(Source(**entry) for entry in _manifest()["sources"])

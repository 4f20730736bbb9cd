"""Licence ids that a registration may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from iati_platform.standard.tables import read_rows


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: `id` ("odc-by"), `title`, `group` ("OKD Compliant", "Non-OKD Compliant", "OSI Approved", "Other"), `url` or ""."""

    id: str
    title: str
    group: str
    url: str


@cache
def licences() -> Mapping[str, Licence]:
    """All licences by id, in the customary order ("notspecified" first)."""
    found = (Licence(row["id"], row["title"], row["group"], row["url"]) for row in read_rows("licences.tsv"))
    return MappingProxyType({licence.id: licence for licence in found})

"""How the other rooms speak of a dataset: the few facts that travel with its content through index, tables and ZIPs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A dataset together with the content that is published for it. Hashes are lower-case hex."""

    id: str
    short_name: str
    reporting_org_id: str
    reporting_org_short_name: str
    content_sha256: str
    hash_excluding: str
    """SHA-1 of the content without its generated timestamps (compatibility hash, made by `bulk`)."""
    licence_id: str | None
    source_url: str | None

"""Registry documents for the tests: small, invented, easy to change in one place."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

NAMESPACE = uuid.UUID("6c1b2f34-0000-4000-8000-000000000000")


def uid(name: str) -> str:
    """A UUID made from a name."""
    return str(uuid.uuid5(NAMESPACE, name))


def organisation(name: str, **fields: Any) -> dict[str, Any]:
    """An organisation record."""
    return {
        "id": uid(f"organisation {name}"),
        "short_name": name,
        "human_readable_name": name.title(),
        "organisation_identifier": f"XM-DAC-{name}",
        "organisation_type": "22",
        "hq_country": "GB",
        "default_licence_id": "cc-by",
        "reporting_source_type": "primary_source",
        "created_date": "2020-01-01",
        **fields,
    }


def dataset(name: str, organisation_name: str, **fields: Any) -> dict[str, Any]:
    """A dataset record of an organisation."""
    return {
        "id": uid(f"dataset {name}"),
        "short_name": name,
        "reporting_org_id": uid(f"organisation {organisation_name}"),
        "file_type": "activity",
        "url": f"https://{organisation_name}.example.org/{name}.xml",
        "path": f"data/{name}.xml",
        "licence_id": "cc-by",
        **fields,
    }


def document(organisations: list[Any], datasets: list[Any]) -> dict[str, Any]:
    """A registry document."""
    return {"organisations": organisations, "datasets": datasets}


def simple(datasets: int = 4, organisation_name: str = "acme") -> dict[str, Any]:
    """One organisation with some datasets `acme-0`, `acme-1`, …"""
    return document(
        [organisation(organisation_name)], [dataset(f"{organisation_name}-{number}", organisation_name) for number in range(datasets)]
    )


def write(folder: Path, content: Any) -> str:
    """Write a document (or raw text) as `registry.json` of a folder; returns the SOURCE."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.json").write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(folder)

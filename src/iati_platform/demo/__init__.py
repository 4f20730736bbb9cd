"""The demonstration registry: an invented aid world, written as a folder that `iati import` reads like any other source.

    write(Path("demo"))            # registry.json, data/<organisation>/<dataset>.xml, expectations.json

The same seed and base date give the same bytes. Everything in it is made up; the mistakes in it are the ones people meet, and
expectations.json says where each of them is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from iati_platform.demo.files import Document, Writer
from iati_platform.demo.organisations import ORGANISATIONS, Organisation
from iati_platform.demo.projects import Project, plan
from iati_platform.standard import FileKind

__all__ = ["BASE_DATE", "Written", "write"]

# "Today" in the demonstration: what is planned, running or closed is seen from here, and so is every date that lies in the future.
BASE_DATE = date(2026, 9, 30)

_NAMESPACE = uuid.UUID("6a4f0f5e-3c1b-5d55-9d5c-0d1a71de5eed")

# Datasets that show a fault which keeps their activities from being read: older exports, registered and forgotten.
_FORGOTTEN: dict[str, str] = {
    "teralund-partnership": "missing-file",
    "unwac": "web-page",
    "school-meals": "empty-file",
    "samberie-cooperation": "truncated",
    "manos-del-valle": "wrong-encoding",
    "open-water": "unescaped-ampersand",
    "kestrel-advisory": "trailing-text",
    "reading-trust": "other-xml",
    "jordan-valley-aid": "unknown-version",
    "open-ledger": "no-version",
    "cooking-partnership": "doctype",
    "tumaini-health": "gzip",
}
# Unusual but readable: the first activity file of these organisations comes this way.
_UNUSUAL: dict[str, str] = {
    "delta-women": "utf-16",
    "medecine-itinerante": "byte-order-mark",
    "rede-raizes": "latin-1",
}
_FORGOTTEN_ACTIVITIES = 6
# Registered twice under different names: the copy has the same bytes.
_REGISTERED_TWICE = "hartwell-trust"
# Announced, but no address was ever registered.
_WITHOUT_ADDRESS = "open-ledger"


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the folder now. size: bytes of all data files."""

    organisations: int
    datasets: int
    activities: int
    size: int


def write(folder: Path, seed: int = 1, *, base: date = BASE_DATE, scale: float = 1.0, only: Collection[str] | None = None) -> Written:
    """Writes the registry into the folder, made if missing; files of the same name are replaced.

    scale: share of the usual number of activities. only: short names of the organisations wanted, all by default; ValueError for an
    unknown one.
    """
    known = {organisation.short_name for organisation in ORGANISATIONS}
    if unknown := set(only or ()) - known:
        raise ValueError(f"no such organisation in the demonstration: {', '.join(sorted(unknown))}")
    planned = plan(seed, base, scale, frozenset(only) if only is not None else None)
    organisations = [organisation for organisation in ORGANISATIONS if organisation.short_name in planned]
    documents: list[Document] = []
    writer = Writer(seed, base)
    for organisation in organisations:
        documents.extend(_documents(writer, organisation, planned[organisation.short_name]))
    for document in documents:
        if document.data is not None:
            path = folder / _path(document)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(document.data)
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "registry.json", _registry(organisations, documents))
    _write_json(folder / "expectations.json", _expectations(seed, base, organisations, documents))
    return Written(
        len(organisations), len(documents), sum(document.activities for document in documents if document.data is not None),
        sum(len(document.data or b"") for document in documents),
    )  # fmt: skip


def _documents(writer: Writer, organisation: Organisation, datasets: list[list[Project]]) -> list[Document]:
    name = organisation.short_name
    forgotten = _FORGOTTEN.get(name)
    made = []
    for position, projects in enumerate(datasets):
        # The older export takes some of the first file's activities with it: what is in it is not published elsewhere.
        kept = projects[_FORGOTTEN_ACTIVITIES:] if forgotten and position == 0 and len(projects) > _FORGOTTEN_ACTIVITIES else projects
        made.append(
            writer.activities(_name(organisation, datasets, position), organisation, kept, _UNUSUAL.get(name) if position == 0 else None)
        )
    if forgotten:
        made.append(writer.activities(f"{name}-archive", organisation, datasets[0][:_FORGOTTEN_ACTIVITIES], forgotten))
    if name == _REGISTERED_TWICE:
        made.append(dataclasses.replace(made[0], short_name=f"{name}-all"))
    if name == _WITHOUT_ADDRESS:
        announced = Document(
            f"{name}-plans", organisation, FileKind.ACTIVITIES, organisation.version, None, 0, False, False, registered=False
        )
        made.append(announced)
    if organisation.organisation_file:
        made.append(writer.organisation(f"{name}-org", organisation))
    return made


def _name(organisation: Organisation, datasets: list[list[Project]], position: int) -> str:
    """A file of one country carries its code, as most publishers do."""
    countries = sorted({project.country.code for project in datasets[position]})
    if len(datasets) == 1:
        return f"{organisation.short_name}-activities"
    return f"{organisation.short_name}-{'-'.join(countries).lower()}"


def _path(document: Document) -> str:
    return f"data/{document.organisation.short_name}/{document.short_name}.xml"


def _id(kind: str, short_name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{short_name}"))


def _registry(organisations: list[Organisation], documents: list[Document]) -> dict[str, object]:
    return {
        "organisations": [
            {
                "id": _id("organisation", organisation.short_name),
                "short_name": organisation.short_name,
                "human_readable_name": organisation.name,
                "organisation_identifier": organisation.identifier,
                "organisation_type": organisation.type,
                "hq_country": organisation.hq_country,
                "default_licence_id": organisation.licence,
                "reporting_source_type": organisation.source,
                "created_date": organisation.since,
            }
            for organisation in organisations
        ],
        "datasets": [
            {
                "id": _id("dataset", document.short_name),
                "short_name": document.short_name,
                "reporting_org_id": _id("organisation", document.organisation.short_name),
                "file_type": "organisation" if document.kind is FileKind.ORGANISATIONS else "activity",
                "url": f"https://data.{document.organisation.short_name}.example.org/iati/{document.short_name}.xml"
                if document.registered
                else None,
                "path": _path(document) if document.registered else None,
                "licence_id": document.organisation.licence,
            }
            for document in documents
        ],
    }


def _expectations(seed: int, base: date, organisations: list[Organisation], documents: list[Document]) -> dict[str, object]:
    """activities: how many can be read from the file. sha256: of the file, null when there is none. readable: there are records to take."""
    return {
        "seed": seed,
        "base_date": base.isoformat(),
        "organisations": len(organisations),
        "datasets": {
            document.short_name: {
                "organisation": document.organisation.short_name,
                "kind": document.kind.value,
                "version": document.version,
                "sha256": None if document.data is None else hashlib.sha256(document.data).hexdigest(),
                "activities": document.activities,
                "readable": document.readable,
                "schema_valid": document.schema_valid,
                "defects": [dataclasses.asdict(planted) for planted in document.planted],
            }
            for document in documents
        },
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

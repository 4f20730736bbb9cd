"""Tidying up: generations nobody reads any more, contents and artefacts nothing refers to, and one dataset on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from iati_platform.bulk import service as bulk
from iati_platform.pipeline.house import House
from iati_platform.pipeline.models import Processed
from iati_platform.registry import service as registry
from iati_platform.storage.database import reading, writing


def contents_in_use(house: House) -> set[str]:
    """Hashes that a generation on disk names: readers may have it open."""
    used: set[str] = set()
    for number in house.generations.numbers():
        for entry in house.generations.load(number).manifest["datasets"].values():
            used.add(entry["content"])
            if entry["indexed"] is not None:
                used.add(entry["indexed"])
    return used


def artefacts_in_use(house: House) -> set[tuple[str, str]]:
    """(content hash, code version) of artefacts that a generation on disk was made of."""
    used: set[tuple[str, str]] = set()
    for number in house.generations.numbers():
        for entry in house.generations.load(number).manifest["datasets"].values():
            used.add((entry["content"], entry["code_version"]))
            if entry["indexed"] is not None:
                used.add((entry["indexed"], entry["indexed_code"]))
    return used


def collect(house: House, *, now: datetime | None = None) -> dict[str, int]:
    """Remove what is unreachable. Called by the writer, after the switch; returns how many of each were removed."""
    moment = now or datetime.now(UTC)
    generations = house.generations.sweep(keep=house.settings.retention_versions)
    with writing(house.engine) as session:
        bulk.forget_removed(session, moment)
        registry.purge(session, before=moment - timedelta(days=registry.GRACE_DAYS))
        doomed = bulk.unreachable_contents(session, house.contents, moment, keep=contents_in_use(house))
    used = artefacts_in_use(house)
    current = house.code_version
    artefacts = 0
    for sha256, version, _ in list(house.artefacts.list()):
        if version != current and (sha256, version) not in used:
            house.artefacts.delete(sha256, version)
            artefacts += 1
    bulk.delete_contents(house.contents, house.artefacts, doomed)
    with writing(house.engine) as session:
        for first in range(0, len(doomed), 500):
            session.execute(delete(Processed).where(Processed.sha256.in_(doomed[first : first + 500])))
        session.execute(delete(Processed).where(Processed.code_version != current))
    return {"generations": len(generations), "contents": len(doomed), "artefacts": artefacts}


def purge_dataset(house: House, short_name: str, *, actor: str) -> list[str]:
    """Remove one dataset: registration, check history, contents nobody else uses, artefacts. Publish afterwards to take it out of view.

    Returns the hashes of the contents that were deleted. Raises `registry.NotRegistered`.
    """
    moment = datetime.now(UTC)
    with reading(house.engine) as session:
        dataset = registry.dataset(session, short_name)
    with writing(house.engine) as session:
        hashes = bulk.purge_dataset(session, house.contents, house.artefacts, dataset.id)
        registry.remove_dataset(session, dataset.id, actor=actor, at=moment)
        for sha256 in hashes:
            session.execute(delete(Processed).where(Processed.sha256 == sha256))
    return hashes


def processed_count(house: House) -> int:
    """How many contents are processed with the current code (for `doctor`)."""
    with reading(house.engine) as session:
        return len(list(session.scalars(select(Processed.sha256).where(Processed.code_version == house.code_version))))

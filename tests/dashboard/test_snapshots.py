"""Statistics of a day, and the history they become."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from iati_platform.dashboard import service
from iati_platform.dashboard.models import OVERALL, SnapshotRow
from iati_platform.dashboard.snapshots import DatasetSummary, record, state, take_snapshot
from iati_platform.datastore import tables
from iati_platform.registry.models import OrganisationRow
from iati_platform.storage.database import migrate, reading, writing
from tests.datastore_tables.files import FIRST, ORGANISATION, SECOND, built, dataset

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
AT = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)


def keep(database: Engine, day: date, **stats: dict[str, Any]) -> None:
    with writing(database) as session:
        record(session, {OVERALL: {"activities": 0}, **stats}, day, made_at=AT, code_version="x")


def points(database: Engine, org: str) -> list[tuple[date, Any]]:
    with reading(database) as session:
        return [(point.day, point.value) for point in service.history(session, org, "activities")]


def summary(name: str, org: str, data: bytes, **other: Any) -> DatasetSummary:
    values: dict[str, Any] = {
        "kind": "iati-activities",
        "version": "2.03",
        "well_formed": True,
        "iati_root": True,
        "schema_valid": True,
        "activities": 1,
    }
    return DatasetSummary(dataset_id=f"id-of-{name}", reporting_org_id=f"id-of-{org}", size=len(data), **(values | other))


@pytest.fixture
def generation(tmp_path: Path) -> Path:
    """Organisation `one` with two activity files and an organisation file, `two` with a page that is not IATI and an empty file."""
    writer = tables.TablesWriter(tmp_path / "tables", None)
    future = SECOND.replace(b'<transaction-date iso-date="soon"/>', b'<transaction-date iso-date="2027-01-01"/>')
    writer.replace(dataset("a", org="one"), built(future))
    writer.replace(dataset("b", org="one"), built(FIRST))
    writer.replace(dataset("c", org="one"), built(ORGANISATION))
    writer.commit()
    return tmp_path / "tables"


FILES = [
    summary("a", "one", SECOND, schema_valid=False),
    summary("b", "one", FIRST, version="1.03"),
    summary("c", "one", ORGANISATION, kind="iati-organisations", activities=0),
    summary("d", "two", b"<html/>", kind=None, version="", iati_root=False, schema_valid=False, activities=0),
    summary("e", "two", b"", kind=None, version="", iati_root=False, well_formed=False, schema_valid=False, activities=0),
]


def test_the_statistics_of_a_day(database: Engine, generation: Path) -> None:
    with tables.connect(generation) as connection, writing(database) as session:
        stats = take_snapshot(session, connection, FILES, MONDAY, made_at=AT, code_version="x")
    size = len(SECOND) + len(FIRST) + len(ORGANISATION)
    hashed = stats["id-of-one"].pop("transaction_dates_hash")
    assert len(hashed) == 32
    assert stats["id-of-one"] == {
        "activities": 2,
        "activity_files": 2,
        "organisation_files": 1,
        "file_size": size,
        "file_size_bins": {"<1MB": 3},
        "empty": 0,
        "toolarge": 0,
        "invalidxml": 0,
        "nonstandardroots": 0,
        "validation": {"pass": 2, "fail": 1},
        "versions": {"2.03": 2, "1.03": 1},
        "publisher_unique_identifiers": 2,
        "bottom_hierarchy": 2,
        "latest_transaction_date": "2027-01-01",
        "most_recent_transaction_date": "2020-03-04",
        "activities_with_future_transactions": 1,
    }
    two = stats["id-of-two"]
    assert (two["activity_files"], two["nonstandardroots"], two["empty"], two["invalidxml"]) == (0, 1, 1, 0)
    assert (two["latest_transaction_date"], two["publisher_unique_identifiers"]) == (None, 0)
    everything = stats[OVERALL]
    assert {name: everything[name] for name in ("activities", "file_size", "publishers", "unique_identifiers")} == {
        "activities": 2,
        "file_size": size + 7,
        "publishers": 2,
        "unique_identifiers": 2,
    }
    assert everything["publishers_validation"] == {"pass": 1, "fail": 1}
    assert everything["publisher_has_org_file"] == {"yes": 1, "no": 1}
    assert everything["publishers_per_version"] == {"2.03": 1, "1.03": 1}


def test_the_same_files_on_another_day_have_another_most_recent_date(database: Engine, generation: Path) -> None:
    for day, expected in ((MONDAY, ("2020-03-04", 1)), (date(2027, 2, 1), ("2027-01-01", 0))):
        with tables.connect(generation) as connection, writing(database) as session:
            take_snapshot(session, connection, FILES, day)
        with reading(database) as session:
            latest = service.latest(session, "id-of-one")
        assert latest is not None
        assert (latest.stats["most_recent_transaction_date"], latest.stats["activities_with_future_transactions"]) == expected


def test_a_day_without_a_change_needs_no_row_and_still_is_a_point(database: Engine) -> None:
    for day, number in ((MONDAY, 1), (TUESDAY, 1), (THURSDAY, 2)):
        keep(database, day, a={"activities": number})
    assert points(database, "a") == [(MONDAY, 1), (TUESDAY, 1), (THURSDAY, 2)]
    with reading(database) as session:
        assert session.scalar(select(func.count()).where(SnapshotRow.reporting_org_id == "a")) == 2
        assert service.days(session) == [MONDAY, TUESDAY, THURSDAY]


def test_the_last_run_of_a_day_wins(database: Engine) -> None:
    keep(database, MONDAY, a={"activities": 1}, b={"activities": 1})
    keep(database, TUESDAY, a={"activities": 2}, b={"activities": 1})
    keep(database, TUESDAY, a={"activities": 1}, b={"activities": 3})
    assert points(database, "a") == [(MONDAY, 1), (TUESDAY, 1)]
    assert points(database, "b") == [(MONDAY, 1), (TUESDAY, 3)]


def test_a_run_for_a_day_in_the_past_leaves_the_days_after_it_alone(database: Engine) -> None:
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        keep(database, day, a={"activities": 1}, b={"activities": 1})
    keep(database, MONDAY, a={"activities": 9}, c={"activities": 5})
    assert points(database, "a") == [(MONDAY, 9), (TUESDAY, 1), (WEDNESDAY, 1)]
    assert points(database, "b") == [(TUESDAY, 1), (WEDNESDAY, 1)]
    assert points(database, "c")[:2] == [(MONDAY, 5), (TUESDAY, None)]


def test_an_organisation_without_data_has_no_latest_and_may_come_back(database: Engine) -> None:
    keep(database, MONDAY, a={"activities": 1})
    keep(database, TUESDAY)
    with reading(database) as session:
        assert service.latest(session, "a") is None
        assert state(session, TUESDAY)["a"] == {}
    keep(database, WEDNESDAY, a={"activities": 1})
    assert points(database, "a") == [(MONDAY, 1), (TUESDAY, None), (WEDNESDAY, 1)]


def test_collected_history_survives_migration_and_the_deletion_of_the_organisation(database: Engine) -> None:
    with writing(database) as session:
        organisation = {"id": "a", "short_name": "a", "human_readable_name": "A", "search_text": "a", "state": "approved"}
        session.add(OrganisationRow(**organisation, discoverable=True, created_at=AT, updated_at=AT))
    keep(database, MONDAY, a={"activities": 1})
    with writing(database) as session:
        session.delete(session.get(OrganisationRow, "a"))
    migrate(database)
    migrate(database)
    assert points(database, "a") == [(MONDAY, 1)]
    with reading(database) as session:
        assert service.latest(session) is not None


def test_before_the_first_run_there_is_nothing(database: Engine) -> None:
    with reading(database) as session:
        assert (service.latest(session), service.days(session), service.history(session, OVERALL, "activities")) == (None, [], [])

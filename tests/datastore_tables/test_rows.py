"""What of a file becomes which row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iati_platform.datastore import tables
from iati_platform.datastore.tables.specification import TABLES
from tests.datastore_tables.files import FIRST, ORGANISATION, SECOND, built, published

PROVENANCE = {
    "dataset": "d",
    "dataset_id": "id-of-d",
    "reporting_org": "example",
    "licence": "cc-by",
    "source_url": "https://example.org/d.xml",
}


def rows(directory: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a table without empty columns."""
    found = tables.query(directory, f'SELECT * FROM "{table}"').to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def test_a_2x_activity_becomes_one_typed_row(tmp_path: Path) -> None:
    assert rows(published(tmp_path / "t", d=SECOND), "activity") == [
        {
            "activity_index": 0,
            "iati_identifier": "XM-EX-1-A",
            "version": "2.03",
            "admitted": True,
            "schema_valid": False,
            "hierarchy": 2,
            "humanitarian": True,
            "language": "en",
            "default_currency": "EUR",
            "last_updated": date(2024, 5, 6),
            "reporting_org_ref": "XM-EX-1",
            "reporting_org_type": "21",
            "reporting_org_name": "Example Org",
            "title": "Eau potable",
            "description": "Wells",
            "status": "2",
            "planned_start": date(2020, 1, 1),
            "recipient_country": "KE",
            "recipient_region": "289",
            "sector": "14030",
            "default_finance_type": "110",
            "default_aid_type": "C01",
            **PROVENANCE,
        }
    ]


def test_transactions_take_the_defaults_of_their_activity_and_keep_what_is_not_a_number_or_date_empty(tmp_path: Path) -> None:
    common = {"activity_index": 0, "iati_identifier": "XM-EX-1-A", "aid_type": "C01", **PROVENANCE}
    assert rows(published(tmp_path / "t", d=SECOND), "transaction") == [
        {
            **common,
            "transaction_index": 0,
            "ref": "T1",
            "type": "3",
            "date": date(2020, 3, 4),
            "value": Decimal("12.5000"),
            "currency": "USD",
            "value_date": date(2020, 3, 5),
            "provider_org_ref": "XM-EX-2",
            "provider_org_name": "Funder",
            "provider_activity_id": "XM-EX-2-P",
            "sector": "14031",
            "finance_type": "421",
            "humanitarian": False,
        },
        {
            **common,
            "transaction_index": 1,
            "type": "4",
            "currency": "EUR",
            "value_date": date(2021, 1, 1),
            "finance_type": "110",
        },
    ]


def test_1x_files_keep_their_codes_and_their_texts_without_narratives(tmp_path: Path) -> None:
    directory = published(tmp_path / "t", d=FIRST)
    [activity] = rows(directory, "activity")
    [transaction] = rows(directory, "transaction")
    [location] = rows(directory, "location")
    assert {name: activity[name] for name in ("version", "title", "reporting_org_name", "planned_start", "actual_end")} == {
        "version": "1.03",
        "title": "Roads",
        "reporting_org_name": "Old Department",
        "planned_start": date(2009, 4, 1),
        "actual_end": date(2011, 4, 1),
    }
    assert {name: transaction[name] for name in ("type", "value", "currency", "description", "receiver_org_name")} == {
        "type": "D",
        "value": Decimal("5000000000000000000.5000"),
        "currency": "GBP",
        "description": "First tranche",
        "receiver_org_name": "Kenya",
    }
    assert "latitude" not in location  # 95 degrees north
    assert location["longitude"] == 36.5


def test_elements_below_become_rows_that_say_where_they_are(tmp_path: Path) -> None:
    directory = published(tmp_path / "t", d=SECOND)
    lead = {"activity_index": 0, "iati_identifier": "XM-EX-1-A", **PROVENANCE}
    assert rows(directory, "recipient") == [
        {**lead, "recipient_index": 0, "kind": "recipient-country", "code": "KE", "percentage": 60.0},
        {**lead, "recipient_index": 1, "kind": "recipient-region", "code": "289", "vocabulary": "1", "percentage": 40.0},
    ]
    assert rows(directory, "sector") == [
        {**lead, "sector_index": 0, "code": "140", "vocabulary": "2", "percentage": 100.0},
        {**lead, "sector_index": 1, "code": "14030", "percentage": 100.0},
    ]
    assert rows(directory, "location") == [
        {**lead, "location_index": 0, "position": "-1.28 36.82", "latitude": -1.28, "longitude": 36.82},
    ]
    period = {"period_start": date(2020, 1, 1), "period_end": date(2020, 12, 31), "target": "10", "actual": "7"}
    assert rows(directory, "indicator_period") == [{**lead, "result_index": 0, "indicator_index": 0, "period_index": 0, **period}]
    assert rows(directory, "budget")[0]["value"] == Decimal("1000.1234")  # half to even at the fourth decimal
    assert rows(directory, "budget")[0]["currency"] == "EUR"


def test_organisation_files_have_tables_of_their_own(tmp_path: Path) -> None:
    directory = published(tmp_path / "t", d=ORGANISATION)
    assert rows(directory, "activity") == []
    assert [(row["organisation_identifier"], row["name"]) for row in rows(directory, "organisation")] == [("XM-EX-1", "Example Org")]
    assert [(row["kind"], row["value"], row["currency"]) for row in rows(directory, "organisation_budget")] == [
        ("total-budget", Decimal(1), "EUR"),
        ("recipient-country-budget", Decimal(2), "USD"),
    ]
    assert rows(directory, "organisation_document")[0]["url"] == "https://example.org/plan.pdf"


@pytest.mark.parametrize("data", [b"", b"<html/>", SECOND[:-100], b"<iati-activities version='2.03'/>"])
def test_a_file_that_cannot_be_read_or_is_empty_has_no_rows(data: bytes) -> None:
    assert built(data) == {}


def test_many_rows_leave_in_chunks_and_arrive_in_order(tmp_path: Path) -> None:
    transaction = b"<transaction><transaction-type code='3'/><value>%d</value></transaction>"
    activity = (
        b"<iati-activity><iati-identifier>A</iati-identifier>" + b"".join(transaction % n for n in range(5_000)) + b"</iati-activity>"
    )
    data = b"<iati-activities version='2.03'>" + activity * 4 + b"</iati-activities>"
    assert built(data)["transaction"].count(b"\n") == 1  # two chunks: full after the second and the fourth activity
    directory = published(tmp_path / "t", d=data)
    found = tables.query(directory, "SELECT activity_index, count(*) n, sum(value) s FROM transaction GROUP BY 1 ORDER BY 1").to_pylist()
    assert found == [{"activity_index": index, "n": 5_000, "s": Decimal(12_497_500)} for index in range(4)]


def test_table_and_column_names_are_sql_names_and_unique() -> None:
    assert len({table.name for table in TABLES}) == len(TABLES)
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name
        assert all(name.isidentifier() and name == name.lower() for name in [table.name, *names])


def test_every_table_and_column_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
    for table in TABLES:
        assert f"`{table.name}`" in text, table.name
        section = text.split(f"### `{table.name}`")[1].split("\n### ")[0]
        assert [column.name for column in table.columns if f"`{column.name}`" not in section] == [], table.name

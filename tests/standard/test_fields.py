"""Flat field names, as the Datastore has them."""

from __future__ import annotations

import csv
from pathlib import Path

from iati_platform import standard


def test_203_has_302_activity_fields_and_three_of_the_file() -> None:
    fields = standard.fields("2.03")
    names = [field.name for field in fields]
    assert (len(names), len(set(names))) == (305, 305)
    assert names[:7] == [
        "dataset_version",
        "dataset_generated_datetime",
        "dataset_linked_data_default",
        "last_updated_datetime",
        "xml_lang",
        "default_currency",
        "humanitarian",
    ]
    assert names[-4:] == ["fss_forecast", "fss_forecast_year", "fss_forecast_currency", "fss_forecast_value_date"]
    assert sum(not field.multi for field in fields) == 41
    assert "location_point_srsName" in names


def test_a_field_says_where_its_value_stands() -> None:
    by_name = {field.name: field for field in standard.fields("2.03")}
    currency, value = by_name["budget_value_currency"], by_name["budget_value"]
    assert currency.attribute is not None
    assert (currency.spec.path, currency.attribute.name, currency.type, currency.multi) == (
        "iati-activity/budget/value",
        "currency",
        "xsd:string",
        True,
    )
    assert (value.spec is currency.spec, value.attribute, value.type) == (True, None, "xsd:decimal")


def test_every_version_and_kind_has_distinct_names() -> None:
    for version in standard.VERSIONS:
        for kind in standard.FileKind:
            names = [field.name for field in standard.fields(version, kind)]
            assert len(names) == len(set(names)) > 20, (version, kind)


def test_names_order_and_repetition_are_those_of_the_existing_datastore(shared: Path) -> None:
    with (shared / "spec/datastore-fields.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["collection"] == "activity" and row["value_scope"] == "whole activity"]
    ours = standard.fields("2.03")
    assert [(row["field"], row["multi"] == "true") for row in rows] == [(field.name, field.multi) for field in ours]
    places = {row["field"]: row["source_xpath"] for row in rows}
    for field in ours:
        path = "/".join(filter(None, ("iati-activities", field.spec.path, f"@{field.attribute.label}" if field.attribute else "")))
        assert places[field.name] == path

"""The field model equals the reference list of fields."""

from __future__ import annotations

import csv
from pathlib import Path

from iati_platform.datastore.fields import Collection, collection_fields, default_fields, field_model

_SAME = {"pdate": "date", "pdates": "date", "pdouble": "double", "pdoubles": "double", "pint": "int", "pints": "int", "booleans": "boolean"}


def test_every_field_of_the_reference_list_is_there_in_its_order_with_type_and_multiplicity(shared: Path) -> None:
    with (shared / "spec" / "datastore-fields.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if "*" not in row["field"]]
    for collection in Collection:
        wanted = [
            (row["field"], _SAME.get(row["type"], row["type"]), row["multi"] == "true")
            for row in rows
            if row["collection"] == collection.value
        ]
        assert [(field.name, field.type.value, field.multi) for field in collection_fields(collection)] == wanted


def test_the_default_list_has_305_names_of_the_standard() -> None:
    names = default_fields()
    assert len(names) == 305
    assert names[:3] == ("dataset_version", "dataset_generated_datetime", "dataset_linked_data_default")
    assert names[-1] == "fss_forecast_value_date"
    assert not {"id", "iati_text", "iati_xml"} & set(names)


def test_sources_are_paths() -> None:
    model = field_model()
    assert model["transaction_value_value_date"].path == "iati-activity/transaction/value/@value-date"
    assert model["location_point_srsName"].path == "iati-activity/location/point/@srsName"
    assert model["xml_lang"].path == "iati-activity/@xml:lang"

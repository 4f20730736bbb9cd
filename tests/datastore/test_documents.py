"""Flattening: what an activity becomes (spec/datastore.md §5.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iati_platform.datastore.fields import Collection
from iati_platform.datastore.payload import StoredActivity
from tests.datastore.material import Activity, activities, build, dataset, documents, file_of


def stored(tmp_path: Path, data: bytes) -> StoredActivity:
    reader = build(tmp_path / "search", [(dataset("one"), data)])
    _, found = reader.dataset_activities(dataset("one").id, 0, 1)
    return found[0]


def flat(tmp_path: Path, inner: str, attributes: str = "", **more: Any) -> dict[str, Any]:
    return stored(tmp_path, activities(f" {attributes}>{inner}", **more)).document()


def test_a_whole_activity_with_its_transaction_and_budget(tmp_path: Path) -> None:
    activity = Activity(
        "XX-ORG-1-A",
        "Water for all",
        countries=("AF", "KE"),
        sectors=(("11110", "100"),),
        updated="2020-01-02T11:23:00+01:00",
        transactions=(("3", "2020-05-01", "100.5", "Pay it"), ("4", "2020-06-01", "7", "Again")),
        budgets=(("2020-01-01", "2020-12-31", "5000"),),
    )
    one = stored(tmp_path, file_of(activity))
    ref = dataset("one")
    base = {
        "id": f"{ref.id}--294d9f273bef8bdd47512d035e6492868fa02dee--0",
        "indexed_datetime": "2026-03-01T12:30:00Z",
        "iati_activities_document_id": ref.id,
        "iati_activities_document_hash": ref.hash_excluding,
        "iati_identifier_exact": "XX-ORG-1-A",
        "dataset_version": "2.03",
        "dataset_generated_datetime": "2026-02-01T00:00:00Z",
        "last_updated_datetime": "2020-01-02T11:23:00Z",
        "iati_identifier": "XX-ORG-1-A",
        "reporting_org_ref": "XX-ORG-1",
        "reporting_org_type": "21",
        "reporting_org_narrative": ["The organisation"],
        "title_narrative": ["Water for all"],
        "description_narrative": ["What it does"],
        "participating_org_role": ["1"],
        "participating_org_ref": ["XX-ORG-2"],
        "activity_status_code": "2",
        "activity_date_type": ["1"],
        "activity_date_iso_date": ["2020-01-01T00:00:00Z"],
        "recipient_country_code": ["AF", "KE"],
        "sector_code": ["11110"],
        "sector_percentage": [100.0],
    }
    budget = {
        "budget_period_start_iso_date": ["2020-01-01T00:00:00Z"],
        "budget_period_end_iso_date": ["2020-12-31T00:00:00Z"],
        "budget_value": [5000.0],
        "budget_value_value_date": ["2020-01-01T00:00:00Z"],
    }
    first = {
        "transaction_transaction_type_code": ["3"],
        "transaction_transaction_date_iso_date": ["2020-05-01T00:00:00Z"],
        "transaction_value": [100.5],
        "transaction_value_value_date": ["2020-05-01T00:00:00Z"],
        "transaction_description_narrative": ["Pay it"],
    }
    second = {
        "transaction_transaction_type_code": ["4"],
        "transaction_transaction_date_iso_date": ["2020-06-01T00:00:00Z"],
        "transaction_value": [7.0],
        "transaction_value_value_date": ["2020-06-01T00:00:00Z"],
        "transaction_description_narrative": ["Again"],
    }
    together = {name: [*first[name], *second[name]] for name in first}
    assert one.document() == base | budget | together
    assert one.part(Collection.TRANSACTION, 1) == base | budget | second | {"id": one.part_id(Collection.TRANSACTION, 1)}
    assert one.part(Collection.BUDGET, 0) == base | budget | together | {"id": one.part_id(Collection.BUDGET, 0)}
    assert one.admitted
    assert one.schema_valid


def test_lone_empty_values_are_left_out_and_empty_ones_in_lists_kept(tmp_path: Path) -> None:
    document = flat(
        tmp_path,
        '<iati-identifier>X</iati-identifier><participating-org role="1" ref="A-1"/><participating-org role="" ref=""/>'
        '<other-identifier ref="" type="A1"/><title><narrative/><narrative>Text</narrative></title>',
    )
    assert document["participating_org_ref"] == ["A-1", ""]
    assert document["participating_org_role"] == ["1", ""]
    assert "other_identifier_ref" not in document
    assert document["title_narrative"] == ["Text"]


def test_values_are_trimmed_and_line_ends_in_identifiers_removed(tmp_path: Path) -> None:
    document = flat(tmp_path, "<iati-identifier>\n  XX-1\n-2 \n</iati-identifier><title><narrative>  Two\n words </narrative></title>")
    assert document["iati_identifier"] == "XX-1-2"
    assert document["iati_identifier_exact"] == "XX-1-2"
    assert document["title_narrative"] == ["Two\n words"]


def test_dates_and_numbers_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    document = flat(
        tmp_path,
        '<iati-identifier>X</iati-identifier><activity-date type="1" iso-date="2020-13-01"/>'
        '<activity-date type="2" iso-date="2020-12-01Z"/>'
        '<transaction><value value-date="never">1,000</value></transaction><transaction><value>12</value></transaction>',
    )
    assert document["activity_date_type"] == ["1", "2"]
    assert document["activity_date_iso_date"] == ["2020-12-01T00:00:00Z"]
    assert document["transaction_value"] == [12.0]
    assert "transaction_value_value_date" not in document


def test_foreign_names_carry_their_prefix_and_are_returned(tmp_path: Path) -> None:
    document = flat(
        tmp_path,
        '<iati-identifier>X</iati-identifier><budget><big:org big:kind="k"><big:finance applicant="me">5</big:finance></big:org></budget>'
        "<extra>e</extra>",
        version='2.03" xmlns:big="http://big.example',
    )
    assert document["budget_big_org_big_kind"] == ["k"]
    assert document["budget_big_org_big_finance"] == ["5"]
    assert document["budget_big_org_big_finance_applicant"] == ["me"]
    assert document["extra"] == ["e"]


def test_points_become_places_when_they_are_two_numbers_in_range(tmp_path: Path) -> None:
    document = flat(
        tmp_path,
        "<iati-identifier>X</iati-identifier>"
        + "".join(f"<location><point><pos>{pos}</pos></point></location>" for pos in ("31.6 65.7", "95 1", "nowhere", "-1.5 2")),
    )
    assert document["location_point_pos"] == ["31.6 65.7", "95 1", "nowhere", "-1.5 2"]
    assert document["location_point_latlon"] == ["31.6,65.7", "-1.5,2"]


def test_comments_and_instructions_inside_texts_lose_nothing(tmp_path: Path) -> None:
    document = flat(tmp_path, "<iati-identifier>X</iati-identifier><title><narrative>foo<!-- c -->bar<?pi x?>!</narrative></title>")
    assert document["title_narrative"] == ["foobar!"]


def test_duplicates_of_an_identifier_are_numbered(tmp_path: Path) -> None:
    reader = build(tmp_path / "search", [(dataset("one"), file_of(Activity("A"), Activity("B"), Activity("A")))])
    _, found = reader.dataset_activities(dataset("one").id, 0, 10)
    assert [one.id.rpartition("--")[2] for one in found] == ["0", "0", "1"]
    assert [one.document()["iati_identifier"] for one in found] == ["A", "B", "A"]


def test_version_1_texts_go_into_the_narratives_of_today_and_are_held_back(tmp_path: Path) -> None:
    data = activities("><iati-identifier>X-1</iati-identifier><title xml:lang='fr'>Eau pour tous</title>", version="1.05")
    one = stored(tmp_path, data)
    assert not one.admitted
    assert one.document()["title_narrative"] == ["Eau pour tous"]
    assert one.document()["title_narrative_xml_lang"] == ["fr"]


def test_offsets_cut_out_the_original_element(tmp_path: Path) -> None:
    data = file_of(Activity("A"), Activity("B", "Ünïcode"))
    reader = build(tmp_path / "search", [(dataset("one"), data)])
    _, found = reader.dataset_activities(dataset("one").id, 1, 1)
    cut = data[found[0].start : found[0].end].decode()
    assert cut.startswith("<iati-activity")
    assert cut.endswith("</iati-activity>")
    assert "Ünïcode" in cut


def test_the_section_is_the_same_whatever_was_read_before() -> None:
    data = file_of(*(Activity(f"A-{n}", "Same words", transactions=(("3", "2020-05-01", f"{n}.5", "t"),) * 3) for n in range(50)))
    first = documents(data)
    documents(file_of(*(Activity(f"B-{n}", f"Other {n}") for n in range(500))))
    assert documents(data) == first


def test_organisation_files_have_no_documents() -> None:
    assert documents(b'<iati-organisations version="2.03"><iati-organisation/></iati-organisations>') == b""

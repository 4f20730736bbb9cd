"""The demonstration registry: always the same, valid where it says so, broken where it says so."""

import json
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from iati_platform import demo, reading, standard
from iati_platform.demo.defects import DUPLICATE_IDENTIFIER, FAULTS, FLAWS, LATE_FLAWS
from iati_platform.demo.organisations import ORGANISATIONS

Expectations = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    demo.write(path)
    return path


@pytest.fixture(scope="module")
def expected(folder: Path) -> Expectations:
    return json.loads((folder / "expectations.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def documents(folder: Path, expected: Expectations) -> dict[str, etree._Element]:
    """The root of every file that can be read."""
    roots = {}
    for name, row in expected["datasets"].items():
        path = folder / "data" / row["organisation"] / f"{name}.xml"
        if row["readable"]:
            roots[name] = etree.parse(path).getroot()
    return roots


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_and_date_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    demo.write(tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_another_seed_gives_another_world_of_the_same_organisations(folder: Path, tmp_path: Path) -> None:
    demo.write(tmp_path, seed=2)
    ours, theirs = (json.loads((path / "registry.json").read_text(encoding="utf-8")) for path in (folder, tmp_path))
    assert ours["organisations"] == theirs["organisations"]
    assert (folder / "data/lanterns/lanterns-org.xml").read_bytes() != (tmp_path / "data/lanterns/lanterns-org.xml").read_bytes()


def test_dates_follow_the_base_date(tmp_path: Path) -> None:
    demo.write(tmp_path, base=date(2031, 5, 17), only=["lanterns"])
    root = etree.parse(tmp_path / "data/lanterns/lanterns-org.xml").getroot()
    assert root.get("generated-datetime", "")[:4] == "2031"
    assert sorted({start.get("iso-date") for start in root.iterfind("iati-organisation/total-budget/period-start")}) == [
        "2030-01-01",
        "2031-01-01",
        "2032-01-01",
        "2033-01-01",
    ]


def test_a_small_world_on_request(tmp_path: Path) -> None:
    written = demo.write(tmp_path, scale=0.1, only=["open-ledger"])
    assert (written.organisations, written.datasets) == (1, 3)
    registry = json.loads((tmp_path / "registry.json").read_text(encoding="utf-8"))
    assert [dataset["short_name"] for dataset in registry["datasets"]] == [
        "open-ledger-activities",
        "open-ledger-archive",
        "open-ledger-plans",
    ]
    assert [dataset["path"] for dataset in registry["datasets"]][2] is None


def test_an_unknown_organisation_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such organisation in the demonstration: lantern"):
        demo.write(tmp_path, only=["lantern"])


def test_size_is_what_newcomers_are_told(expected: Expectations) -> None:
    assert expected["organisations"] == 32
    assert len(expected["datasets"]) == 106
    assert 2400 < sum(row["activities"] for row in expected["datasets"].values()) < 2700
    versions = [row["version"] for row in expected["datasets"].values()]
    assert {version: versions.count(version) > 0 for version in ("1.05", "2.01", "2.02")} == {"1.05": True, "2.01": True, "2.02": True}
    assert versions.count("2.03") > len(versions) * 0.8


def test_registry_and_files_agree(folder: Path, expected: Expectations) -> None:
    registry = json.loads((folder / "registry.json").read_text(encoding="utf-8"))
    organisations = {organisation["id"]: organisation for organisation in registry["organisations"]}
    assert len(organisations) == len(ORGANISATIONS)
    assert all(uuid.UUID(item["id"]) for item in (*registry["organisations"], *registry["datasets"]))
    assert [dataset["short_name"] for dataset in registry["datasets"]] == list(expected["datasets"])
    for dataset in registry["datasets"]:
        row = expected["datasets"][dataset["short_name"]]
        assert organisations[dataset["reporting_org_id"]]["short_name"] == row["organisation"]
        assert dataset["file_type"] == ("organisation" if row["kind"] == "iati-organisations" else "activity")
        assert bool(dataset["path"] and (folder / dataset["path"]).exists()) == (row["sha256"] is not None)


def test_every_file_that_claims_to_be_valid_is_and_no_other(documents: dict[str, etree._Element], expected: Expectations) -> None:
    found, claimed = {}, {}
    for name, root in documents.items():
        row = expected["datasets"][name]
        if root.get("version") not in standard.VERSIONS or root.tag != row["kind"]:
            continue
        found[name] = standard.xml_schema(row["version"], standard.FileKind(row["kind"])).validate(root)
        claimed[name] = row["schema_valid"]
    assert found == claimed
    assert len(found) > 90


def test_every_activity_is_counted(documents: dict[str, etree._Element], expected: Expectations) -> None:
    counted = {name: len(root.findall("iati-activity")) for name, root in documents.items()}
    assert counted == {name: row["activities"] for name, row in expected["datasets"].items() if name in documents}


def test_files_that_cannot_be_read_are_refused_and_the_others_are_not(folder: Path, expected: Expectations) -> None:
    refused, planted = {}, {}
    for name, row in expected["datasets"].items():
        path = folder / "data" / row["organisation"] / f"{name}.xml"
        if not path.exists():
            continue
        source = reading.read(path.read_bytes())
        count = sum(1 for _ in source.records()) if source.kind is not None else 0
        if source.problems or not count:
            refused[name] = source.problems[0].rule_id
        if not row["readable"]:
            planted[name] = row["defects"][0]["rule"]
    assert refused == planted
    assert len(planted) == 9


def test_every_kind_of_defect_is_there(expected: Expectations) -> None:
    planted = {defect["defect"] for row in expected["datasets"].values() for defect in row["defects"]}
    assert planted == {DUPLICATE_IDENTIFIER, *FAULTS, *(flaw.name for flaw in (*FLAWS, *LATE_FLAWS))}


def test_defects_name_activities_that_are_there(documents: dict[str, etree._Element], expected: Expectations) -> None:
    for name, root in documents.items():
        identifiers = [node.text for node in root.iterfind("iati-activity/iati-identifier")]
        for defect in expected["datasets"][name]["defects"]:
            if defect["activity"]:
                assert identifiers.count(defect["activity"]) == (2 if defect["defect"] == DUPLICATE_IDENTIFIER else 1)


def test_identifiers_are_unique_but_for_the_planted_duplicates(documents: dict[str, etree._Element], expected: Expectations) -> None:
    planted = sum(d["defect"] == DUPLICATE_IDENTIFIER for row in expected["datasets"].values() for d in row["defects"])
    identifiers = [
        node.text
        for name, root in documents.items()
        if name != "hartwell-trust-all"
        for node in root.iterfind("iati-activity/iati-identifier")
    ]
    whole_orgs = sum(d["defect"] == "identifier-of-organisation" for row in expected["datasets"].values() for d in row["defects"])
    assert len(identifiers) - len(set(identifiers)) <= planted + whole_orgs
    assert planted > 0


def test_money_can_be_followed(documents: dict[str, etree._Element]) -> None:
    """Activities named as the source of money are published by somebody in the same world."""
    published = {node.text for root in documents.values() for node in root.iterfind("iati-activity/iati-identifier")}
    named = [
        party.get("provider-activity-id")
        for root in documents.values()
        for party in root.iterfind("iati-activity/transaction/provider-org[@provider-activity-id]")
    ]
    found = sum(identifier in published for identifier in named)
    assert found > 0.95 * len(named) > 1000


@pytest.fixture(scope="module")
def known(expected: Expectations) -> Callable[[str, str], bool]:
    """(codelist, code) -> in the codelists of 2.03."""
    del expected
    return lambda codelist, code: code in standard.codelist("2.03", codelist).codes


CODED = {
    "sector": ("code", "Sector"),
    "recipient-country": ("code", "Country"),
    "recipient-region": ("code", "Region"),
    "activity-status": ("code", "ActivityStatus"),
    "activity-scope": ("code", "ActivityScope"),
    "collaboration-type": ("code", "CollaborationType"),
    "default-flow-type": ("code", "FlowType"),
    "default-finance-type": ("code", "FinanceType"),
    "default-aid-type": ("code", "AidType"),
    "transaction/transaction-type": ("code", "TransactionType"),
    "document-link/category": ("code", "DocumentCategory"),
    "document-link": ("format", "FileFormat"),
    "participating-org": ("type", "OrganisationType"),
    "policy-marker": ("code", "PolicyMarker"),
    "related-activity": ("type", "RelatedActivityType"),
    "result": ("type", "ResultType"),
    "tag": ("code", "UNSDG-Goals"),
    "conditions/condition": ("type", "ConditionType"),
    "crs-add/loan-terms/repayment-type": ("code", "LoanRepaymentType"),
    "crs-add/loan-terms/repayment-plan": ("code", "LoanRepaymentPeriod"),
}
PLANTED_CODES = {("Sector", "11999"), ("Country", "UK")}


def test_codes_are_the_standards_but_for_the_planted_ones(
    documents: dict[str, etree._Element], expected: Expectations, known: Callable[[str, str], bool]
) -> None:
    used = {
        (codelist, node.get(attribute, ""))
        for name, root in documents.items()
        if expected["datasets"][name]["version"] == "2.03"
        for path, (attribute, codelist) in CODED.items()
        for node in root.iterfind(f"iati-activity/{path}")
    }
    assert {pair for pair in used if not known(*pair)} == PLANTED_CODES


def test_identifiers_use_registered_agencies_or_the_demonstrations_own() -> None:
    agencies = tuple(f"{agency}-" for agency in (*standard.registration_agencies(), "XX-DEMO"))
    assert [o.identifier for o in ORGANISATIONS if not o.identifier.startswith(agencies)] == []

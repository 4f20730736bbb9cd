"""The validator finds every defect of the demonstration where it was planted, and nothing wrong in the files of careful publishers."""

import json
from pathlib import Path
from typing import Any

import pytest

from iati_platform import demo
from iati_platform.validator.report import Report
from iati_platform.validator.service import validate


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The rows of expectations.json, each with the validator's report of its file under "report" where there is a file."""
    folder = tmp_path_factory.mktemp("demo")
    demo.write(folder)
    rows = json.loads((folder / "expectations.json").read_text(encoding="utf-8"))["datasets"]
    for name, row in rows.items():
        if row["defects"] or row["organisation"] in CAREFUL:
            row["report"] = report_of(folder / "data" / row["organisation"] / f"{name}.xml")
    return rows


CAREFUL = {"meridian-bank", "lanterns", "almond-foundation"}


def report_of(path: Path) -> Report | None:
    return validate(path.read_bytes(), as_of=demo.BASE_DATE) if path.exists() else None


def places(report: Report) -> set[tuple[str, str]]:
    """(rule, identifier of the activity or "" for the file)."""
    return {(finding.id, report.elements[finding.index].identifier if finding.index >= 0 else "") for finding in report.findings}


def test_every_planted_defect_is_found_in_its_activity(expected: dict[str, Any]) -> None:
    missed = []
    for name, row in expected.items():
        report = row.get("report")
        for defect in row["defects"]:
            if defect["rule"] is None or report is None:
                continue
            found = {
                rule
                for rule, identifier in places(report)
                if identifier.strip() == defect["activity"].strip() or defect["defect"] == "duplicate-identifier"
            }
            if defect["rule"] not in (found or report.codes):
                missed.append((name, defect["defect"], defect["activity"], defect["rule"]))
    assert missed == []


def test_files_of_careful_publishers_have_no_errors(expected: dict[str, Any]) -> None:
    wrong = {
        name: row["report"].counts
        for name, row in expected.items()
        if row["organisation"] in CAREFUL and (row["report"].summary["critical"] or row["report"].summary["error"])
    }
    assert wrong == {}


def test_files_that_claim_to_be_valid_are_not_critical(expected: dict[str, Any]) -> None:
    claimed = {name: row["schema_valid"] for name, row in expected.items() if row.get("report")}
    assert {name: row["report"].valid for name, row in expected.items() if row.get("report")} == claimed

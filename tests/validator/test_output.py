"""Reports on a terminal, as SARIF, as exit statuses."""

from rich.console import Console

from iati_platform.validator import output
from tests.validator.files import ACTIVITY, changed, report

WARNED = changed('role="1" ref="GB', 'role="1" ref=" GB')


def test_exit_statuses_follow_the_threshold() -> None:
    made = report(WARNED)
    assert [output.exit_code(made, severity) for severity in ("critical", "error", "warning", "advisory")] == [0, 0, 1, 1]
    assert output.exit_code(report(ACTIVITY), "advisory") == 0


def test_text_names_the_activity_the_rule_and_the_place() -> None:
    console = Console(width=200, record=True, quiet=True)
    console.quiet = False
    with console.capture() as capture:
        output.to_text(report(WARNED), "a.xml", console)
    text = capture.get()
    assert text.splitlines()[0] == "a.xml: iati-activities 2.03"
    assert "GB-COH-000001-A1  Wells" in text
    assert "warning 1.8.1  The identifier of a participating organisation begins or ends with white space; remove it." in text
    assert "7:34  For /iati-activities/iati-activity/participating-org/@ref = ' GB-COH-000001' at line: 7, column: 34" in text
    assert "valid: 1 warning" in text


def test_sarif_has_a_result_with_its_place() -> None:
    (run,) = output.to_sarif([("a.xml", report(WARNED))])["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("1.8.1", "warning")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.xml"},
        "region": {"startLine": 7, "startColumn": 34},
    }
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["1.8.1"]

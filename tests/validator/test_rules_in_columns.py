# ruff: noqa: E501 - XML reads better on one line
"""The other rules of the rulesets: a case that breaks each and one that does not; and that one wrong value among many right ones is found."""

import pytest

from iati_platform.standard import VERSIONS, rules
from iati_platform.validator import validate
from tests.validator.files import ACTIVITY, ORGANISATION, TODAY, added, changed, organisations_of, report
from tests.validator.test_rules import ACTIVITIES, ORGANISATIONS, transaction

INDICATOR = (
    '<result type="1"><title><narrative>r</narrative></title><indicator measure="{}"><title><narrative>i</narrative></title>'
    '<period><period-start iso-date="{}"/><period-end iso-date="2025-12-31"/>{}</period></indicator></result>'
)
OTHER = '<other-identifier ref="{}" type="{}"><owner-org{}/></other-identifier>'
ITEMS = '<country-budget-items vocabulary="2">{}</country-budget-items>'
GRANT = '<recipient-org-budget><recipient-org ref="{}"/></recipient-org-budget>'


def beside(xml: str) -> str:
    return added("sector", xml)


def indicator(measure: str, inner: str, start: str = "2025-01-01") -> str:
    return beside(INDICATOR.format(measure, start, inner))


def other(ref: str = "x", kind: str = "A1", owner: str = ' ref="x"') -> str:
    return beside(OTHER.format(ref, kind, owner))


def party(name: str, attributes: str) -> str:
    return transaction(more=f"<{name}-org {attributes}/>")


def items(*percentages: str) -> str:
    return beside(ITEMS.format("".join(f'<budget-item code="{at}"{one}/>' for at, one in enumerate(percentages))))


#: rule id -> (breaks it, does not)
MORE = {
    "1.5.1": (party("receiver", 'ref="x" receiver-activity-id=" x"'), party("receiver", 'ref="x" receiver-activity-id="x"')),
    "1.6.1": (other(ref="x ", kind="A3"), other(ref="x ", kind="A1")),
    "1.9.1": (changed('role="1"', 'role="1" activity-id="x "'), changed('role="1"', 'role="1" activity-id="x"')),
    "1.10.1": (party("provider", 'ref="x "'), party("provider", 'ref="x"')),
    "1.11.1": (other(owner=' ref=" x"'), other()),
    "1.11.13": (other(owner=' ref="x&amp;y"'), other()),
    "1.14.1": (changed('<reporting-org ref="GB-COH-000001"', '<reporting-org ref="GB-COH-000001 "'), ACTIVITY),
    "1.15.1": (party("receiver", 'ref=" x"'), party("receiver", 'ref="x"')),
    "1.15.13": (party("receiver", 'ref="x?"'), party("receiver", 'ref="x"')),
    "1.16.1": (other(ref=" x", kind="B1"), other(ref=" x", kind="A1")),
    "6.8.1": (other(owner=""), other()),
    "6.9.2": (party("receiver", ""), party("receiver", 'ref="x"')),
    "7.9.1": (items("", ""), items(' percentage="50"', ' percentage="50"')),
    "7.9.4": (items(' percentage="50"'), items("")),
    "8.6.1": (indicator("1", "", start="2026-01-01"), indicator("1", "")),
    "8.9.1": (indicator("1", "<target/>"), indicator("1", '<target value="1"/>')),
    "8.9.2": (indicator("2", '<target value="x"/>'), indicator("5", '<target value="x"/>')),
    "8.9.3": (indicator("5", '<target value="1"/>'), indicator("5", "<target/>")),
    "8.10.1": (indicator("3", "<actual/>"), indicator("5", "<actual/>")),
    "8.10.2": (indicator("4", '<actual value="1,5"/>'), indicator("4", '<actual value=" -1.5 "/>')),
    "8.10.3": (indicator("5", '<actual value=""/>'), indicator("1", '<actual value="1"/>')),
    "11.1.2": (
        added("activity-date", '<activity-date type="1" iso-date="2025-02-02"/><activity-date type="3" iso-date="2025-02-01"/>'),
        added("activity-date", '<activity-date type="1" iso-date="2025-02-01"/><activity-date type="3" iso-date="2025-02-01"/>'),
    ),
    "11.1.5": (
        added("activity-date", '<activity-date type="4" iso-date="2026-07-01"/>'),
        added("activity-date", '<activity-date type="3" iso-date="2026-07-01"/>'),
    ),
    "12.2.1": (items(' percentage="101"'), items(' percentage="100"')),
    "107.1.1": (beside('<default-aid-type vocabulary="2" code="1"/>'), beside('<default-aid-type code="A01"/>')),
    "107.2.1": (transaction(more='<aid-type vocabulary="2" code="1"/>'), transaction(more='<aid-type code="A01"/>')),
}
MORE_OF_ORGANISATIONS = {
    "1.12.13": (changed("GB-COH-000001</org", "GB|COH</org", ORGANISATION), ORGANISATION),
    "1.17.1": (added("reporting-org", GRANT.format("x "), ORGANISATION), added("reporting-org", GRANT.format("x"), ORGANISATION)),
    "1.18.1": (changed('ref="GB-COH-000001"', 'ref=" GB-COH-000001"', ORGANISATION), ORGANISATION),
    "1.18.13": (changed('ref="GB-COH-000001"', 'ref="GB-COH-00/1"', ORGANISATION), ORGANISATION),
}
#: Rules of earlier versions only: version 2.02.
EARLIER = {
    "12.1.2": (changed('code="KE"', 'code="KE" percentage="-1"'), changed('code="KE"', 'code="KE" percentage="101"')),
    "12.2.2": (items(' percentage="-1"'), items(' percentage="101"')),
    "12.3.2": (changed('code="14030"', 'code="14030" percentage="-0.1"'), changed('code="14030"', 'code="14030" percentage="100"')),
}


@pytest.mark.parametrize("rule", MORE)
def test_activities(rule: str) -> None:
    breaks, keeps = MORE[rule]
    assert rule in report(breaks).codes
    assert rule not in report(keeps).codes


@pytest.mark.parametrize("rule", MORE_OF_ORGANISATIONS)
def test_organisations(rule: str) -> None:
    breaks, keeps = MORE_OF_ORGANISATIONS[rule]
    assert rule in validate(organisations_of(breaks), as_of=TODAY).codes
    assert rule not in validate(organisations_of(keeps), as_of=TODAY).codes


@pytest.mark.parametrize("rule", EARLIER)
def test_rules_of_earlier_versions(rule: str) -> None:
    breaks, keeps = EARLIER[rule]
    assert rule in report(breaks, version="2.02").codes
    assert rule not in report(keeps, version="2.02").codes


def test_no_rule_is_without_a_case() -> None:
    known = {rule.id for version in VERSIONS for rule in rules(version)}
    assert known <= {*ACTIVITIES, *ORGANISATIONS, *MORE, *MORE_OF_ORGANISATIONS, *EARLIER}


def test_a_wrong_value_is_found_however_often_and_wherever_it_stands() -> None:
    """What has been found right is remembered; what is wrong never is, and stands in document order."""
    wrong = "".join(
        f'<participating-org role="1" type="{kind}" ref="{ref}"/>' for kind, ref in (("21", "a"), ("x", "b "), ("21", "c "), ("x", "a"))
    )
    made = report(beside(wrong), ACTIVITY.replace("-A1<", "-A2<"), beside(wrong).replace("-A1<", "-A3<"))
    found = [
        (one.index, one.id, [context.xpath.rpartition("/p")[2] for context in one.contexts])
        for one in made.findings
        if one.severity != "critical"
    ]
    code, spaces = next(one.id for one in made.findings if one.codelist), "1.8.1"
    assert found == [
        (index, rule, [f"articipating-org[{number}]/@{attribute}"])
        for index in (0, 2)
        for rule, number, attribute in ((code, 3, "type"), (code, 5, "type"), (spaces, 3, "ref"), (spaces, 4, "ref"))
    ]


def test_only_those_with_two_of_them_have_more_than_one() -> None:
    one, two = '<aid-type code="A01"/>', '<aid-type code="A01"/><aid-type code="A02"/>'
    activity = transaction(more=one)
    for more in (two, one, two):
        activity = added(
            "transaction",
            transaction(more=more).partition("<transaction>")[2].join(("<transaction>", "")).replace("</iati-activity>", "").strip(),
            activity,
        )
    paths = [context.xpath for finding in report(activity).findings if finding.id == "107.2.2" for context in finding.contexts]
    assert paths == [
        "/iati-activities/iati-activity[1]/transaction[2]/aid-type[1]",
        "/iati-activities/iati-activity[1]/transaction[4]/aid-type[1]",
    ]

# ruff: noqa: E501 - XML reads better on one line
"""Rules by their ids: a case that breaks each and one that does not. The untouched activity and organisation break none."""

import pytest

from iati_platform.validator import Report, validate
from tests.validator.files import ACTIVITY, ORGANISATION, TODAY, added, changed, file_of, organisations_of, report

BUDGET = '<budget><period-start iso-date="{}"/><period-end iso-date="{}"/><value value-date="2025-01-01"{}>1</value></budget>'
TRANSACTION = (
    '<transaction><transaction-type code="2"/><transaction-date iso-date="{date}"/>'
    '<value value-date="{value_date}">1</value>{more}</transaction>'
)
RESULT = (
    '<result type="1"><title><narrative>r</narrative></title>{reference}<indicator measure="{measure}"><title><narrative>i</narrative></title>'
    '{inner}<baseline year="2020"{value}/></indicator></result>'
)


def transaction(date: str = "2025-05-05", value_date: str = "2025-05-05", more: str = "") -> str:
    return added("sector", TRANSACTION.format(date=date, value_date=value_date, more=more))


def result(measure: str = "1", value: str = ' value="1"', reference: str = "", inner: str = "") -> str:
    return added("sector", RESULT.format(measure=measure, value=value, reference=reference, inner=inner))


def period(start: str, end: str) -> str:
    return added("sector", BUDGET.format(start, end, ""))


def country(*percentages: str) -> str:
    countries = "".join(f'<recipient-country code="{code}"{p}/>' for code, p in zip(("KE", "UG", "TZ"), percentages, strict=False))
    return changed('<recipient-country code="KE"/>', countries)


def sectors(*parts: str) -> str:
    return changed('<sector vocabulary="1" code="14030"/>', "".join(f"<sector {part}" for part in parts))


PROVIDER = "<provider-org{}>{}</provider-org>"

#: rule id -> (breaks it, does not)
ACTIVITIES = {
    "1.1.3": (changed("GB-COH-000001-A1", "GB-COH-000001"), ACTIVITY),
    "1.1.21": (changed("GB-COH-000001-A1", "XX-1"), added("activity-status", "", ACTIVITY)),
    "1.3.1": (changed("GB-COH-000001-A1<", "GB-COH-000001-A1\n<"), ACTIVITY),
    "1.3.13": (changed("GB-COH-000001-A1", "GB-COH-000001-A/1"), ACTIVITY),
    "1.4.1": (
        transaction(more=PROVIDER.format(' provider-activity-id="x "', "")),
        transaction(more=PROVIDER.format(' provider-activity-id="x"', "")),
    ),
    "1.7.1": (added("sector", '<related-activity ref=" x" type="1"/>'), added("sector", '<related-activity ref="x" type="1"/>')),
    "1.8.1": (changed('role="1" ref="GB', 'role="1" ref=" GB'), ACTIVITY),
    "1.8.13": (changed('role="1" ref="GB-COH-000001"', 'role="1" ref="A|B"'), changed('role="1" ref="GB-COH-000001"', 'role="1" ref="A"')),
    "1.10.13": (transaction(more=PROVIDER.format(' ref="a?b"', "")), transaction(more=PROVIDER.format(' ref="a"', ""))),
    "1.14.8": (changed("GB-COH-", "ZZ-NO-"), ACTIVITY),
    "1.14.13": (changed('<reporting-org ref="GB-COH-000001"', '<reporting-org ref="GB-COH-0000&amp;1"'), ACTIVITY),
    "2.1.1": (
        sectors('code="14030"/>', 'vocabulary="1" code="11110" percentage="100"/>'),
        sectors('code="14030" percentage="50"/>', 'code="11110" percentage="50"/>'),
    ),
    "2.1.2": (
        sectors('code="14030" percentage="50"/>', 'code="11110" percentage="49"/>'),
        sectors('code="14030" percentage="33.33"/>', 'code="11110" percentage="66.67"/>'),
    ),
    "2.1.4": (sectors('code="14030" percentage="50"/>'), sectors('code="14030" percentage="100.0"/>')),
    "2.2.1": (
        sectors('code="14030"/>', 'vocabulary="99" code="x"/>'),
        sectors('code="14030"/>', 'vocabulary="99" code="x"><narrative>x</narrative></sector>'),
    ),
    "3.1.1": (country("", ' percentage="100"'), country(' percentage="10"', ' percentage="90"')),
    "3.1.2": (country(' percentage="50"', ' percentage="49"'), country(' percentage="10"', ' percentage="90"')),
    "3.1.4": (country(' percentage="50"'), country(' percentage="100"')),
    "3.4.1": (
        changed('<recipient-country code="KE"/>', '<recipient-region code="298"/><recipient-region code="289" percentage="100"/>'),
        changed('<recipient-country code="KE"/>', '<recipient-region code="298"/>'),
    ),
    "3.4.2": (
        changed(
            '<recipient-country code="KE"/>', '<recipient-country code="KE" percentage="50"/><recipient-region code="298" percentage="49"/>'
        ),
        changed(
            '<recipient-country code="KE"/>', '<recipient-country code="KE" percentage="50"/><recipient-region code="298" percentage="50"/>'
        ),
    ),
    "3.4.4": (
        changed('<recipient-country code="KE"/>', '<recipient-region vocabulary="1" code="298" percentage="50"/>'),
        changed('<recipient-country code="KE"/>', '<recipient-region vocabulary="1" code="298" percentage="100"/>'),
    ),
    "3.6.2": (transaction(more='<recipient-country code="KE"/>'), transaction()),
    "3.7.1": (changed('<recipient-country code="KE"/>', ""), ACTIVITY),
    "3.7.2": (
        changed('<recipient-country code="KE"/>', "", transaction()),
        transaction(more='<recipient-country code="KE"/>').replace('<recipient-country code="KE"/>', "", 1),
    ),
    "4.1.1": (changed(' xml:lang="en"', ""), changed("<narrative>", '<narrative xml:lang="en">', changed(' xml:lang="en"', ""))),
    "4.3.1": (changed("<narrative>Wells<", "<narrative> <"), ACTIVITY),
    "4.4.1": (changed("<narrative>Wells for schools<", "<narrative><"), ACTIVITY),
    "6.2.2": (changed('<sector vocabulary="1" code="14030"/>', ""), ACTIVITY),
    "6.6.2": (transaction(more='<sector code="14030"/>'), transaction()),
    "6.7.2": (
        changed(
            '<sector vocabulary="1" code="14030"/>',
            "",
            added(
                "transaction", TRANSACTION.format(date="2025-05-05", value_date="2025-05-05", more='<sector code="14030"/>'), transaction()
            ),
        ),
        changed('<sector vocabulary="1" code="14030"/>', "", transaction(more='<sector code="14030"/>')),
    ),
    "6.9.1": (transaction(more=PROVIDER.format("", "")), transaction(more=PROVIDER.format("", "<narrative>x</narrative>"))),
    "6.10.1": (changed(' ref="GB-COH-000001" type="21"><narrative>Org</narrative></participating-org>', "></participating-org>"), ACTIVITY),
    "6.11.1": (changed('type="2" iso', 'type="3" iso'), changed('type="2" iso', 'type="1" iso')),
    "6.13.1": (
        added("sector", '<policy-marker vocabulary="99" code="1"/>'),
        added("sector", '<policy-marker vocabulary="1" code="1" significance="1"/>'),
    ),
    "6.14.1": (added("sector", '<policy-marker code="1"/>'), added("sector", '<policy-marker code="1" significance="1"/>')),
    "7.5.3": (period("2025-01-01", "2026-06-01"), period("2024-01-01", "2024-12-31")),
    "7.8.1": (changed(' default-currency="EUR"', "", transaction()), changed(' default-currency="EUR"', "")),
    "7.9.2": (
        added(
            "sector",
            '<country-budget-items vocabulary="2"><budget-item code="1" percentage="50"/><budget-item code="2" percentage="49"/></country-budget-items>',
        ),
        added(
            "sector",
            '<country-budget-items vocabulary="2"><budget-item code="1" percentage="50"/><budget-item code="2" percentage="50"/></country-budget-items>',
        ),
    ),
    "8.6.3": (period("2025-02-01", "2025-01-01"), period("2025-01-01", "2025-01-01")),
    "8.8.1": (result(value=""), result()),
    "8.8.2": (result(value=' value="about 5"'), result(value="")),
    "8.8.3": (result(measure="5"), result(measure="5", value="")),
    "8.11.1": (
        result(reference='<reference vocabulary="1" code="1"/>', inner='<reference vocabulary="1" code="1"/>'),
        result(inner='<reference vocabulary="1" code="1"/>'),
    ),
    "9.3.1": (changed('default-currency="EUR"', 'default-currency="ECU1"'), ACTIVITY),
    "9.50.1": (changed('country code="KE"', 'country code="ke"'), ACTIVITY),
    "9.76.1": (sectors('code="99"/>'), sectors('vocabulary="99" code="99"/>', 'code="14030"/>')),
    "9.77.1": (sectors('vocabulary="2" code="99"/>'), sectors('vocabulary="2" code="111"/>')),
    "9.95.1": (changed('xml:lang="en"', 'xml:lang="xx"', ACTIVITY), ACTIVITY),
    "11.1.1": (changed("2026-01-02T", "2026-07-01T"), changed("2026-01-02T", "2026-06-30T")),
    "11.1.3": (
        added("activity-date", '<activity-date type="4" iso-date="2024-01-01"/>'),
        added("activity-date", '<activity-date type="4" iso-date="2025-01-01"/>'),
    ),
    "11.1.4": (changed("2025-01-01", "2026-07-01"), changed("2025-01-01", "2026-06-30")),
    "11.2.1": (transaction(date="2026-07-01"), transaction(date="2026-06-30")),
    "11.2.2": (transaction(value_date="2026-07-01"), transaction(value_date="2026-06-30")),
    "12.1.1": (country(' percentage="101"'), country(' percentage="100"')),
    "12.3.1": (sectors('code="14030" percentage="-1"/>'), ACTIVITY),
    "102.1.1": (sectors('vocabulary="2" code="111"/>'), ACTIVITY),
    "107.1.2": (
        added("sector", '<default-aid-type code="A01"/><default-aid-type code="B01"/>'),
        added("sector", '<default-aid-type code="A01"/>'),
    ),
    "107.2.2": (
        transaction(more='<aid-type vocabulary="2" code="1"/><aid-type vocabulary="2" code="2"/>'),
        transaction(more='<aid-type code="A01"/><aid-type vocabulary="2" code="1"/>'),
    ),
}
TOTAL = '<total-budget><period-start iso-date="{}"/><period-end iso-date="{}"/><value{} value-date="2025-01-01">1</value></total-budget>'
COUNTRY_BUDGET = (
    '<recipient-country-budget><recipient-country code="KE"/><period-start iso-date="2025-01-01"/><period-end iso-date="2025-12-31"/>'
    '<value value-date="2025-01-01">1</value><budget-line><value value-date="2025-02-01">1</value></budget-line>'
    '<budget-line><value value-date="{}">1</value></budget-line></recipient-country-budget>'
)
ORGANISATIONS = {
    "1.12.1": (changed("<organisation-identifier>", "<organisation-identifier> ", ORGANISATION), ORGANISATION),
    "1.18.8": (changed('ref="GB-COH-', 'ref="GB-', ORGANISATION), ORGANISATION),
    "4.5.1": (changed(' xml:lang="en"', "", ORGANISATION), ORGANISATION),
    "7.5.3": (
        added("reporting-org", TOTAL.format("2025-01-01", "2026-01-02", ""), ORGANISATION),
        added("reporting-org", TOTAL.format("2025-01-01", "2026-01-01", ""), ORGANISATION),
    ),
    "7.8.2": (
        changed(' default-currency="EUR"', "", added("reporting-org", TOTAL.format("2025-01-01", "2025-01-02", ""), ORGANISATION)),
        ORGANISATION,
    ),
    "8.6.3": (added("reporting-org", TOTAL.format("2025-01-02", "2025-01-01", ""), ORGANISATION), ORGANISATION),
    "9.104.1": (
        added("reporting-org", COUNTRY_BUDGET.format("2025-03-01").replace("<value ", '<value currency="x" ', 1), ORGANISATION),
        ORGANISATION,
    ),
    "11.3.1": (
        added("reporting-org", COUNTRY_BUDGET.format("2024-03-01"), ORGANISATION),
        added("reporting-org", COUNTRY_BUDGET.format("2025-03-01"), ORGANISATION),
    ),
    "11.4.1": (changed("2026-01-02T", "2027-01-02T", ORGANISATION), ORGANISATION),
}


def test_the_good_files_have_no_findings() -> None:
    assert report(ACTIVITY).counts == {}
    assert validate(organisations_of(ORGANISATION), as_of=TODAY).counts == {}


@pytest.mark.parametrize("rule", ACTIVITIES)
def test_activities(rule: str) -> None:
    breaks, keeps = ACTIVITIES[rule]
    assert rule in report(breaks).codes
    assert rule not in report(keeps).codes


@pytest.mark.parametrize("rule", ORGANISATIONS)
def test_organisations(rule: str) -> None:
    breaks, keeps = ORGANISATIONS[rule]
    assert rule in validate(organisations_of(breaks), as_of=TODAY).codes
    assert rule not in validate(organisations_of(keeps), as_of=TODAY).codes


def test_rules_of_other_versions_come_with_their_data() -> None:
    percent = country(' percentage="-1"')
    assert {code for code in report(percent, version="2.02").codes if code.startswith("12.")} == {"12.1.2"}
    assert {code for code in report(percent, version="2.03").codes if code.startswith("12.")} == {"12.1.1"}
    old = '<iati-activity><reporting-org ref="A" type="21">o</reporting-org><activity-date type="start-actual" iso-date="2030-01-01">x</activity-date></iati-activity>'
    assert "11.1.4" in report(old, version="1.04").codes


@pytest.mark.parametrize(
    ("language", "right"), [("en", True), ("EN", True), ("en-GB", True), ("", True), ("xx", False), ("english", False)]
)
def test_languages_are_language_tags(language: str, right: bool) -> None:
    assert ("9.95.1" not in report(changed("<narrative>Wells<", f'<narrative xml:lang="{language}">Wells<')).codes) is right


def file_level(made: Report) -> list[tuple[str, str, int]]:
    return [(finding.id, finding.severity, finding.contexts[0].line) for finding in made.findings if finding.index < 0]


def test_findings_about_the_whole_file() -> None:
    assert file_level(validate(b"<x>")) == [("0.1.1", "critical", 1)]
    assert file_level(validate(b"<x/>")) == [("0.2.1", "critical", 1)]
    assert file_level(validate(file_of(ACTIVITY, version="7"))) == [("0.6.1", "critical", 1)]
    assert file_level(validate(file_of(ACTIVITY, "<odd/>"), as_of=TODAY)) == [("0.3.1", "critical", 13)]
    assert file_level(validate(file_of(), as_of=TODAY)) == [("0.3.1", "critical", 1)]


def test_a_repeated_identifier_is_told_once_with_every_repetition() -> None:
    made = report(ACTIVITY, ACTIVITY, ACTIVITY)
    assert [element.identifier for element in made.elements] == ["GB-COH-000001-A1", "GB-COH-000001-A1(2)", "GB-COH-000001-A1(3)"]
    (finding,) = made.findings
    assert (finding.id, [context.line for context in finding.contexts]) == ("1.1.2", [13, 24])


def test_the_schema_is_judged_per_activity() -> None:
    made = report(ACTIVITY, changed("GB-COH-000001-A1", "GB-COH-000001-A2").replace("<title>", "<tittle>").replace("</title>", "</tittle>"))
    assert [element.valid for element in made.elements] == [True, False]
    (finding,) = [finding for finding in made.findings if finding.id == "0.3.1"]
    assert finding.index == 1
    assert [(context.line, context.column, context.xpath) for context in finding.contexts] == [
        (16, 1, "/iati-activities/iati-activity[2]/tittle")
    ]


def test_contexts_say_where_and_what() -> None:
    made = report(
        changed('<sector vocabulary="1" code="14030"/>', '<sector vocabulary="1" code="14030" percentage="100"/>\n <sector code="1"/>')
    )
    (finding,) = [finding for finding in made.findings if finding.id == "9.76.1"]
    (context,) = finding.contexts
    assert (context.line, context.column, context.xpath, context.element) == (
        12,
        16,
        "/iati-activities/iati-activity[1]/sector[2]/@code",
        "code of sector 2",
    )
    assert context.text == '"1" is not a valid value for attribute @code, in element <sector> and linked @vocabulary = 1'
    assert finding.codelist == "Sector"

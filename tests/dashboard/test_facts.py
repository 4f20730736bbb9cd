"""Facts of small files, whole values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from iati_platform import reading
from iati_platform.dashboard.facts import FactsBuilder
from iati_platform.dashboard.facts.builder import FLAGS
from iati_platform.dashboard.facts.vocabulary import DATES, XSD_DATES, amount, amounts, file_version, is_absolute_url
from iati_platform.standard import VERSIONS


def facts(data: bytes) -> dict[str, Any]:
    source = reading.read(data)
    builder = FactsBuilder(source)
    for record in source.records():
        builder.add(record, admitted=record.schema_valid)
    found: dict[str, Any] = orjson.loads(builder.finish())
    return found


def activities(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(found["fields"], each, strict=True)) for each in found["activities"]]


def passed(found: dict[str, Any], field: str, number: int = 0) -> set[str]:
    """Names of the tests that an activity passes."""
    bits = activities(found)[number][field]
    return {name for at, name in enumerate(found["tests"]) if bits >> at & 1}


def file(*inner: str, version: str = "2.03", attributes: str = 'default-currency="EUR"') -> bytes:
    """An activity file with one activity for each of `inner`."""
    each = "".join(f"<iati-activity {attributes}>{content}</iati-activity>" for content in inner)
    return f'<iati-activities version="{version}">{each}</iati-activities>'.encode()


FULL = """
<iati-identifier>XM-EX-1-A</iati-identifier>
<reporting-org ref="XM-EX-1" type="21"><narrative>Example</narrative></reporting-org>
<title><narrative xml:lang="en">Water</narrative></title>
<description><narrative>Wells</narrative></description>
<participating-org role="1" ref="XM-EX-1"/><participating-org role="4" ref="GB-COH-77"/>
<activity-status code="2"/>
<activity-date type="1" iso-date="2020-01-01"/><activity-date type="3" iso-date="2024-12-31"/>
<contact-info><email>a@example.org</email></contact-info>
<recipient-country code="KE" percentage="100"/>
<location><point><pos>-1.28 36.82</pos></point></location>
<sector code="72010" percentage="100"/>
<default-aid-type code="C01"/>
<budget type="1"><period-start iso-date="2020-01-01"/><period-end iso-date="2020-12-31"/><value value-date="2020-01-01">100</value></budget>
<budget type="2"><period-start iso-date="2021-01-01"/><period-end iso-date="x"/>
  <value currency="USD" value-date="2021-01-01">1,0</value></budget>
<capital-spend percentage="5"/>
<transaction><transaction-type code="2"/><transaction-date iso-date="2020-03-04"/>
  <value value-date="2020-03-04">10.10</value></transaction>
<transaction><transaction-type code="2"/><transaction-date iso-date="2020-03-05"/>
  <value value-date="2020-03-05">0.20</value></transaction>
<transaction humanitarian="1"><transaction-type code="3"/><transaction-date iso-date="2031-01-01"/>
  <value currency="USD" value-date="2030-12-01">5</value></transaction>
<transaction><transaction-type code="11"/><transaction-date iso-date="2020-05-01"/>
  <value value-date="2020-05-01">1</value>
  <provider-org ref="XM-EX-9" provider-activity-id="XM-EX-9-P"/><receiver-org ref="XM-EX-1"/></transaction>
<document-link url="https://example.org/a.pdf" format="application/pdf"><category code="A01"/></document-link>
<result type="1"><title><narrative>R</narrative></title><indicator measure="1"><title><narrative>I</narrative></title></indicator></result>
"""


def test_an_activity_is_reduced_to_what_any_day_needs() -> None:
    [activity] = activities(facts(file(FULL)))
    assert activity == {
        "identifier": "XM-EX-1-A",
        "hierarchy": "1",
        "status": "2",
        "flags": FLAGS["donor"] | FLAGS["incoming"] | FLAGS["one_country"] | FLAGS["humanitarian"],
        "any": activity["any"],
        "valid": activity["valid"],
        "planned_start": "2020-01-01",
        "actual_start": None,
        "planned_end": "2024-12-31",
        "actual_end": None,
        "last_transaction": "2031-01-01",
        "budgets": [["1", "2020-01-01", "2020-12-31", "EUR", 100], ["2", "2021-01-01", None, "USD", None]],
        "transactions": [
            ["2", "EUR", "2020-03", 0, 10.3, 2],
            ["3", "USD", "2031-01", "2030-12", 5, 1],
            ["11", "EUR", "2020-05", 0, 1, 1],
        ],
    }


def test_a_complete_activity_passes_the_tests_and_bad_values_are_not_valid_data() -> None:
    found = facts(file(FULL))
    everything = set(found["tests"])
    assert everything - passed(found, "any") == {"budget_not_provided", "activity-website", "conditions_attached", "recipient_language"}
    assert passed(found, "any") - passed(found, "valid") == {"budget"}  # one period end and one value are not valid


def test_an_empty_activity_passes_only_the_version() -> None:
    assert passed(facts(file("")), "any") == {"version"}
    assert passed(facts(file("", version="2.9")), "valid") == set()


@pytest.mark.parametrize(
    ("content", "test", "expected"),
    [
        ('<sector code="11110" percentage="60"/><sector code="11120" percentage="40"/>', "sector", True),
        ('<sector code="11110" percentage="60"/><sector code="11120" percentage="39.9"/>', "sector", False),
        ('<sector code="11110" percentage="60"/><sector vocabulary="2" code="111"/>', "sector", True),
        ('<transaction><transaction-type code="1"/><sector code="11110"/></transaction>', "sector", True),
        ('<recipient-country code="KE" percentage="50"/><recipient-region code="289" percentage="50"/>', "country_or_region", True),
        ('<recipient-country code="KE"/><recipient-region code="289"/>', "country_or_region", False),
        ('<sector code="99999"/>', "sector_dac", False),
        ('<sector vocabulary="2" code="720"/>', "sector_dac", True),
        ("<location><point><pos>0 0</pos></point></location>", "location_point_pos", False),
        ("<location><point><pos>91 0</pos></point></location>", "location_point_pos", False),
        ('<document-link url="example.org"><category code="A01"/></document-link>', "document-link", False),
        ('<activity-date type="1" iso-date="2020-02-30"/>', "activity-date", False),
        ('<activity-date type="3" iso-date="2020-02-28"/>', "activity-date", False),
        ('<iati-identifier>OLD-1</iati-identifier><other-identifier type="B1" ref="OLD"/>', "iati-identifier", True),
        ('<transaction><transaction-type code="3"/><value value-date="2020-01-01">1e3</value></transaction>', "transaction_spend", False),
        ('<transaction><transaction-type code="3"/><value value-date="2020-01-01"> 1 </value></transaction>', "transaction_spend", True),
        (
            '<recipient-country code="KE"/><title><narrative xml:lang="sw">M</narrative></title>'
            '<description><narrative xml:lang="en">W</narrative></description>',
            "recipient_language",
            True,
        ),
        (
            '<recipient-country code="KE"/><title><narrative xml:lang="fr">M</narrative></title>'
            '<description><narrative xml:lang="en">W</narrative></description>',
            "recipient_language",
            False,
        ),
    ],
)
def test_valid_data(content: str, test: str, expected: bool) -> None:
    assert (test in passed(facts(file(content)), "valid")) is expected


def test_a_budget_beside_budget_not_provided_is_told_from_one_without() -> None:
    attributes = 'budget-not-provided="1"'
    flags = [each["flags"] for each in activities(facts(file("", "<budget/>", attributes=attributes)))]
    assert [flag & 12 for flag in flags] == [FLAGS["budget_not_provided"], FLAGS["budget_not_provided_with_budget"]]
    assert "budget_not_provided" in passed(facts(file("", attributes=attributes)), "valid")


def test_1x_words_mean_what_2x_codes_mean() -> None:
    old = """<iati-identifier>A</iati-identifier><reporting-org ref="X">Me</reporting-org><title>T</title>
        <participating-org role="Extending" ref="X"/>
        <activity-date type="start-planned">2010-01-01</activity-date><activity-date type="end-actual" iso-date="2011-01-01"/>
        <transaction><transaction-type code="C"/><value value-date="2010-05-06">7</value></transaction>"""
    found = facts(file(old, version="1.03", attributes=""))
    [activity] = activities(found)
    assert (activity["planned_start"], activity["actual_end"], activity["last_transaction"]) == ("2010-01-01", "2011-01-01", "2010-05-06")
    assert activity["flags"] & FLAGS["donor"]
    assert {"title", "reporting-org", "transaction_commitment", "transaction_traceability"} <= passed(found, "valid")
    assert found["file_version"] == "1.01"


def test_counts_of_elements_codes_and_flags() -> None:
    found = facts(
        file(
            '<title><narrative/></title><sector code="11110"/><sector vocabulary="2" code="111"/><sector vocabulary="2" code=""/>',
            "<title/><transaction humanitarian='true'/><transaction humanitarian=''/>",
        )
    )["stats"]
    assert found["elements"]["1"] == {
        "iati-activity": 2,
        "iati-activity/@default-currency": 2,
        "iati-activity/title": 2,
        "iati-activity/title/narrative": 1,
        "iati-activity/sector": [1, 3],
        "iati-activity/sector/@code": [1, 2],
        "iati-activity/sector/@vocabulary": [1, 2],
        "iati-activity/transaction": [1, 2],
        "iati-activity/transaction/@humanitarian": 1,
    }
    assert found["codelist_values"] == {
        "iati-activity/@default-currency Currency": {"EUR": 2},
        "iati-activity/sector/@code Sector": {"11110": 1},
        "iati-activity/sector/@code SectorCategory": {"111": 1},
        "iati-activity/sector/@vocabulary SectorVocabulary": {"2": 2},
    }
    assert found["boolean_values"] == {"iati-activity/transaction/@humanitarian": {"true": 1}}


def test_elements_of_different_namespaces_spelled_alike_count_as_one() -> None:
    alike = '<q:x xmlns:q="urn:a" n="1"/><q:x xmlns:q="urn:b" n="1"/>'
    found = facts(file(alike, '<q:x xmlns:q="urn:b"/>'))["stats"]["elements"]["1"]
    assert (found["iati-activity/q:x"], found["iati-activity/q:x/@n"]) == ([2, 3], [1, 2])


def test_children_missing_from_some_transactions_stay_with_their_own() -> None:
    content = """
    <transaction><transaction-type code="3"/><value value-date="2020-01-01">1</value><value value-date="2021-02-01">2</value></transaction>
    <transaction><value value-date="2020-03-01" currency="USD">4</value><transaction-date iso-date="2020-04-01"/>
      <transaction-date iso-date="2020-05-01"/></transaction>
    <transaction><transaction-type code="C"/><transaction-date iso-date="2020-06-01"/></transaction>"""
    [activity] = activities(facts(file(content)))
    assert activity["transactions"] == [
        ["3", "EUR", "2021-02", 0, 2, 1],
        ["", "USD", "2020-04", "2020-03", 4, 1],
        ["C", "EUR", "2020-06", "", 0, 1],
    ]
    assert activity["last_transaction"] == "2021-02-01"


def test_organisations_named_in_activities() -> None:
    found = facts(file(FULL))["stats"]
    assert found["funding_org_transaction_stats"] == {"total_orgs": 1, "total_refs": 1, "total_full_refs": 1}
    assert found["implementing_org_transaction_stats"] == {
        "total_orgs": 1,
        "total_refs": 1,
        "total_full_refs": 1,
        "total_notself_refs": 1,
        "total_valid_refs": 1,
    }
    assert found["implementing_org_valid_prefixes"] == {"GB-COH": 1}
    assert found["provider_activity_id"] == {"XM-EX-9-P": 1}
    assert found["participating_orgs"] == {"XM-EX-1": 1, "GB-COH-77": 1}


def test_humanitarian_reporting_and_its_veto() -> None:
    scope = '<humanitarian-scope type="1" vocabulary="1-2" code="EQ-2015-000048-NPL"/>'
    transaction = '<transaction humanitarian="1"/>'
    assert facts(file(scope + transaction))["stats"]["humanitarian"] == {
        "is_humanitarian": 1,
        "is_humanitarian_by_attrib": 1,
        "is_humanitarian_by_sector": 0,
        "contains_humanitarian_scope": 1,
        "uses_glide_codes": 1,
        "uses_hrp_codes": 0,
    }
    vetoed = facts(file(scope + transaction, attributes='humanitarian="0"'))["stats"]["humanitarian"]
    assert (vetoed["is_humanitarian"], vetoed["contains_humanitarian_scope_without_humanitarian"]) == (0, 1)


def test_an_organisation_file() -> None:
    found = facts(
        b'<iati-organisations version="2.03"><iati-organisation><reporting-org ref="A"/></iati-organisation></iati-organisations>'
    )
    assert (found["stats"]["activities"], found["stats"]["organisations"], found["stats"]["reporting_orgs"]) == (0, 1, {"A": 1})
    assert "activities" not in found


@pytest.mark.parametrize(
    ("data", "problem"), [(b"", "empty"), (b"<iati-activities", "not-well-formed"), (file(FULL)[:-50], "not-well-formed")]
)
def test_a_file_that_cannot_be_read_says_why_and_counts_nothing(data: bytes, problem: str) -> None:
    found = facts(data)
    assert (found["problems"], "stats" in found) == ([problem], False)


def test_facts_do_not_depend_on_anything_but_the_file() -> None:
    assert facts(file(FULL, "", FULL)) == facts(file(FULL, "", FULL))


def test_many_different_activities_are_counted_in_bounded_pieces() -> None:
    found = facts(file(*[f"<title><narrative>{n}</narrative></title>" + "<sector code='11110'/>" * (n % 7) for n in range(3_000)]))["stats"]
    assert found["elements"]["1"]["iati-activity"] == 3_000
    assert found["elements"]["1"]["iati-activity/sector"] == [2_571, 8_994]
    assert found["codelist_values"]["iati-activity/sector/@code Sector"] == {"11110": 8_994}


def test_dates_and_amounts() -> None:
    assert [DATES[text] for text in ("2020-01-01T00:00:00Z", "2020-02-30", "01/02/2020", "", "12020-01-01")] == [
        "2020-01-01",
        "",
        "",
        "",
        "",
    ]
    assert [XSD_DATES[text] for text in (" 2020-01-01Z ", "2020-01-01+02:00", "2020-01-01T00:00:00", "2020-13-01")] == [
        True,
        True,
        False,
        False,
    ]
    assert [amount(text) is not None for text in (" 1.5 ", "-.5", "1,000", "1e3", "NaN", "1_0", "")] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert amounts([" 1", "2"]) == amounts(["1", "2 "]) == [1, 2]
    assert amounts(["1" * 40] * 40 + ["x"])[-2:] == [Decimal("1" * 40), None]
    assert [is_absolute_url(text) for text in ("https://a.org/x y", "https://a.org/x", "a.org", "http://")] == [False, True, False, False]
    assert [file_version(version, VERSIONS) for version in ("2.03", "2.04", "1.05", "")] == ["2.03", "1.01", "1.01", "1.01"]

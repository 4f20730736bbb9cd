"""Rulesets as data, and the numbered codelist rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from iati_platform import standard
from iati_platform.standard import RuleCase

A, O = "/iati-activities/iati-activity", "/iati-organisations/iati-organisation"  # noqa: E741
TWO = ("2.01", "2.02", "2.03")


def one(version: str, number: str) -> RuleCase:
    """The only case with this id."""
    (case,) = (case for case in standard.rules(version) if case.id == number)
    return case


def test_every_version_has_its_cases() -> None:
    assert [len(standard.rules(version)) for version in standard.VERSIONS] == [9, 9, 9, 9, 9, 89, 89, 107]
    newest = standard.rules("2.03")
    assert len({case.id for case in newest if case.foreach is None}) == 83
    assert len({case.id for case in newest}) == 89
    assert Counter(case.primitive for case in newest if case.foreach is None) == {
        "atleast_one": 13,
        "one_or_all": 5,
        "date_now": 2,
        "date_order": 14,
        "regex_matches": 8,
        "no_spaces": 15,
        "no_more_than_one": 3,
        "strict_sum": 2,
        "range": 5,
        "if_then": 18,
        "time_limit": 6,
        "between_dates": 1,
        "unique": 1,
        "startswith": 3,
    }
    assert sum(case.foreach is not None for case in newest) == 11


def test_a_case_says_what_is_asked_of_which_elements() -> None:
    prefix = one("2.03", "1.1.21")
    assert (prefix.severity, prefix.category, prefix.contexts, prefix.primitive) == ("warning", "identifiers", (A,), "startswith")
    assert dict(prefix.parameters) == {
        "prefix": ("reporting-org/@ref", "other-identifier[@type='B1']/@ref"),
        "separator": "-",
        "paths": ("iati-identifier",),
    }
    assert (prefix.foreach, prefix.substitute, prefix.versions) == (None, (), TWO)
    provider = one("2.03", "1.4.1")
    assert provider.contexts == (f"{A}/transaction/provider-org", f"{A}/planned-disbursement/provider-org")
    assert provider.context == f"{A}/transaction/provider-org | {A}/planned-disbursement/provider-org"
    regions = one("2.03", "3.4.2")
    assert (regions.foreach, regions.substitute) == ("recipient-region/@vocabulary", ("paths", "condition"))
    assert one("2.03", "7.9.1").versions == ("2.03",)


def test_rules_of_1x_bear_the_numbers_of_their_successors() -> None:
    cases = standard.rules("1.01")
    assert sorted(case.id for case in cases) == ["1.1.21", "11.1.2", "11.1.3", "11.1.4", "11.1.5", "11.2.1", "11.2.2", "8.6.1", "8.6.3"]
    assert one("1.05", "11.2.1").contexts == (f"{A}/transaction",)
    assert one("1.05", "11.2.1").versions == ("1.04", "1.05")
    assert one("1.05", "8.6.1").versions == standard.CODELIST_VERSIONS


def test_no_case_carries_words() -> None:
    for version in standard.VERSIONS:
        for case in standard.rules(version):
            assert "message" not in case.parameters
            assert set(case.link) <= {"url", "path"}


def test_codelist_rules_have_numbers_categories_and_keys_of_their_own() -> None:
    assert [len(standard.codelist_rules(version)) for version in TWO] == [81, 98, 124]
    for version in standard.VERSIONS:
        keys = [rule.key for rule in standard.codelist_rules(version)]
        assert len(keys) == len(set(keys)) == len(standard.mappings(version))
    newest = {rule.key: rule for rule in standard.codelist_rules("2.03")}
    sector = newest["iati-activity/sector/@code[vocabulary=1]"]
    assert (sector.id, sector.path, sector.attribute, sector.codelist, sector.category, sector.severity) == (
        "9.76.1",
        "iati-activity/sector",
        "code",
        "Sector",
        "classifications",
        "error",
    )
    assert (sector.vocabulary, sector.vocabulary_default, sector.vocabulary_attribute) == ("1", True, "vocabulary")
    twice = {number for number, count in Counter(rule.id for rule in newest.values()).items() if count > 1}
    assert twice == {"9.129.1", "9.130.1"}
    assert {key for key, rule in newest.items() if rule.id == "9.129.1"} == {
        "iati-activity/sector/@code[vocabulary=7]",
        "iati-activity/transaction/aid-type/@code[vocabulary=2]",
    }
    channel = newest["iati-activity/crs-add/channel-code/text()"]
    assert (channel.id, channel.attribute) == ("9.16.1", None)
    assert not [rule.key for version in TWO for rule in standard.codelist_rules(version) if rule.id == "9.0.1"]


def spec_rows(shared: Path, title: str) -> list[list[str]]:
    """Cells of the table under a heading of the validator's specification."""
    text = (shared / "spec/validator.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    # A bar inside code is not a cell border.
    return [[cell.strip() for cell in re.sub(r"`[^`]*`", lambda m: m[0].replace("|", "\0"), line).split("|")[1:-1]] for line in lines]


def parameters(case: RuleCase) -> str:
    """The parameters as the specification writes them."""

    def value(thing: object) -> str:
        return json.dumps(list(thing)) if isinstance(thing, tuple) else str(thing)

    return "; ".join(f"{name}={value(thing)}" for name, thing in case.parameters.items())


def test_the_cases_are_exactly_those_of_the_specification(shared: Path) -> None:
    written: Counter[tuple[str, ...]] = Counter()
    for number, severity, category, contexts, primitive, asked, versions in spec_rows(shared, "Ruleset rules"):
        places = [re.sub(r"^[AO](?=/|\[|$)", lambda m: {"A": A, "O": O}[m[0]], place) for place in contexts.strip("`").split(" ∪ ")]
        for version in TWO if versions == "all" else versions.split():
            row = (number, {"E": "error", "W": "warning"}[severity], category, " | ".join(places), primitive)
            written[version, *row, asked.strip("`").replace("\\\0", "|")] += 1
    shipped: Counter[tuple[str, ...]] = Counter()
    for version in TWO:
        for case in standard.rules(version):
            primitive = f"{case.primitive} LOOP `{case.foreach}`" if case.foreach else case.primitive
            shipped[version, case.id, case.severity, case.category, case.context, primitive, parameters(case)] += 1
    assert shipped == written


@pytest.mark.parametrize("version", TWO)
def test_the_codelist_rules_are_exactly_those_of_the_specification(shared: Path, version: str) -> None:
    written = set()
    for number, place, attribute, codelist, category, versions in spec_rows(shared, "Codelist rules"):
        if version not in versions.split():
            continue
        match = re.fullmatch(r"(\S+)(?: when (\S+)=(\S+) \((default \S+|no default)\))?", codelist)
        assert match is not None
        path = re.sub(r"^A(?=/|$)", "iati-activity", re.sub(r"^O(?=/|$)", "iati-organisation", place.strip("`")))
        path = {"/iati-activities": "", "/organisations": "", "/": "*"}.get(path, path)
        written.add((number, path, attribute, match[1], match[2], match[3], category))
    shipped = set()
    for rule in standard.codelist_rules(version):
        label = "text()" if rule.attribute is None else "@" + rule.attribute.replace(f"{{{standard.XML_NAMESPACE}}}", "xml:")
        linked = rule.vocabulary_attribute and rule.vocabulary_attribute.replace("../", "../@")
        shipped.add((rule.id, rule.path, label, rule.codelist, linked, rule.vocabulary, rule.category))
    assert shipped == written


def test_codelist_rules_of_1x_bear_the_numbers_of_the_same_place_later() -> None:
    rules = {rule.key: (rule.id, rule.codelist) for rule in standard.codelist_rules("1.05")}
    assert rules["iati-activity/sector/@code[vocabulary=DAC]"] == ("9.76.1", "Sector")
    assert rules["iati-activity/sector/@code[vocabulary=DAC-3]"] == ("9.77.1", "SectorCategory")
    assert rules["iati-activity/transaction/value/@currency"] == ("9.94.1", "Currency")
    assert rules["iati-activity/location/gazetteer-entry/@gazetteer-ref"] == ("9.0.1", "GazetteerAgency")

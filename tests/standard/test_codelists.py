"""Codelists, mappings and the tables kept by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from iati_platform import standard
from iati_platform.standard import FileKind


def test_every_version_has_its_lists() -> None:
    assert [len(standard.codelist_names(version)) for version in standard.VERSIONS] == [71, 71, 71, 71, 71, 69, 70, 70]
    assert "Vocabulary" in standard.codelist_names("1.03")
    assert "Vocabulary" not in standard.codelist_names("2.01")


def test_a_list_has_names_in_its_languages_categories_and_withdrawn_codes() -> None:
    sectors = standard.codelist("2.03", "Sector")
    assert (sectors.name, sectors.complete, sectors.categories) == ("Sector", True, "SectorCategory")
    assert Counter(code.status for code in sectors.codes.values()) == {"active": 295, "withdrawn": 30}
    education = sectors.codes["11110"]
    assert (education.category, education.status, education.withdrawn, set(education.names)) == ("111", "active", None, {"en", "fr"})
    assert [len(standard.codelist("2.03", name).codes) for name in ("Country", "Region", "Currency", "SectorCategory")] == [
        251,
        26,
        176,
        44,
    ]


def test_the_lists_that_are_not_complete_say_so() -> None:
    open_ended = [name for name in standard.codelist_names("2.03") if not standard.codelist("2.03", name).complete]
    assert open_ended == [
        "Country",
        "HumanitarianScopeType",
        "HumanitarianScopeVocabulary",
        "IndicatorVocabulary",
        "Language",
        "LoanRepaymentPeriod",
        "OrganisationIdentifier",
        "OrganisationRegistrationAgency",
    ]


def test_lists_of_a_version_go_before_shared_ones_and_old_versions_use_those_of_104() -> None:
    assert set(standard.codelist("1.05", "ActivityDateType").codes) == {"start-planned", "start-actual", "end-planned", "end-actual"}
    assert set(standard.codelist("2.03", "ActivityDateType").codes) == {"1", "2", "3", "4"}
    assert standard.codelist("1.01", "ActivityDateType") is standard.codelist("1.04", "ActivityDateType")
    assert standard.codelist("2.01", "Country") is standard.codelist("2.03", "Country")


def test_names_fall_back_to_english() -> None:
    assert standard.code_name("2.03", "ActivityStatus", "2") == "Implementation"
    assert standard.code_name("1.04", "ActivityStatus", "1", lang="fr") == "Planification"
    assert standard.code_name("2.03", "Country", "DZ", lang="sw") == "Algeria"
    assert standard.code_name("2.03", "Country", "QQ") is None
    assert standard.code_name("2.03", "Version", "2.03") is None
    with pytest.raises(KeyError, match=r"no codelist 'Nothing' in version 2\.03"):
        standard.code_name("2.03", "Nothing", "1")
    with pytest.raises(ValueError, match="not a version"):
        standard.codelist("3.01", "Country")


def test_registration_agencies_and_licences() -> None:
    agencies = standard.registration_agencies()
    assert len(agencies) == 539
    assert {"GB-COH", "XM-DAC", "US-EIN"} <= agencies
    licences = standard.licences()
    assert (len(licences), list(licences)[:3]) == (79, ["notspecified", "odc-pddl", "odc-odbl"])
    assert licences["cc-by-sa"].title == "Creative Commons Attribution Share-Alike"
    assert {licence.group for licence in licences.values()} == {"OKD Compliant", "Non-OKD Compliant", "OSI Approved", "Other"}


def test_mappings_name_places_lists_and_vocabularies() -> None:
    versions = standard.CODELIST_VERSIONS
    assert [len(standard.mappings(v)) for v in versions] == [70, 70, 81, 98, 124]
    assert [sum(m.vocabulary is not None for m in standard.mappings(v)) for v in versions] == [5, 5, 13, 14, 21]
    assert [len({m.codelist for m in standard.mappings(v)}) for v in versions] == [43, 43, 46, 51, 56]
    assert standard.mappings("1.02") is standard.mappings("1.04") or standard.mappings("1.02") == standard.mappings("1.04")
    sectors = [m for m in standard.mappings("2.03") if m.path == "iati-activity/sector" and m.attribute == "code"]
    assert [(m.vocabulary, m.vocabulary_default, m.vocabulary_attribute, m.codelist) for m in sectors] == [
        ("1", True, "vocabulary", "Sector"),
        ("2", False, "vocabulary", "SectorCategory"),
        ("7", False, "vocabulary", "UNSDG-Goals"),
        ("8", False, "vocabulary", "UNSDG-Targets"),
    ]
    items = [m for m in standard.mappings("2.02") if m.codelist == "BudgetIdentifier"]
    assert [(m.vocabulary, m.vocabulary_default, m.vocabulary_attribute) for m in items] == [("1", False, "../vocabulary")]
    special = [(m.path, m.kind, m.label, m.codelist) for m in standard.mappings("2.03") if m.path in ("", standard.EVERYWHERE)]
    assert special == [
        ("", FileKind.ACTIVITIES, "@version", "Version"),
        ("*", None, "@xml:lang", "Language"),
        ("", FileKind.ORGANISATIONS, "@version", "Version"),
    ]


@pytest.mark.parametrize("version", standard.VERSIONS)
def test_every_mapping_leads_to_a_list_and_most_to_a_place_of_the_version(version: str) -> None:
    lost = []
    for mapping in standard.mappings(version):
        assert standard.codelist(version, mapping.codelist).codes
        if mapping.kind is None:
            continue
        try:
            place = standard.element_tree(version, mapping.kind).find(mapping.path)
        except KeyError:
            lost.append(mapping)
            continue
        if not (place.text if mapping.attribute is None else mapping.attribute in place.attributes):
            lost.append(mapping)
    # 1.01 to 1.03 borrow from 1.04, which knows places that they do not have yet.
    assert bool(lost) == (version in ("1.01", "1.02", "1.03"))


def test_codes_names_and_states_are_those_of_the_official_lists(shared: Path) -> None:
    for version in standard.CODELIST_VERSIONS:
        compiled = json.loads((shared / f"standard/codelists/compiled-{version}.json").read_text(encoding="utf-8"))["codelists"]
        assert set(compiled) == set(standard.codelist_names(version))
        for name, theirs in compiled.items():
            ours = standard.codelist(version, name)
            assert (ours.complete, ours.categories) == (theirs["complete"], theirs["category_codelist"])
            # Two media types stand twice on FileFormat.
            assert list(ours.codes) == list(dict.fromkeys(item["code"] for item in theirs["items"]))
            for item in theirs["items"]:
                code = ours.codes[item["code"]]
                names = {language: " ".join(text.split()) for language, text in item["name"].items() if text.strip()}
                assert dict(code.names) == names, (name, code)
                withdrawn = item.get("withdrawal-date")
                # Some bear the date of their withdrawal and no state.
                assert code.status == item.get("status", "withdrawn" if withdrawn else "active")
                assert (code.category or "") == (item.get("category") or "")
                assert (code.withdrawn, code.activated) == (withdrawn, item.get("activation-date"))

"""Our schemas accept what they should, reject what they should, and name the place; and so do the official ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from lxml import etree

from iati_platform import standard
from iati_platform.standard import FileKind, specimens

PLACES = [(version, kind) for version in standard.VERSIONS for kind in FileKind]
ACTIVITY = """<iati-activities version="2.03"><iati-activity{attributes}><iati-identifier>XM-1</iati-identifier>
<reporting-org ref="XM" type="40"><narrative>We</narrative></reporting-org>
<title><narrative{narrative}>Water</narrative></title><description><narrative>For all</narrative></description>
<participating-org role="1"/><activity-status code="2"/><activity-date type="1" iso-date="{date}"/>
{more}</iati-activity></iati-activities>"""


def findings(schema: etree.XMLSchema, data: bytes | str) -> list[tuple[int, str | None, str]]:
    """Line, path and message of everything that is wrong."""
    accepted = schema.validate(etree.fromstring(data))
    assert accepted == (not schema.error_log)
    return [(entry.line, entry.path, entry.message) for entry in schema.error_log]


def activity(attributes: str = "", narrative: str = "", date: str = "2020-01-01", more: str = "") -> str:
    """A small 2.03 file."""
    return ACTIVITY.format(attributes=attributes, narrative=narrative, date=date, more=more)


def messages(data: str) -> list[str]:
    """What the 2.03 schema says about a file."""
    return [message for _, _, message in findings(standard.xml_schema("2.03", FileKind.ACTIVITIES), data)]


@pytest.mark.parametrize(("version", "kind"), PLACES)
def test_what_follows_the_declarations_is_accepted(version: str, kind: FileKind) -> None:
    schema = standard.xml_schema(version, kind)
    for seed in range(12):
        random = Random(f"{version} {kind} {seed}")
        specimen = specimens.valid(version, kind, random, fullness=seed / 20)
        for variation in specimens.VARIATIONS:
            variation(specimen, random)
        assert findings(schema, specimen.data()) == []


@pytest.mark.parametrize("defect", specimens.DEFECTS, ids=lambda defect: defect.__name__)
@pytest.mark.parametrize(("version", "kind"), PLACES)
def test_each_defect_is_rejected_where_it_is(version: str, kind: FileKind, defect: specimens.Defect) -> None:
    schema = standard.xml_schema(version, kind)
    for seed in range(6):
        random = Random(f"{version} {kind} {defect.__name__} {seed}")
        specimen = specimens.valid(version, kind, random, fullness=random.choice((0.1, 0.3, 0.5)))
        try:
            at = defect(specimen, random)
        except specimens.NoPlace:
            continue
        found = findings(schema, specimen.data())
        assert found, "accepted"
        assert found[0][1] == specimen.path(at)


def test_every_defect_finds_a_place_in_the_newest_version() -> None:
    for defect in specimens.DEFECTS:
        kind = FileKind.ORGANISATIONS if defect is specimens.foreign_attribute_refused else FileKind.ACTIVITIES
        random = Random(defect.__name__)
        assert defect(specimens.valid("2.03", kind, random, fullness=0.8), random) is not None


def test_a_small_file_is_valid_and_its_messages_are_those_of_libxml2() -> None:
    assert messages(activity()) == []
    assert messages(activity(date="soon")) == [
        "Element 'activity-date', attribute 'iso-date': 'soon' is not a valid value of the atomic type 'xs:date'."
    ]
    assert messages(activity(more="<title/>")) == [
        "Element 'title': This element is not expected. Expected is one of ( activity-date, contact-info, activity-scope, "
        "recipient-country, recipient-region, location, sector, tag, country-budget-items, humanitarian-scope )."
    ]


def test_xml_lang_is_a_language_or_empty_on_every_element() -> None:
    assert messages(activity(' xml:lang="en"', ' xml:lang=""')) == []
    bad = "attribute '{http://www.w3.org/XML/1998/namespace}lang': 'en_GB' is not a valid value of the local union type."
    assert messages(activity(narrative=' xml:lang="en_GB"')) == [f"Element 'narrative', {bad}"]
    # Not declared on this element, but any attribute with a declaration is checked.
    assert messages(activity(more='<activity-date type="2" iso-date="2020-01-01" xml:lang="en_GB"/>')) == [
        f"Element 'activity-date', {bad}"
    ]


def test_the_other_xml_attributes_are_known_too() -> None:
    assert messages(activity(' xml:space="preserve" xml:base="https://example.org/" xml:id="a"')) == []
    assert messages(activity(' xml:space="keep"')) == [
        "Element 'iati-activity', attribute '{http://www.w3.org/XML/1998/namespace}space': [facet 'enumeration'] "
        "The value 'keep' is not an element of the set {'default', 'preserve'}.",
    ]


def test_the_source_of_a_schema_is_complete_in_itself() -> None:
    for version, kind in PLACES:
        imports = etree.fromstring(standard.schema_source(version, kind)).findall("{*}import")
        assert [node.get("schemaLocation") for node in imports] == ["urn:iati-platform:xml-attributes"]
    assert etree.fromstring(standard.xml_attributes_source()).get("targetNamespace") == standard.XML_NAMESPACE


def test_a_file_that_points_to_a_schema_of_its_own_does_not_get_it_read(tmp_path: Path) -> None:
    own = tmp_path / "own.xsd"
    own.write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:own"><x:element name="n" type="x:int"/></x:schema>'
    )
    location = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:own {own}"'
    assert messages(activity(f" {location}", more='<n xmlns="urn:own">not a number</n>')) == []


def test_schemas_are_compiled_once_and_serve_several_threads() -> None:
    good, bad = activity(), activity(date="")

    def verdicts(_: int) -> tuple[bool, bool]:
        schema = standard.xml_schema("2.03", FileKind.ACTIVITIES)
        return schema.validate(etree.fromstring(good)), schema.validate(etree.fromstring(bad))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(verdicts, range(100))) == {(True, False)}
    assert standard.xml_schema("2.03", FileKind.ACTIVITIES) is standard.xml_schema("2.03", FileKind.ACTIVITIES)


@pytest.mark.parametrize(("version", "kind"), PLACES)
def test_the_official_schemas_find_the_same(shared: Path, version: str, kind: FileKind) -> None:
    official = etree.XMLSchema(file=str(shared / "standard/schemas" / version / f"{kind.value}-schema.xsd"))
    ours = standard.xml_schema(version, kind)
    for seed in range(20):
        random = Random(f"official {version} {kind} {seed}")
        specimen = specimens.valid(version, kind, random, fullness=0.3)
        for change in random.sample((*specimens.DEFECTS, *specimens.VARIATIONS), 3):
            try:
                change(specimen, random)
            except specimens.NoPlace:
                continue
        assert findings(ours, specimen.data()) == findings(official, specimen.data())


def test_published_files_are_judged_like_the_official_schemas_judge_them(shared: Path, corpus: Path) -> None:
    files = [path for path in sorted((corpus / "real").rglob("*.xml")) if path.stat().st_size < 60_000][::6]
    compared = 0
    for path in files:
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(recover=True))
        version = root.get("version") if root.get("version") in standard.VERSIONS else "2.03"
        for kind in (kind for kind in FileKind if root.tag == kind.value):
            official = etree.XMLSchema(file=str(shared / "standard/schemas" / version / f"{kind.value}-schema.xsd"))
            data = etree.tostring(root)
            assert findings(standard.xml_schema(version, kind), data) == findings(official, data), path.name
            compared += 1
    assert compared > 20

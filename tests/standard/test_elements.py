"""The element tree: what a version lets stand where."""

from __future__ import annotations

import pytest

from iati_platform import standard
from iati_platform.standard import FileKind

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SIZES = {
    "1.01": (75, 22),
    "1.02": (76, 23),
    "1.03": (98, 23),
    "1.04": (106, 23),
    "1.05": (106, 23),
    "2.01": (141, 39),
    "2.02": (154, 56),
    "2.03": (201, 58),
}


@pytest.mark.parametrize("version", standard.VERSIONS)
def test_every_version_has_its_own_number_of_places(version: str) -> None:
    assert tuple(standard.tree_size(version, kind) for kind in FileKind) == SIZES[version]


@pytest.mark.parametrize("kind", FileKind)
@pytest.mark.parametrize("version", standard.VERSIONS)
def test_places_are_numbered_in_document_order_and_know_their_parents(version: str, kind: FileKind) -> None:
    root = standard.element_tree(version, kind)
    places = list(root.walk())
    assert [place.index for place in places] == list(range(standard.tree_size(version, kind)))
    assert (root.name, root.path, root.parent, root.repeated) == (kind.value, "", None, False)
    for place in places[1:]:
        assert place.parent is not None
        assert place.parent.children[place.name] is place
        assert place.path == f"{place.parent.path}/{place.name}".lstrip("/")
        assert root.find(place.path) is place
        assert (place.foreign, place.label) == (False, place.name)


def test_a_place_knows_its_attributes_text_and_how_often_it_may_occur() -> None:
    root = standard.element_tree("2.03", FileKind.ACTIVITIES)
    value = root.find("iati-activity/transaction/value")
    assert (value.text, value.min_occurs, value.max_occurs, value.repeated) == ("xsd:decimal", 1, 1, True)
    assert [(a.name, a.label, a.type, a.required) for a in value.attributes.values()] == [
        ("currency", "currency", "xsd:string", False),
        ("value-date", "value-date", "xsd:date", True),
    ]
    narrative = root.find("iati-activity/title/narrative")
    assert (narrative.text, narrative.min_occurs, narrative.max_occurs, narrative.repeated) == ("xsd:string", 1, None, True)
    assert narrative.attributes[XML_LANG].label == "xml:lang"
    title = root.find("iati-activity/title")
    assert (title.text, title.max_occurs, title.repeated) == (None, 1, False)
    assert (root.find("iati-activity").max_occurs, root.find("iati-activity").repeated) == (None, False)


def test_types_that_extend_others_have_the_children_of_both() -> None:
    link = standard.element_tree("2.03", FileKind.ORGANISATIONS).find("iati-organisation/document-link")
    assert list(link.children) == ["title", "description", "category", "language", "document-date", "recipient-country"]
    assert list(link.attributes) == ["url", "format"]


def test_in_1x_text_stands_between_children_and_everything_repeats() -> None:
    activity = standard.element_tree("1.03", FileKind.ACTIVITIES).find("iati-activity")
    assert (activity.children["title"].text, activity.children["title"].repeated) == ("xsd:string", True)
    assert activity.children["activity-website"].text == "xsd:anyURI"
    assert {place.min_occurs for place in activity.children.values()} == {0}


def test_unknown_versions_and_places_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not a version of the IATI Standard: '2\.04'"):
        standard.element_tree("2.04", FileKind.ACTIVITIES)
    with pytest.raises(KeyError):
        standard.element_tree("2.03", FileKind.ACTIVITIES).find("iati-activity/nothing")

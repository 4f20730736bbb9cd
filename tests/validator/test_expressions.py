"""The XPath of rulesets means over light nodes what it means to lxml."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from iati_platform import reading
from iati_platform.standard import VERSIONS, rules
from iati_platform.validator import expressions
from iati_platform.validator.expressions import Families


def conditions() -> set[str]:
    return {
        str(case.parameters[name])
        for version in VERSIONS
        for case in rules(version)
        for name in ("if", "then", "condition")
        if name in case.parameters
    }


def paths() -> set[str]:
    found = {
        path
        for version in VERSIONS
        for case in rules(version)
        for path in (*case.parameters.get("paths", ()), *([case.foreach] if case.foreach else []))
    }
    return {path for path in found if ".." not in path and "text()" not in path}


vocabulary = st.sampled_from(["", ' vocabulary=""', ' vocabulary="1"', ' vocabulary="2"', ' vocabulary="99"'])
share = st.sampled_from(["", ' percentage="100"', ' percentage="50"', ' percentage="x"'])
leaf = st.builds(
    lambda tag, v, p: f"<{tag}{v}{p}/>",
    st.sampled_from(["sector", "recipient-country", "recipient-region", "default-aid-type", "aid-type", "narrative"]),
    vocabulary,
    share,
)
nested = st.builds(
    lambda tag, v, inner: f"<{tag}{v} value='5'>{''.join(inner)}</{tag}>",
    st.sampled_from(["transaction", "country-budget-items", "budget-item", "sector"]),
    vocabulary,
    st.lists(leaf, max_size=3),
)
activities = st.builds(
    lambda own, inner: f"<iati-activity{own}>{''.join(inner)}</iati-activity>",
    st.sampled_from(["", " value='3'", " value='x'"]),
    st.lists(st.one_of(leaf, nested), max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(activities)
def test_every_condition_and_path_of_the_rulesets(activity: str) -> None:
    (record,) = reading.read(f'<iati-activities version="2.03">{activity}</iati-activities>'.encode()).records()
    element = etree.fromstring(activity)
    for value in ("1", "2"):
        for text in conditions():
            wanted = bool(element.xpath(f"boolean({text.replace('$1', value)})"))
            for families in (None, Families(record)):
                assert bool(expressions.condition(text)(record.node, families, None, value)) is wanted, text
        for text in paths():
            expected = element.xpath(text.replace("$1", value))
            path = expressions.path(text)
            found = path.owners(record.node, Families(record), None, value)
            values = [str(item) for item in expected] if path.attribute else [item.text or "" for item in expected]
            assert [path.value(node) for node in found] == values, text


@pytest.mark.parametrize("text", ["a//b", "count(1)", "a[", "a and", "last()", "a | b", "ancestor::x", "'open", ""])
def test_what_is_not_supported_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        expressions.condition(text)

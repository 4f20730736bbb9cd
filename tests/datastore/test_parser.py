"""The query grammar: text to tree and back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iati_platform.datastore.query import QueryError, parse
from iati_platform.datastore.query.parser import COSTLY, MAX_CLAUSES, MAX_DEPTH
from iati_platform.datastore.query.syntax import (
    Boost,
    Clause,
    Everything,
    Exists,
    Fuzzy,
    Group,
    Node,
    Occur,
    Phrase,
    Range,
    Sign,
    Term,
    Wildcard,
    render,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a:b", "a:b"),
        ("a : b", "a:b"),
        ("a:b c:d", "(a:b c:d)"),
        ("a:b AND c:d", "(+a:b +c:d)"),
        ("a:b && c:d", "(+a:b +c:d)"),
        ("a:1 OR b:2 AND c:3", "(a:1 +b:2 +c:3)"),
        ("a:1 AND b:2 OR c:3", "(+a:1 +b:2 c:3)"),
        ("a:1 AND NOT b:2", "(+a:1 -b:2)"),
        ("NOT a:1 AND b:2", "(-a:1 +b:2)"),
        ("-a:b", "(-a:b)"),
        ("(-a:b)", "(-a:b)"),
        ("((a:b))", "a:b"),
        ("(*:* -f:v)", "(*:* -f:v)"),
        ("+ a:b", "(+a:b)"),
        ("+a:b -c:d !e:f", "(+a:b -c:d -e:f)"),
        ("a:(x y)", "(a:x a:y)"),
        ("a:(x OR y) AND b:z", "(+(a:x a:y) +b:z)"),
        ("a:(x b:y)", "(a:x b:y)"),
        ('a:"x y"', 'a:"x y"'),
        ('a:"x y" ~3', 'a:"x y"~3'),
        (r'a:"say \"no\""', r'a:"say \"no\""'),
        ("a:*", "a:*"),
        ("a:[* TO *]", "a:*"),
        ("*:*", "*:*"),
        ("*", "*:*"),
        ("a:*pov?rt*", "a:*pov?rt*"),
        ("a:160*", "a:160*"),
        (r"a:160\*", r"a:160\*"),
        ("a:[1 TO 2}", "a:[1 TO 2}"),
        ("a:{1 TO *]", "a:{1 TO *]"),
        ("a:[ * TO 5 ]", "a:[* TO 5]"),
        ("a:[NOW-1YEAR/DAY TO NOW]", "a:[NOW-1YEAR/DAY TO NOW]"),
        ('a:["x y" TO "z"]', 'a:["x y" TO z]'),
        ("p:[-1.5,2 TO 3,4]", "p:[-1.5,2 TO 3,4]"),
        ("a:b^2", "a:b^2.0"),
        ("a:(b c)^=3", "(a:b a:c)^3.0"),
        ("a:rome~", "a:rome~2"),
        ("a:rome~0.8", "a:rome~1"),
        ("a:rome~1", "a:rome~1"),
        ("d:2021-01-01T00:00:00Z", r"d:2021\-01\-01T00\:00\:00Z"),
        (r"d:2021-01-01T00\:00\:00Z", r"d:2021\-01\-01T00\:00\:00Z"),
        ("a:GB-GOV-1", r"a:GB\-GOV\-1"),
        ("a:x/y", r"a:x\/y"),
        ("a:ANDROID", "a:ANDROID"),
        (r"a:\AND", r"a:\AND"),
        ('a:""', 'a:""'),
    ],
)
def test_queries(text: str, wanted: str) -> None:
    node = parse(text)
    assert node is not None
    assert render(node) == wanted
    assert parse(wanted) == node


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a:1 b:2", "(+a:1 +b:2)"),
        ("a:1 OR b:2", "(a:1 b:2)"),
        ("a:1 OR b:2 c:3", "(a:1 b:2 +c:3)"),
        ("a:1 -b:2", "(+a:1 -b:2)"),
        ("a:(1 2)", "(+a:1 +a:2)"),
    ],
)
def test_with_default_operator_and(text: str, wanted: str) -> None:
    node = parse(text, "AND")
    assert node is not None
    assert render(node) == wanted


def test_a_default_field_takes_bare_words() -> None:
    assert parse("water b:c", default_field="iati_text") == Group(
        (Clause(Occur.SHOULD, Term("iati_text", "water")), Clause(Occur.SHOULD, Term("b", "c")))
    )


@pytest.mark.parametrize("text", ["", "  \t\n"])
def test_nothing_is_nothing(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["word", '"a phrase"', "a:", "a:(", "a:()", "a:b)", "(", ")", "AND a:b", "a:b AND", "a:b OR", "NOT", "a:[1 TO", "a:[1 2]", 'a:"x',
     "a:b:c", "a:/x.*/", "a:b^", "a:b^x", "a\\", "a:[TO 1]", "*:x", "a:]", "OR", "+", "a:b AND OR c:d", "[1 TO 2]", "a:{1 TO 2"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


def test_bounds() -> None:
    assert parse(" ".join(["a:b"] * MAX_CLAUSES)) is not None
    for text in (
        " ".join(["a:b"] * (MAX_CLAUSES + 1)),
        " ".join(["a:b*"] * (MAX_CLAUSES // COSTLY + 1)),
        "(" * (MAX_DEPTH + 1) + "a:b" + ")" * (MAX_DEPTH + 1),
        "a:" + "b" * 70_000,
    ):
        with pytest.raises(QueryError):
            parse(text)


@given(st.text(alphabet=string.ascii_lowercase + ' +-!&|(){}[]^"~*?:\\/.0TOANDR\n', max_size=40))
@settings(max_examples=400)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except QueryError:
        return
    if node is not None:
        assert parse(render(node)) == node


_names = st.text(alphabet="abc_x9-", min_size=1, max_size=5)
_texts = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=6)
_phrases = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=8)
_leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Term, _names, _texts),
    st.builds(Phrase, _names, _phrases, st.integers(0, 9)),
    st.builds(Fuzzy, _names, _texts, st.integers(0, 2)),
    st.builds(lambda f, a, b: Wildcard(f, (a, Sign.ANY, b, Sign.ONE)), _names, _texts, _texts),
    st.builds(Range, _names, _texts, st.one_of(st.none(), _texts), st.booleans(), st.just(True)),
    st.builds(Exists, _names),
    st.just(Everything()),
)
_occurs = st.sampled_from(Occur)


def _groups(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    clauses = st.lists(st.builds(Clause, _occurs, inner), min_size=2, max_size=4)
    return st.one_of(
        st.builds(lambda found: Group(tuple(found)), clauses),
        st.builds(Boost, inner.filter(lambda n: not isinstance(n, Boost)), st.floats(0.25, 99)),
    )


@given(st.recursive(_leaves, _groups, max_leaves=8))
def test_trees_come_back_from_their_text(node: Node) -> None:
    assert parse(render(node)) == node

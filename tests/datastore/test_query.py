"""What queries find, compared with a plain evaluation of the same tree over the returned documents."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iati_platform.datastore.analysis import tokens
from iati_platform.datastore.fields import Collection, FieldType, field_model
from iati_platform.datastore.query import QueryError, parse
from iati_platform.datastore.query.dates import span
from iati_platform.datastore.query.syntax import (
    Boost,
    Clause,
    Everything,
    Exists,
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
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.select import read_request, select
from iati_platform.datastore.values import instant
from tests.datastore.material import Activity, build, dataset, file_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

FILES = [
    (
        dataset("one"),
        file_of(
            Activity(
                "GB-GOV-1-201880", "Water for all", ("Second title, about schools",), countries=("AF", "KE"),
                sectors=(("11110", "60"), ("14010", "40")), updated="2020-01-02T11:23:00Z", hierarchy="1", humanitarian="1", currency="GBP",
                transactions=(("3", "2020-05-01", "100.5", "Pay the water bill"), ("4", "2020-06-01", "-7", "Again")),
                budgets=(("2020-01-01", "2020-12-31", "5000"),),
            ),
            Activity(
                "GB-GOV-1-201880-103", "Education", countries=("AF",), sectors=(("11110", "100"),), updated="2021-06-30T00:00:00Z",
                hierarchy="2", ref="XI-IATI-EC_INTPA", transactions=(("2", "2021-05-01", "2500", "Schools and water"),), currency="EUR",
            ),
            Activity("XX-1", "Éducation des filles", countries=("NE",), sectors=(("13.003", "100"),), humanitarian="0", currency="EUR"),
        ),
    ),
    (
        dataset("two"),
        file_of(
            Activity(
                "XX-2", "Health in rural areas", updated="1999-12-31T23:59:59Z", hierarchy="2",
                transactions=(("3", "1999-01-01", "1", "x"),),
            ),
            Activity("XX-3", "", budgets=(("2024-01-01", "2024-12-31", "1"), ("2025-01-01", "2025-12-31", "9999999")), currency="usd"),
            Activity("xx-3", "water", countries=("KE", "AF"), hierarchy="1", updated="2024-02-29T00:00:00Z"),
        ),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return build(tmp_path_factory.mktemp("query") / "search", FILES)


def found(reader: IndexReader, query: str, collection: str = "activity", **more: str) -> list[dict[str, Any]]:
    parameters = [
        ("q", query),
        ("rows", "1000"),
        ("scope", "all"),
        ("fl", "*"),
        *((name.replace("_", "."), value) for name, value in more.items()),
    ]
    return [one.document for one in select(reader, read_request(Collection(collection), parameters, NOW)).found]


def identifiers(reader: IndexReader, query: str, collection: str = "activity", **more: str) -> list[str]:
    return sorted(document["iati_identifier"] for document in found(reader, query, collection, **more))


ONE, TWO, NE, RURAL, NONE_, SMALL = "GB-GOV-1-201880", "GB-GOV-1-201880-103", "XX-1", "XX-2", "XX-3", "xx-3"
EVERY = sorted([ONE, TWO, NE, RURAL, NONE_, SMALL])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("*:*", EVERY),
        ("recipient_country_code:AF", [ONE, TWO, SMALL]),
        ("recipient_country_code:af", [ONE, TWO, SMALL]),
        ("recipient_country_code:(AF AND KE)", [ONE, SMALL]),
        ("recipient_country_code:(AF -KE)", [TWO]),
        ("-recipient_country_code:AF", [NE, RURAL, NONE_]),
        ("(*:* -recipient_country_code:AF)", [NE, RURAL, NONE_]),
        ("hierarchy:2 AND (-recipient_country_code:AF)", []),
        ("title_narrative:water", [ONE, SMALL]),
        ('title_narrative:"for all"', [ONE]),
        ('title_narrative:"water all"', []),
        ('title_narrative:"water all"~1', [ONE]),
        ('title_narrative:"all second"', []),
        ("title_narrative:éducation", [NE]),
        ("title_narrative:education", [TWO]),
        ("title_narrative:educatoin~", [TWO, NE]),
        ("title_narrative:wat*", [ONE, SMALL]),
        ("title_narrative:*ducat*", [TWO, NE]),
        ("title_narrative:w?ter", [ONE, SMALL]),
        ("title_narrative:*", [ONE, TWO, NE, RURAL, SMALL]),
        ("-title_narrative:[* TO *]", [NONE_]),
        ('iati_identifier:"GB-GOV-1-201880"', [ONE, TWO]),
        ("iati_identifier:GB-XX-9", EVERY),
        ("iati_identifier_exact:GB-GOV-1-201880", [ONE]),
        ("iati_identifier_exact:XX-3", [NONE_]),
        ('iati_identifier_exact:"XX-3" OR iati_identifier_exact:XX-2', [RURAL, NONE_]),
        ("iati_identifier_exact:GB-*", [ONE, TWO]),
        ("iati_identifier:GB-*", []),
        ("iati_identifier:2018*", [ONE, TWO]),
        ("iati_identifier:[gb TO gz]", [ONE, TWO]),
        ("reporting_org_ref:ec_intpa", [TWO]),
        ("reporting_org_ref:intpa", []),
        ("sector_code:13.003", [NE]),
        ("sector_code:13", []),
        ("sector_code:[11000 TO 12000]", [ONE, TWO]),
        ("sector_percentage:[50 TO *]", [ONE, TWO, NE]),
        ("sector_percentage:{60 TO 100}", []),
        ("sector_percentage:40", [ONE]),
        ("hierarchy:1", [ONE, SMALL]),
        ("humanitarian:true", [ONE]),
        ("humanitarian:0", [NE]),
        ("humanitarian:*", [ONE, NE]),
        ("last_updated_datetime:[2020-01-01T00:00:00Z TO 2021-01-01T00:00:00Z]", [ONE]),
        ("last_updated_datetime:2021-06-30T00:00:00Z", [TWO]),
        ('last_updated_datetime:"2020-01-02"', [ONE]),
        ("last_updated_datetime:2024", [SMALL]),
        ("last_updated_datetime:[NOW-5YEARS TO NOW]", [TWO, SMALL]),
        ("last_updated_datetime:[* TO 1999-12-31T24:00:00Z}", [RURAL]),
        ("transaction_value:[2000 TO *]", [TWO]),
        ("transaction_value:\\-7", [ONE]),
        ("budget_value:[* TO 1]", [NONE_]),
        ("iati_text:water", [ONE, TWO, SMALL]),
        ("iati_text:(health AND rural)", [RURAL]),
        ('iati_text:"water bill"', [ONE]),
        ("default_currency:usd", [NONE_]),
        ("iati_activities_document_id:" + dataset("two").id, sorted([RURAL, NONE_, SMALL])),
        ("no_such_field:x", []),
        ("no_such_field:* OR hierarchy:1", [ONE, SMALL]),
        ("title_narrative:... hierarchy:1", [ONE, SMALL]),
        ("title_narrative:water^5 hierarchy:2", [ONE, TWO, RURAL, SMALL]),
        ("indexed_datetime:[2026-03-01 TO 2026-03-02]", EVERY),
        ("id:*", EVERY),
    ],
)  # fmt: skip
def test_activities(reader: IndexReader, query: str, wanted: list[str]) -> None:
    assert identifiers(reader, query) == sorted(wanted)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("*:*", [ONE, ONE, TWO, RURAL]),
        ("transaction_value:[0 TO *]", [ONE, TWO, RURAL]),
        ("recipient_country_code:KE", [ONE, ONE]),
        ("-recipient_country_code:KE", [TWO, RURAL]),
        ("recipient_country_code:AF AND transaction_value:[2000 TO *]", [TWO]),
        ("recipient_country_code:KE OR transaction_value:1", [ONE, ONE, RURAL]),
        ("transaction_transaction_type_code:3 AND NOT recipient_country_code:KE", [RURAL]),
        ("hierarchy:2 AND -title_narrative:health", [TWO]),
        ("iati_text:water", [ONE, ONE, TWO]),
        ('iati_text:"water bill"', [ONE]),
        ("budget_value:[1 TO *]", [ONE, ONE]),
        ("(*:* -hierarchy:1)", [TWO, RURAL]),
        ("iati_identifier:*", [ONE, ONE, TWO, RURAL]),
        ("no_such_field:x", []),
    ],
)
def test_transactions(reader: IndexReader, query: str, wanted: list[str]) -> None:
    assert identifiers(reader, query, "transaction") == sorted(wanted)


def test_budgets(reader: IndexReader) -> None:
    assert [d["budget_value"] for d in found(reader, "-hierarchy:1", "budget", sort="budget_value desc")] == [[9999999.0], [1.0]]
    assert identifiers(reader, "transaction_value:100.5", "budget") == [ONE]


def test_operator_and_splits_and_filters(reader: IndexReader) -> None:
    assert identifiers(reader, "iati_identifier:GB-GOV-9", q_op="AND") == []
    assert identifiers(reader, "iati_identifier:GB-GOV-1", q_op="AND") == [ONE, TWO]
    assert identifiers(reader, "*:*", fq="recipient_country_code:AF") == [ONE, TWO, SMALL]
    assert identifiers(reader, "*:*", "transaction", fq="-recipient_country_code:KE") == [TWO, RURAL]


def test_an_id_finds_its_transaction(reader: IndexReader) -> None:
    for document in found(reader, "*:*", "transaction"):
        assert [one["id"] for one in found(reader, f"id:{document['id']}", "transaction")] == [document["id"]]
        assert found(reader, f"id:{document['id']}") == []


def test_rectangles_look_at_pairs(tmp_path: Path) -> None:
    places = [Activity("A", points=("10 10",)), Activity("B", points=("10 50", "50 10")), Activity("C", points=("10 179",)), Activity("D")]
    reader = build(tmp_path / "search", [(dataset("places"), file_of(*places))])
    assert identifiers(reader, "location_point_latlon:[0,0 TO 20,20]") == ["A"]
    assert identifiers(reader, "location_point_latlon:[0,0 TO 60,60]") == ["A", "B"]
    assert identifiers(reader, "location_point_latlon:[0,170 TO 20,-170]") == ["C"]
    assert identifiers(reader, 'location_point_latlon:"50,10"') == ["B"]
    assert identifiers(reader, "location_point_latlon:*") == ["A", "B", "C"]


@pytest.mark.parametrize(
    "query",
    ["transaction_value:abc", "hierarchy:1.5", "last_updated_datetime:soon", "last_updated_datetime:NOW-1FORTNIGHT", "transaction_value:1*",
     "last_updated_datetime:2020*", "location_point_latlon:[0,0 TO *]", "location_point_latlon:[100,0 TO 0,0]", "hierarchy:x~"],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_refused(reader: IndexReader, query: str) -> None:
    with pytest.raises(QueryError):
        found(reader, query)


# -- against a plain evaluation ------------------------------------------------------------------------------------------


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    return value if isinstance(value, list) else [value]


def _words(document: dict[str, Any], name: str) -> list[list[str]]:
    return [tokens(text) for text in _list(document, name)]


def _leaf(document: dict[str, Any], node: Node) -> bool | None:
    assert isinstance(node, Term | Phrase | Wildcard | Range | Exists)
    field = field_model()[node.field or ""]
    values = _list(document, field.name)
    if isinstance(node, Exists):
        return any(value != "" for value in values)
    if field.type in (FieldType.TEXT, FieldType.CODE):
        words = _words(document, field.name)
        match node:
            case Term(_, text):
                wanted = tokens(text)
                return any(word in one for word in wanted for one in words) if wanted else None
            case Phrase(_, text, _):
                wanted = tokens(text)
                return any(one[at : at + len(wanted)] == wanted for one in words for at in range(len(one))) if wanted else None
            case Wildcard(_, parts):
                pattern = "".join({Sign.ANY: ".*", Sign.ONE: "."}.get(part, re.escape(str(part).lower())) for part in parts)  # type: ignore[call-overload]
                return any(re.fullmatch(pattern, word) for one in words for word in one)
    if isinstance(node, Range) and field.type is FieldType.DOUBLE:
        low = float(node.low) if node.low else float("-inf")
        high = float(node.high) if node.high else float("inf")
        return any((low <= v if node.with_low else low < v) and (v <= high if node.with_high else v < high) for v in values)
    if isinstance(node, Range) and field.type is FieldType.DATE:
        first = span(node.low, NOW)[0 if node.with_low else 1] if node.low else -(10**18)
        last = span(node.high, NOW)[1 if node.with_high else 0] if node.high else 10**18
        return any(first <= (instant(v) or 0) < last for v in values)
    raise AssertionError(node)


def holds(document: dict[str, Any], node: Node, top: bool = False) -> bool | None:
    """Whether the document matches; None for a clause without words, which is as if it were not there."""
    match node:
        case Everything():
            return True
        case Boost(inner, _):
            return holds(document, inner)
        case Group(clauses):
            if node.purely_negative:
                return top and not any(holds(document, clause.node) for clause in clauses)
            results = [(clause.occur, holds(document, clause.node)) for clause in clauses]
            known = [(occur, result) for occur, result in results if result is not None]
            if not known:
                return None
            if any(result for occur, result in known if occur is Occur.MUST_NOT):
                return False
            musts = [result for occur, result in known if occur is Occur.MUST]
            return all(musts) if musts else any(result for occur, result in known if occur is Occur.SHOULD)
        case _:
            return _leaf(document, node)


_leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Term, st.just("recipient_country_code"), st.sampled_from(["AF", "ke", "XX"])),
    st.builds(Term, st.just("title_narrative"), st.sampled_from(["water", "education", "--", "rural-areas", "filles"])),
    st.builds(Phrase, st.just("title_narrative"), st.sampled_from(["water for", "for water", "rural areas", ""])),
    st.builds(Term, st.just("iati_identifier"), st.sampled_from(["GB-GOV-1", "201880", "3", "xx"])),
    st.builds(Phrase, st.just("iati_identifier"), st.sampled_from(["GB-GOV-1-201880", "XX-3", "1-201880"])),
    st.builds(Wildcard, st.just("sector_code"), st.sampled_from([("111", Sign.ANY), (Sign.ANY, "010"), ("1", Sign.ONE, ".", Sign.ANY)])),
    st.builds(
        Wildcard, st.just("reporting_org_ref"), st.sampled_from([("g", Sign.ANY), ("ec", Sign.ANY), ("x", Sign.ANY, "1"), (Sign.ANY, "a")])
    ),
    st.builds(
        Range,
        st.just("sector_percentage"),
        st.sampled_from(["40", "60"]),
        st.sampled_from(["60", "100", None]),
        st.booleans(),
        st.just(True),
    ),
    st.builds(Range, st.just("transaction_value"), st.just("0"), st.sampled_from(["100.5", "3000", None]), st.booleans(), st.just(True)),
    st.builds(
        Range,
        st.just("last_updated_datetime"),
        st.sampled_from(["2020", "2021-06-30", None]),
        st.just("2024-02"),
        st.booleans(),
        st.booleans(),
    ).filter(lambda node: node.low is not None),
    st.builds(
        Exists, st.sampled_from(["title_narrative", "hierarchy", "budget_value", "transaction_description_narrative", "default_currency"])
    ),
    st.builds(Term, st.just("transaction_transaction_type_code"), st.sampled_from(["3", "4"])),
    st.just(Everything()),
)


def _groups(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    clauses = st.lists(st.builds(Clause, st.sampled_from(Occur), inner), min_size=2, max_size=4)
    return clauses.map(lambda found: Group(tuple(found)))


@given(st.recursive(_leaves, _groups, max_leaves=7), st.sampled_from(["activity", "transaction", "budget"]))
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_engine_finds_what_a_plain_evaluation_finds(reader: IndexReader, node: Node, collection: str) -> None:
    every = found(reader, "*:*", collection)
    text = render(node)
    assert parse(text) == node
    wanted = sorted(document["id"] for document in every if holds(document, node, top=True))
    assert sorted(document["id"] for document in found(reader, text, collection)) == wanted

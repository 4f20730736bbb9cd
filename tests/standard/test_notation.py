"""The compact notation of the schema tables."""

from __future__ import annotations

import pytest

from iati_platform import standard
from iati_platform.standard import notation
from iati_platform.standard.notation import Kind, NotationError, Part
from iati_platform.standard.tables import read_text

TABLE = """\
element other-identifier
  :sequence
    owner-org?
      :sequence
        &narrative{2,5}
        ~*
      @ref xsd:string
      @~
    budget+ $money
  @&xml:lang
  @code! xsd:string
type $money
  :text xsd:decimal
attributes texts
  @&xml:lang
attribute code xsd:string
"""


def test_a_table_reads_as_it_is_written() -> None:
    identifier, money, texts, code = notation.parse(TABLE)
    narrative = Part(Kind.ELEMENT_REFERENCE, "narrative", least=2, most=5)
    others = Part(Kind.OTHER_ELEMENTS, least=0, most=None)
    owner = Part(
        Kind.ELEMENT,
        "owner-org",
        least=0,
        parts=(
            Part(Kind.SEQUENCE, parts=(narrative, others)),
            Part(Kind.ATTRIBUTE, "ref", "xsd:string"),
            Part(Kind.OTHER_ATTRIBUTES),
        ),
    )
    assert identifier == Part(
        Kind.ELEMENT,
        "other-identifier",
        parts=(
            Part(Kind.SEQUENCE, parts=(owner, Part(Kind.ELEMENT, "budget", "$money", most=None))),
            Part(Kind.ATTRIBUTE_REFERENCE, "xml:lang"),
            Part(Kind.ATTRIBUTE, "code", "xsd:string", required=True),
        ),
    )
    assert money == Part(Kind.TYPE, "$money", parts=(Part(Kind.TEXT, type="xsd:decimal"),))
    assert texts == Part(Kind.ATTRIBUTE_GROUP, "texts", parts=(Part(Kind.ATTRIBUTE_REFERENCE, "xml:lang"),))
    assert code == Part(Kind.ATTRIBUTE, "code", "xsd:string")
    assert notation.render((identifier, money, texts, code)) == TABLE


def test_comments_and_empty_lines_do_not_count() -> None:
    assert notation.parse("# a table\n\nattribute code xsd:string\n") == (Part(Kind.ATTRIBUTE, "code", "xsd:string"),)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("element a\n      b\n", "line 2: indentation"),
        ("  element a\n", "line 1: indentation"),
        ("thing a\n", "line 1: 'thing'"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(table: str, problem: str) -> None:
    with pytest.raises(NotationError, match=problem):
        notation.parse(table)


@pytest.mark.parametrize("version", standard.VERSIONS)
def test_the_shipped_tables_are_in_the_one_form_that_the_notation_has(version: str) -> None:
    for name in ("common", "activities", "organisations"):
        table = read_text(f"schemas/{version}/{name}.txt")
        assert notation.render(notation.parse(table)) == table

"""How texts are cut into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.datastore import analysis
from iati_platform.datastore.analysis import segmented, tokens


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("XI-IATI-EC_INTPA", ["xi", "iati", "ec_intpa"]),
        ("GB-GOV-1-201880", ["gb", "gov", "1", "201880"]),
        ("13.003 and 1,000", ["13.003", "and", "1,000"]),
        ("P174951", ["p174951"]),
        ("don't U.S.A. a,b", ["don't", "u.s.a", "a", "b"]),
        ("a:b 3:a 5:5", ["a:b", "3", "a", "5", "5"]),
        ("http://example.org/x", ["http", "example.org", "x"]),
        ("Éducation des filles", ["éducation", "des", "filles"]),
        ("تحسين التعليم", ["تحسين", "التعليم"]),
        ("日本 カタカナ", ["日", "本", "カタカナ"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("... - /", []),
        ("", []),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert tokens(text) == wanted


@given(st.text(alphabet="aZ09.,':;_- /(éÉß’·²ªŸ\xa0\x85", max_size=12))
def test_the_short_ways_cut_as_the_general_pattern_does(text: str) -> None:
    assert segmented(text) == " ".join(analysis._WORDS.findall(text)).lower()


@given(st.text(max_size=40))
def test_words_hold_no_blanks_quotes_or_backslashes_and_stay_when_cut_again(text: str) -> None:
    cut = segmented(text)
    assert not set(cut) & set('"\\\t\n-/')
    assert cut.split() == cut.split(" ") or cut == ""

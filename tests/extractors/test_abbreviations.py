import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.abbreviations import abbreviations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two cases of acute renal failure (ARF) after", {"ARF": "acute renal failure"}),
        ("given quetiapine\n(QTP; 5 mg) daily", {"QTP": "quetiapine"}),
        ("an NSAID (nonsteroidal anti-inflammatory drug)", {"NSAID": "nonsteroidal anti-inflammatory drug"}),
        ("heat shock protein 90 (HSP90)", {"HSP90": "heat shock protein 90"}),
        ("pain (N = 3). N-methyl-D-aspartate (NMDA)", {"NMDA": "N-methyl-D-aspartate"}),
        ("first national union (FNU), then fresh nuts (FNU)", {"FNU": "first national union"}),
        ("one more acid. Rest (AR)", {}),  # another sentence
        ("she was born (AB)", {}),  # no word begins with a
        ("the cat (Felis catus) and 12 (as 13)", {}),  # not written as an abbreviation
        ("of AB (AB), () and (", {}),
        ("", {}),
    ],
)
def test_long_forms_are_found(text, expected):
    assert abbreviations(text) == expected


@given(st.text(alphabet="aAbB1 .(),-", max_size=40))
def test_both_forms_stand_in_the_text_and_share_their_letters(text):
    for short, long in abbreviations(text).items():
        assert short in text
        assert long in " ".join(text.split())
        assert len(long) > len(short)
        signs = iter(long.lower())
        assert all(sign in signs for sign in short.lower() if sign.isalnum()), "not in this order"


def test_a_long_text_without_blanks_is_read_at_once():
    assert abbreviations("a" * 200_000 + "(" * 200_000) == {}

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text.abbreviations import long_forms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Men with prostate cancer (PC) were seen.", {"PC": "prostate cancer"}),
        ("We used PC (prostate cancer) cells.", {"PC": "prostate cancer"}),
        ("heat shock protein 70 (HSP70)", {"HSP70": "heat shock protein 70"}),
        ("acetylsalicylic acid (ASA; aspirin) helps", {"ASA": "acetylsalicylic acid"}),
        ("N-methyl-D-aspartate (NMDA) receptors", {"NMDA": "N-methyl-D-aspartate"}),
        ("the first (as shown) and (12) and (XY)", {}),
        ("Deep vein thrombosis\n\n(DVT) in another paragraph", {}),
        ("major depression (MD), later muscular dystrophy (MD)", {"MD": "major depression"}),
        ("given quetiapine\n(QTP) daily", {"QTP": "quetiapine"}),
        ("pain (N = 3). N-methyl-D-aspartate (NMDA)", {"NMDA": "N-methyl-D-aspartate"}),
        ("İstanbul Medical Institute (IMI)", {"IMI": "İstanbul Medical Institute"}),
        ("Österreichische Ärztekammer (ÖÄ)", {"ÖÄ": "Österreichische Ärztekammer"}),
        ("ДК (дворец культуры)", {"ДК": "дворец культуры"}),
        ("one more acid. Rest (AR)", {}),  # another sentence
        ("she was born (AB)", {}),  # no word begins with a
        ("the cat (Felis catus) and 12 (as 13)", {}),  # not written as an abbreviation
        ("of AB (AB), () and (", {}),
        ("(AB) first", {}),
        ("", {}),
    ],
)
def test_a_short_form_leads_to_the_words_that_explain_it(text, expected):
    assert long_forms(text) == expected


@given(st.text(alphabet="abAB ()1;\n.-İ", max_size=60))
def test_long_forms_stand_in_the_text_and_have_the_letters_of_the_short_form_in_order(text):
    for short, long in long_forms(text).items():
        assert short in text
        assert long in text
        assert len(long) > len(short)
        rest = iter(long.lower())
        assert all(letter in rest for letter in short.lower() if letter.isalnum())


def test_a_long_text_without_blanks_is_read_at_once():
    assert long_forms("a" * 200_000 + "(" * 200_000) == {}

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.abbreviations import long_forms


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
        ("", {}),
    ],
)
def test_a_short_form_leads_to_the_words_that_explain_it(text, expected):
    assert long_forms(text) == expected


@given(st.text(alphabet="abAB ()1;\n", max_size=60))
def test_long_forms_stand_in_the_text_and_have_the_letters_of_the_short_form_in_order(text):
    for short, long in long_forms(text).items():
        assert long in text
        rest = iter(long.lower())
        assert all(letter in rest for letter in short.lower() if letter.isalnum())

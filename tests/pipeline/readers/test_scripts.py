import pytest

from pipeline.readers.scripts import superscript, with_scripts


@pytest.mark.parametrize(
    ("base", "raised", "plain"),
    [
        ("about 10", "5", "^5"),
        ("about 10", "-5", "^-5"),
        ("about 10", "&minus;5", "^−5"),
        ("2", "n", "^n"),
        ("2", "n+1", "^n+1"),
        ("x", "2", "^2"),
        ("E = mc", "2", "^2"),
        ("(a + b)", "2", "^2"),
        ("area of 5 km", "2", "²"),
        ("5 m", "3", "³"),
        ("5 s", "−1", "^−1"),
        ("the 1", "st", "st"),
        ("the 5", "th", "th"),
        ("le XIX", "e", "e"),
        ("CD4", "+", "+"),
        ("Ca", "2+", "2+"),
        ("population", "1", "1"),
        ("", "14", "14"),
    ],
)
def test_superscripts_keep_their_sense(base, raised, plain):
    assert superscript(base, raised) == plain


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("10<sup>5</sup> uses", "10^5 uses"),
        ("5d<sup>10</sup>6s<sup>2</sup>", "5d^10 6s^2"),
        ("''x''<sup>2</sup> and x<SUP class=a>3</SUP>", "''x''^2 and x^3"),
        ("SO<sub>4</sub><sup>2−</sup>", "SO<sub>4</sub>^2−"),
        ("<sup>1</sup>/<sub>2</sub> and 3<sup>1</sup>⁄<sub>4</sub>", "1/2 and 3 1/4"),
        ("<sup>14</sup>C", "14C"),
        ("a < b", "a < b"),
    ],
)
def test_elements(wikitext, text):
    assert with_scripts(wikitext) == text

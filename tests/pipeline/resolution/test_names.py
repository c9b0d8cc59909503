import pytest

from pipeline.resolution.names import acronyms, folded, in_brackets, initials_agree, is_acronym, numbers, stems, unlike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café  Society", "CAFE SOCIETY"),
        ("J.K. Rowling", "JK Rowling"),
        ("Hudson’s Bay", "Hudson's Bay"),
        ("Jean-Paul Sartre", "Jean Paul Sartre"),
        ("Mercury (planet)", "Mercury"),
        ("Earth's", "Earth"),
    ],
)
def test_spellings_of_one_name_fold_to_the_same(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("C++", "C"), ("C#", "C"), ("Obama", "Osama")])
def test_other_names_do_not(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("World War II", {"ii"}),
        ("Apollo 11", {"11"}),
        ("2.4% of them", {"2.4%"}),
        ("$20,000", {"$20000"}),
        ("First Crusade", {"first"}),
        ("I Robot", set()),
        ("Ada Lovelace", set()),
    ],
)
def test_numbers(name, found):
    assert numbers(name) == found


def test_acronyms_and_initials():
    assert acronyms("North Atlantic Treaty Organization") == {"nato"}
    assert acronyms("Bank of America") == {"boa", "ba"}
    assert is_acronym("N.A.T.O.")
    assert not is_acronym("Nato")
    assert initials_agree("J. Smith", "John Smith")
    assert initials_agree("J. R. Smith", "John Smith")
    assert not initials_agree("John Smith", "John Smith")
    assert not initials_agree("J. Smith", "Mary Smith")


def test_plurals_and_brackets():
    assert stems("Continental shelfs") == stems("continental shelf")
    assert in_brackets("Mercury (planet)") == "planet"
    assert in_brackets("Mercury") == ""


def test_unlike_words():
    assert unlike("Barack Obama", "Obama") == 0
    assert unlike("North Korea", "South Korea") == 0.5
    assert unlike("Jon Smith", "John Smyth") == 0
    assert unlike("Paris", "London") == 1
    assert unlike("", "London") == 1

from extractors.encoder.featurizer import Featurizer
from extractors.network.name_matching import Names, is_unambiguous
from tests.extractors.tiny import plain, tokenizer


def test_names_are_small_and_written_out():
    text = "Renal  failure ( RF ) . The RF of Bo . renal failure ."
    document = plain(text)
    (passage,) = Featurizer(tokenizer()).featurize(document).passages
    names = Names(document, passage)
    assert names.of(0, 2) == names.of(3, 4) == names.of(7, 8) == names.of(11, 13) == "renal failure"
    assert names.of(8, 10) == "of bo"
    assert names.of(9, 10) == "Bo", "short ones keep their capitals"


def test_numbers_and_single_letters_mean_something_else_everywhere():
    assert [is_unambiguous(name) for name in ("renal failure", "US", "5-HT", "Å2", "15", "1.5", "%", "")] == [
        *(True, True, True, False, False, False, False, False)
    ]

"""Languages of documents from the reader to the report."""

import json
from dataclasses import dataclass

import pytest

from pipeline.build import BuildOptions, build
from pipeline.change import update
from pipeline.dead_letters import BuildError
from pipeline.languages import language_codes, languages_read, only, warning
from schemas import Skipped
from tests.pipeline.made import document
from tests.pipeline.readers.files import dump, page
from tests.rule_extractor import RuleSource

GERMAN = "Die Mühle am Fluss wurde 1901 von der Gemeinde gekauft und ist seither eine Schule."
ENGLISH = "The mill beside the river was bought by the council in 1901 and has been a school ever since."
ONE = BuildOptions(runner="memory", workers=1)


@dataclass(frozen=True)
class EnglishRules(RuleSource):
    def languages(self):
        return ("en",)


def write(path, texts):
    lines = [json.dumps({"id": f"{path.stem} {i}", "text": text}) for i, text in enumerate(texts)]
    path.write_text("\n".join(lines))
    return path


def test_documents_are_counted_by_language_and_users_warned(tmp_path):
    corpus = write(tmp_path / "a.jsonl", [GERMAN, GERMAN, ENGLISH, "Mill 1901"])
    report = build([corpus], tmp_path / "out", ONE, source=EnglishRules(), writers=[])
    assert report.counts.languages == {"de": 2, "en": 1, "unknown": 1}
    [text] = report.warnings
    assert "2 of 4 documents" in text
    assert "de 2" in text
    assert "--languages en" in text
    assert json.loads((tmp_path / "out" / "run.json").read_text())["warnings"] == [text]
    more = write(tmp_path / "b.jsonl", [GERMAN])
    later = update(tmp_path / "out", [more], source=EnglishRules(), writers=[])
    assert later.counts.languages == {"de": 3, "en": 1, "unknown": 1}
    assert "3 of 5 documents" in later.warnings[0]


def test_documents_in_other_languages_are_skipped_on_request(tmp_path):
    corpus = write(tmp_path / "a.jsonl", [GERMAN, ENGLISH, "Mill 1901"])
    options = BuildOptions(runner="memory", workers=1, languages=("eng",))
    report = build([corpus], tmp_path / "out", options, source=EnglishRules(), writers=[])
    assert report.counts.languages == {"en": 1, "unknown": 1}
    assert report.counts.skipped == {"language de": 1}
    assert report.warnings == ()


def test_what_readers_could_not_make_words_of_is_summed_up(tmp_path):
    corpus = tmp_path / "a.xml"
    pages = page("Mill", "It is {{strange|x}} high, {{odd}} old."), page("Falk", "It is {{odd}} XX.")
    corpus.write_bytes(dump(*pages).encode().replace(b"XX", b"\xff"))
    report = build([corpus], tmp_path / "out", ONE, source=EnglishRules(), writers=[])
    assert report.counts.lost == {"templates left out": 3, "undecodable bytes": 1}


def test_a_wrong_code_is_refused_before_any_work(tmp_path):
    corpus = write(tmp_path / "a.jsonl", [ENGLISH])
    options = BuildOptions(runner="memory", workers=1, languages=("klingon",))
    with pytest.raises(BuildError, match="'klingon' is no code of a language"):
        build([corpus], tmp_path / "out", options, source=RuleSource(), writers=[])
    assert not (tmp_path / "out").exists()


def test_codes_are_brought_to_one_form():
    assert language_codes(["eng", "en", "DE"]) == ("de", "en")
    assert language_codes([]) == ()


def test_documents_of_unknown_language_stay():
    items = [document("a", "A."), Skipped("f", "x")]
    assert list(only(("de",), items)) == items


@pytest.mark.parametrize(
    ("documents", "read", "is_given"),
    [
        ({"de": 60}, ("en",), True),
        ({"de": 5, "en": 95}, ("en",), True),
        ({"de": 1, "en": 999}, ("en",), False),
        ({"de": 60}, (), False),
        ({"de": 60}, ("de", "en"), False),
        ({"unknown": 60}, ("en",), False),
        ({}, ("en",), False),
    ],
)
def test_a_warning_is_given_where_it_matters(documents, read, is_given):
    assert (warning(documents, read, "some-model") is not None) is is_given


def test_a_source_need_not_say_what_it_reads():
    assert languages_read(RuleSource()) == ()
    assert languages_read(EnglishRules()) == ("en",)

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipeline.build import build
from pipeline.dead_letters import BuildFailed
from pipeline.extraction.inference import extract_safely, flaws, out_of_memory
from schemas import DeadLetter, Entity, Extraction, Fact, Mention
from sinks import GraphTables
from tests.pipeline.faulty import OPTIONS, long_corpus
from tests.pipeline.made import digest, document
from tests.rule_extractor import RuleExtractor, RuleSource

RULES = RuleExtractor()


class Counting(RuleExtractor):
    def __init__(self):
        self.batches = []

    def extract(self, batch):
        self.batches.append(len(batch))
        return super().extract(batch)


def prepared(*texts):
    return [RULES.featurize(document(f"d{number}", text)) for number, text in enumerate(texts)]


def test_one_poisoned_document_among_32_is_the_only_one_lost():
    batch = prepared(*["Ann is in Luton."] * 20, "Poison is in Luton.", *["Bob is in Luton."] * 11)
    results = extract_safely(RULES, batch)
    assert [number for number, result in enumerate(results) if isinstance(result, DeadLetter)] == [20]
    letter = results[20]
    assert (letter.document_id, letter.stage, letter.reason) == ("d20", "extract", "extractor failed")
    assert letter.detail == "RuntimeError: poisoned"
    assert [result.document_id for result in results if isinstance(result, Extraction)] == [
        f"d{number}" for number in range(32) if number != 20
    ]


def test_short_memory_halves_the_batch_until_it_fits():
    extractor = Counting()
    results = extract_safely(extractor, prepared("Greedy is here.", *["Ann is in Luton."] * 7))
    assert all(isinstance(result, Extraction) for result in results)
    assert extractor.batches == [8, 4, 2, 1, 1, 2, 4]


def test_a_document_too_large_for_the_memory_is_a_dead_letter():
    class Tiny(RuleExtractor):
        def extract(self, batch):
            raise MemoryError("no room")

    assert [letter.reason for letter in extract_safely(Tiny(), prepared("A", "B"))] == ["out of memory"] * 2


def test_a_probability_that_is_no_number_is_a_dead_letter():
    (sound, letter) = extract_safely(RULES, prepared("Ann is in Luton.", "Nan is in Luton."))
    assert isinstance(sound, Extraction)
    assert (letter.reason, letter.detail) == ("extraction is not sound", "fact 0 in 1 has the probability nan")


def test_an_extractor_that_loses_results_is_not_trusted():
    class Lossy(RuleExtractor):
        def extract(self, batch):
            return super().extract(batch)[1:]

    results = extract_safely(Lossy(), prepared("Ann.", "Bob."))
    assert [letter.detail for letter in results] == [
        "RuntimeError: the extractor returned 0 results for 1 documents"] * 2  # fmt: skip


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_recognised(error, expected):
    assert out_of_memory(error) is expected


def test_every_flaw_of_an_extraction_is_named():
    made = document("d", "Ann met Bob.")
    good = Entity((Mention(0, 1),), "P")
    wrong = Extraction(
        "other",
        (good, Entity((), "P"), Entity((Mention(3, 9),), "P")),
        (Fact(0, "r", 7), Fact(0, "r", 1, 1.5), Fact(0, "r", 1, 0.5, (4,))),
    )
    assert flaws(made, wrong) == [
        "it is about 'other'",
        "entity 1 has no mention",
        "mention at tokens 3:9 leaves the document",
        "fact 0 r 7 refers to an entity that does not exist",
        "fact 0 r 1 has the probability 1.5",
        "fact 0 r 1 has evidence outside the document",
    ]
    assert flaws(made, Extraction("d", (good, good), (Fact(0, "r", 1, 1.0, (0,)),))) == []


# One model for all processes of a machine, as on a GPU.


def test_a_model_whose_process_is_gone_ends_the_build_and_costs_no_documents():
    class Gone(RuleExtractor):
        def extract(self, batch):
            raise EOFError

    with pytest.raises(BuildFailed, match="the process that held the model has ended"):
        extract_safely(Gone(), prepared("Ann."))


@dataclass(frozen=True)
class One(RuleSource):
    """Rules that take a while, and note which process loads them and which processes prepare for them."""

    notes: Path

    def one_per_machine(self):
        return True

    def featurizer(self):
        (self.notes / f"featurizer {os.getpid()}").touch()
        return super().featurizer()

    def extractor(self):
        (self.notes / f"extractor {os.getpid()}").touch()
        return Waiting()


class Waiting(RuleExtractor):
    def extract(self, batch):
        time.sleep(0.05)
        return super().extract(batch)


def test_processes_of_a_machine_may_share_one_model(tmp_path):
    corpus = long_corpus(tmp_path / "a.txt")
    corpus.write_text(corpus.read_text().replace("|a|", "|a|Poison is in Boston. ", 1))
    (tmp_path / "notes").mkdir()
    for name, runner, source in (("one", "processes", One(tmp_path / "notes")), ("own", "memory", RuleSource())):
        build([corpus], tmp_path / name, replace(OPTIONS, runner=runner), source=source, writers=[])
    kinds = Counter(path.name.split()[0] for path in (tmp_path / "notes").iterdir())
    assert kinds == {"featurizer": 3, "extractor": 1}  # the launcher tries the featurizer first
    assert digest(tmp_path / "one") == digest(tmp_path / "own")
    (letter,) = GraphTables.open(tmp_path / "one").read("dead_letters").to_pylist()
    assert (letter["reason"], letter["detail"]) == ("extractor failed", "RuntimeError: poisoned")


def test_what_extracts_nothing_does_not_load_torch():
    subprocess.run(
        [sys.executable, "-c", "import sys, pipeline.pipelines; sys.exit('torch' in sys.modules)"], check=True
    )

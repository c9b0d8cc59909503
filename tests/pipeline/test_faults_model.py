"""A real network whose scores for some documents are no numbers, so that no threshold would find anything in them."""

import pytest
import torch

from pipeline.extraction.inference import extract_safely
from schemas import DeadLetter
from tests.extractors.tiny import extractor, plain


@pytest.mark.parametrize("where", ["mentions", "coreference", "relations"])
def test_a_network_that_gives_no_number_for_one_of_32_documents_loses_that_one(where, monkeypatch):
    model = extractor()
    texts = ["Anna Berg knows Bo Dahl . Bo left Oslo ."] * 32
    texts[7] = "Anna Berg lives here . Bo left Oslo ."
    batch = [model.featurize(plain(text, f"d{number}")) for number, text in enumerate(texts)]
    expected = model.extract(batch)
    assert expected[7].facts
    if where == "mentions":  # the weights themselves are broken, for one word
        piece = model.featurizer.tokenizer.token_to_id("lives")
        with torch.no_grad():
            model.model.get_submodule("encoder.backbone.embeddings.word_embeddings").weight[piece] = torch.nan
    else:
        name = {"coreference": "coreference_logits", "relations": "relation_scores"}[where]
        sound = getattr(model.model, name)
        turns = iter(range(33))  # of the whole batch, and then of every document alone
        monkeypatch.setattr(
            model.model, name, lambda *args: sound(*args) * (torch.nan if next(turns) in (0, 8) else 1.0)
        )
    results = extract_safely(model, batch)
    dead = [number for number, result in enumerate(results) if isinstance(result, DeadLetter)]
    assert dead == [7]
    assert "FloatingPointError: the model gave a score that is not a number" in results[7].detail
    assert results[:7] + results[8:] == expected[:7] + expected[8:]

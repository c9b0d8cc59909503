import pytest
import torch
from torch.testing import assert_close

from extractors.encoder.featurizer import Preparer
from extractors.encoder.layout import lay_out_entities
from extractors.encoder.static_encoder import read_vectors, vector_width
from extractors.network.evidence import closest_sentences, evidence_loss, evidence_sentences
from extractors.network.examples import entity_spans
from tests.extractors.tiny import annotated, model, tokenizer

VOCABULARY = {"[CLS]": 0, "the": 1, "##ing": 2, "Bo": 3, "x": 4}


def network(head="hin", **changes):
    found = model(head, encoder="static", joint=False, **changes).eval()
    found.encoder.load_vectors(torch.randn(found.encoder.vectors.shape, generator=torch.Generator().manual_seed(1)))
    return found


def encode(found, document):
    passage = Preparer(tokenizer()).prepare(document).passages[0]
    encoded = found.encode([passage])
    layout = lay_out_entities([entity_spans(document)], encoded.words)
    return passage, found(encoded, layout, torch.tensor([0, 1, 0]))


def test_pieces_are_looked_up_and_the_table_is_not_trained():
    found = network()
    passage, pairs = encode(found, annotated())
    assert_close(pairs.encoded.rows, found.encoder.vectors[passage.pieces.tolist()])
    assert not list(found.encoder.parameters())
    assert "encoder.backbone.word_embeddings.weight" in found.state_dict()
    found.relation_head(pairs).sum().backward()
    assert found.relation_head.word_layer.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("head", ["atlop", "docunet"])
def test_a_head_that_needs_attention_says_so(head):
    found = network(head)
    with pytest.raises(ValueError, match="a static encoder has no attention: choose a relation head without"):
        found.relation_head(encode(found, annotated())[1])


def test_similarity_needs_no_attention():
    found = network("docunet", head_options={"features": "similarity", "channels": 4}, loss="balanced-softmax")
    assert found.relation_head(encode(found, annotated())[1]).shape == (6, 3)


def test_the_sentences_of_the_closest_mentions_are_the_evidence():
    document = annotated()
    pairs = encode(network(), document)[1]
    with torch.inference_mode():
        sentences = dict(zip(map(tuple, pairs.layout.pairs.tolist()), evidence_sentences(pairs, 0.2), strict=True))
    # Anna Berg lives in Oslo . She knows Bo Dahl . Bo left Oslo in May .
    assert sentences == {(0, 1): (0,), (1, 0): (0,), (0, 2): (0, 1), (2, 0): (0, 1), (1, 2): (2,), (2, 1): (2,)}
    assert_close(closest_sentences(pairs).sum(1), torch.ones(6))
    with pytest.raises(ValueError, match="leave out 'evidence_weight'"):
        evidence_loss(pairs, [document])


def test_vectors_are_read_by_what_pieces_spell(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 2\nunused 9 9\ning 3 4\nbo 5 6\n", "utf-8")
    assert vector_width(path) == 2
    expected = [[0, 0], [1, 2], [3, 4], [5, 6], [0, 0], [0, 0]]
    assert read_vectors(path, VOCABULARY, 6).tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the\n", "vectors.txt:1: no word with its numbers"),
        ("the 1 2\nx 1\n", "vectors.txt:2: 1 numbers, and 2 in the first line"),
        ("the 1 2\nx 1 y\n", "vectors.txt:2: "),
        ("other 1 2\n", "none of its words is a piece"),
    ],
)
def test_a_wrong_file_of_vectors_is_named(text, message, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        read_vectors(path, VOCABULARY, 6)


def test_a_missing_file_of_vectors_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no word vectors at .*absent"):
        vector_width(tmp_path / "absent")

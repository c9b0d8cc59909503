import torch
from torch.testing import assert_close

from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import lay_out_entities
from extractors.network.evidence import evidence_loss, evidence_sentences, sentence_attention
from extractors.network.examples import entity_spans
from tests.extractors.heads import references
from tests.extractors.tiny import annotated, model, tokenizer


def encode(*documents):
    network = model().eval()
    featurizer = Featurizer(tokenizer())
    encoded = network.encode([featurizer.featurize(document).passages[0] for document in documents])
    layout = lay_out_entities([entity_spans(document) for document in documents], encoded.words)
    return network(encoded, layout, layout.entity_passage)


def slow_shares(pairs, head, tail, sentences):
    product = (references.entity_attention(pairs, head) * references.entity_attention(pairs, tail)).sum(0)
    _, begin = references.passage_rows(pairs, head)
    words = pairs.encoded.words
    shares = torch.zeros(sentences)
    first = words.sentence[words.piece.searchsorted(begin)]
    for offset, value in enumerate(product):
        word = words.piece.searchsorted(begin + offset, side="right") - 1
        shares[words.sentence[word] - first] += value
    return shares / shares.sum()


def test_attention_is_summed_by_sentence():
    with torch.inference_mode():
        pairs = encode(annotated(), annotated(copies=2))
        shares = sentence_attention(pairs)
        for row, (head, tail) in enumerate(pairs.layout.pairs.tolist()):
            assert_close(shares[row], slow_shares(pairs, head, tail, 6), atol=1e-5, rtol=1e-4)


def test_the_loss_is_the_cross_entropy_to_the_annotated_sentences():
    documents = [annotated(), annotated("b")]
    with torch.inference_mode():
        pairs = encode(*documents)
        share = sentence_attention(pairs)[pairs.layout.pairs.tolist().index([0, 1])]
        # Fact R1 of both documents has the first sentence as evidence, fact R3 has none.
        assert_close(evidence_loss(pairs, documents), -share[0].log(), atol=1e-5, rtol=1e-4)


def test_sentences_above_the_share_support_a_fact_and_at_least_one_does():
    with torch.inference_mode():
        pairs = encode(annotated())
        shares = sentence_attention(pairs)
        for threshold in (0.0, 0.3, 1.0):
            for row, sentences in enumerate(evidence_sentences(pairs, threshold)):
                least = min(threshold, float(shares[row].max()))
                assert sentences == tuple(i for i, share in enumerate(shares[row].tolist()) if share >= least)
                assert sentences

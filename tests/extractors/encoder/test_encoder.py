import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.encoder.encoder import cut_windows
from extractors.encoder.featurizer import Featurizer
from tests.extractors.tiny import model, plain, tokenizer


@given(st.lists(st.integers(1, 200), min_size=1, max_size=5), st.integers(2, 60))
def test_windows_cover_every_piece_of_their_own_sequence(lengths, size):
    windows, owner = cut_windows(lengths, size)
    offset = np.cumsum(lengths) - lengths
    for sequence, length in enumerate(lengths):
        covered = set()
        for start, end in windows[owner == sequence].tolist():
            assert end - start == min(size, length)
            covered |= set(range(start - offset[sequence], end - offset[sequence]))
        assert covered == set(range(length))


def passages(*texts):
    featurizer = Featurizer(tokenizer(), 10_000)
    return [passage for text in texts for passage in featurizer.featurize(plain(text)).passages]


def slow_states(network, passage):
    """Window by window and piece by piece, with the mean where windows overlap."""
    encoder = network.encoder
    sums = torch.zeros(len(passage.pieces), encoder.width)
    counts = torch.zeros(len(passage.pieces))
    for start, end in cut_windows([len(passage.pieces)], encoder.window - 2)[0].tolist():
        ids = torch.tensor([[2, *passage.pieces[start:end].tolist(), 3]])
        embedded = encoder.backbone.get_input_embeddings()(ids)
        for place, shape in enumerate(passage.shapes[start:end].tolist()):
            embedded[0, place + 1] += encoder.shape_embedding.weight[shape]
        hidden = encoder.backbone(inputs_embeds=embedded).last_hidden_state[0]
        for place in range(end - start):
            sums[start + place] += hidden[place + 1]
            counts[start + place] += 1
    return sums / counts[:, None]


def test_states_equal_the_slow_reference_for_short_and_very_long_passages():
    network = model().eval()
    long = "The Quick brown fox , 1999 . " * 200
    short, middle, big = passages("a b .", "Anna lives in the USA . " * 5, long)
    assert len(big.pieces) > 1024
    with torch.inference_mode():
        states = network.encoder([short, big, middle]).states
        expected = torch.cat([slow_states(network, passage) for passage in (short, big, middle)])
    torch.testing.assert_close(states, expected, atol=1e-5, rtol=1e-4)


def test_word_shape_changes_the_states():
    network = model().eval()
    with torch.inference_mode():
        lower, title = network.encoder(passages("paris", "Paris")).states.split(5)
    assert not torch.allclose(lower, title)


def test_in_training_all_windows_share_a_pass_and_states_are_the_same(monkeypatch):
    network = model()
    network.eval()
    read = passages("Anna lives in Oslo .", "Anna Berg knows Bo Dahl . " * 15)
    with torch.no_grad():
        alone = network.encoder(read).states
    network.train()
    network.encoder.backbone.eval()
    sizes = []
    attend = network.encoder._read
    monkeypatch.setattr(network.encoder, "_read", lambda x, mask: sizes.append(tuple(x.shape[:2])) or attend(x, mask))
    together = network.encoder(read).states
    assert len(sizes) == 1
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)

import pytest
import torch
from torch.testing import assert_close

from extractors.heads.recurrent import AttentionPool, BiLSTM

LENGTHS = torch.tensor([5, 1, 3])


def test_equals_packed_sequences_whatever_the_padding_holds():
    torch.manual_seed(0)
    lstm = BiLSTM(3, 8)
    packed = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    packed.load_state_dict(
        dict(lstm.ahead.state_dict()) | {f"{name}_reverse": value for name, value in lstm.back.state_dict().items()}
    )
    values = torch.randn(3, 5, 3)
    sequences = torch.nn.utils.rnn.pack_padded_sequence(values, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(packed(sequences)[0], batch_first=True)
    assert_close(lstm(values, LENGTHS), expected)


def test_attention_leaves_padding_out():
    torch.manual_seed(0)
    pool = AttentionPool(4)
    values = torch.randn(3, 5, 4)
    alone = [pool(row[None, :length], torch.tensor([length])) for row, length in zip(values, LENGTHS, strict=True)]
    assert_close(pool(values, LENGTHS), torch.cat(alone))


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="choose an even width"):
        BiLSTM(3, 7)

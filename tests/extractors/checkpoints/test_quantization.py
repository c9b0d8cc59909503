import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.checkpoints import quantization


def weights(rows, scale):
    torch.manual_seed(rows)
    return {
        "encoder.word_embeddings.weight": torch.randn(rows, 8) * torch.logspace(-scale, scale, rows)[:, None],
        "head.weight": torch.randn(3, 3),
    }


@given(st.integers(2, 50), st.floats(0, 2))
def test_quantized_weights_come_back_nearly_the_same_and_stay_the_same(rows, scale):
    original = weights(rows, scale)
    quantization.LARGE, large = 1, quantization.LARGE
    try:
        packed = quantization.quantized(original)
        back = quantization.dequantized(packed)
        again = quantization.dequantized(quantization.quantized(back))
    finally:
        quantization.LARGE = large
    assert back.keys() == original.keys()
    assert packed["encoder.word_embeddings.weight"].dtype == torch.int8
    for name, tensor in original.items():
        largest = tensor.abs().amax(1, keepdim=True)
        assert ((back[name] - tensor).abs() <= largest * 0.005 + 1e-6).all()
        assert ((again[name] - back[name]).abs() <= largest * 0.0005 + 1e-6).all()


def test_small_tables_stay_in_half_precision():
    packed = quantization.quantized(weights(5, 0))
    assert {tensor.dtype for tensor in packed.values()} == {torch.float16}

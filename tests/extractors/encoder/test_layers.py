import torch

from extractors.encoder.layers import ConcatLinear, Dropout


def test_concat_linear_equals_a_linear_layer_on_the_concatenation():
    torch.manual_seed(0)
    layer = ConcatLinear(3 + 2 + 4, 5)
    few, meta, rows = torch.randn(6, 3), torch.randn(7, 2), torch.randn(10, 4)
    i, j = torch.randint(0, 6, (10,)), torch.randint(0, 7, (10,))
    expected = torch.nn.functional.linear(torch.cat([few[i], meta[j], rows], 1), layer.weight, layer.bias)
    torch.testing.assert_close(layer([(few, i), (meta, j), (rows, None)]), expected)


def test_dropout_keeps_the_mean_and_the_wished_share():
    torch.manual_seed(0)
    values = torch.ones(1000, 101)
    dropped = Dropout(0.25).train()(values)
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.01
    assert abs(float(dropped.mean()) - 1.0) < 0.01


def test_dropout_does_nothing_outside_training():
    values = torch.randn(5, 5)
    assert torch.equal(Dropout(0.5).eval()(values), values)

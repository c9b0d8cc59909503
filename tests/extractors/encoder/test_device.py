import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.encoder.device import choose_device, fitted, to_device

GIB = 1 << 30


def test_batches_fit_the_memory_of_the_accelerator():
    assert [fitted(gib * GIB) for gib in (0, 1, 8, 24, 80, 139)] == [4096, 4096, 16384, 32768, 131072, 131072]


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_more_memory_never_makes_batches_smaller(some, more):
    assert fitted(some) <= fitted(some + more)


def test_a_tensor_arrives_as_it_is():
    tensor = torch.arange(6).reshape(2, 3)
    assert torch.equal(to_device(tensor, torch.device("cpu")), tensor)


def test_a_machine_without_an_accelerator_takes_small_batches():
    if not torch.cuda.is_available():
        assert choose_device().batch_cost == 4096

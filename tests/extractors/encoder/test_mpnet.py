import copy

import torch
from transformers import AutoModel, MPNetConfig

from extractors.encoder.mpnet import FusedAttention, fuse_attention


def test_fused_attention_gives_the_states_and_gradients_of_the_eager_one():
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32
    )
    eager = AutoModel.from_config(config, attn_implementation="eager").eval()
    fused = copy.deepcopy(eager)
    fuse_attention(fused)
    assert sum(isinstance(module, FusedAttention) for module in fused.modules()) == 2
    ids = torch.randint(2, 50, (3, 20))
    mask = torch.arange(20) < torch.tensor([[20], [7], [1]])
    states = [model(input_ids=ids, attention_mask=mask.long()).last_hidden_state[mask] for model in (eager, fused)]
    torch.testing.assert_close(states[1], states[0], atol=1e-5, rtol=1e-4)
    for state in states:
        state.square().sum().backward()
    for (name, one), (_, other) in zip(eager.named_parameters(), fused.named_parameters(), strict=True):
        if one.grad is not None and "relative_attention_bias" not in name:
            torch.testing.assert_close(other.grad, one.grad, atol=1e-4, rtol=1e-3)

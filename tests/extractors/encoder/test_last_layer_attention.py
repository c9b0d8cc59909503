import torch
from transformers import AutoModel, MPNetConfig

from extractors.encoder.encoder import cut_windows
from extractors.encoder.featurizer import Featurizer
from extractors.encoder.last_layer_attention import LastAttention, WindowBatch
from tests.extractors.tiny import model, plain, tokenizer


def eager_rows(encoder, passage):
    """Attention of the last layer as transformers itself gives it, the mean where windows overlap."""
    backbone = AutoModel.from_config(encoder.backbone.config, attn_implementation="eager")
    missing, _ = backbone.load_state_dict(encoder.backbone.state_dict(), strict=False)
    assert all(name.startswith("pooler") for name in missing)
    length = len(passage.pieces)
    total = torch.zeros(length, backbone.config.num_attention_heads, length)
    count = torch.zeros(length)
    for start, end in cut_windows([length], encoder.window - 2)[0].tolist():
        ids = torch.tensor([[2, *passage.pieces[start:end].tolist(), 3]])
        embedded = encoder.backbone.get_input_embeddings()(ids)
        for place, shape in enumerate(passage.shapes[start:end].tolist()):
            embedded[0, place + 1] += encoder.shape_embedding.weight[shape]
        attention = backbone.eval()(inputs_embeds=embedded, output_attentions=True).attentions[-1][0]
        total[start:end, :, start:end] += attention.transpose(0, 1)[1:-1, :, 1:-1]
        count[start:end] += 1
    return total / count[:, None, None]


def test_rows_equal_those_of_the_eager_encoder_for_one_window_and_for_many():
    network = model().eval()
    texts = ["Anna lives in Oslo . ", "The Quick brown fox , 1999 . " * 30, "Bo . "]
    passages = [Featurizer(tokenizer(), 10_000).featurize(plain(text)).passages[0] for text in texts]
    lengths = [len(passage.pieces) for passage in passages]
    assert lengths[1] > 2 * network.config.window
    with torch.inference_mode():
        attention = network.encoder(passages).attention
        rows = attention.rows(torch.arange(sum(lengths)), max(lengths))
        expected = torch.cat(
            [
                torch.nn.functional.pad(eager_rows(network.encoder, passage), (0, max(lengths) - length))
                for passage, length in zip(passages, lengths, strict=True)
            ]
        )
        second = torch.arange(lengths[0], lengths[0] + lengths[1])
        alone = attention.rows(second, max(lengths))
    torch.testing.assert_close(rows, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone, rows[second])  # also where only some windows are asked for


def test_rows_of_mpnet_have_its_position_bias():
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32
    )
    backbone = AutoModel.from_config(config, attn_implementation="eager").eval()
    with torch.inference_mode():
        output = backbone(input_ids=torch.arange(1, 13)[None], output_attentions=True, output_hidden_states=True)
        batch = WindowBatch(output.hidden_states[-2], torch.tensor([0]).numpy(), torch.tensor([10]).numpy())
        rows = LastAttention(backbone, [batch], torch.tensor([0, 10]).numpy()).rows(torch.tensor([3, 0, 3]), 12)
    expected = output.attentions[-1][0].transpose(0, 1)[[4, 1, 4], :, 1:11]
    torch.testing.assert_close(rows[:, :, :10], expected)
    assert not rows[:, :, 10:].any()

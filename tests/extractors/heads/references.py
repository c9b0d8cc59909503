"""Every relation head once more, slow and obvious: one pair, one mention pair, one equation at a time."""

import torch
from torch.nn import functional


def two_layers(ffnn, x):
    hidden = torch.relu(functional.linear(x, ffnn.inner.weight, ffnn.inner.bias))
    return functional.linear(hidden, ffnn.outer.weight, ffnn.outer.bias)


def grc(head, pairs, encoded):
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        w1, w2 = head.type_embedding.weight[pairs.types[h]], head.type_embedding.weight[pairs.types[t]]
        x_p = torch.cat([pairs.entities[h], w1, pairs.entities[t], w2])  # equation 7
        rows.append(two_layers(head.classifier, x_p))  # equation 8
    return torch.stack(rows) if rows else torch.zeros(0, 3)


def mrc(head, pairs, encoded):
    layout = pairs.layout
    pieces = encoded.states.table[: encoded.states.count]
    owners = layout.mention_entity.tolist()
    mentions_of = {e: [s for s, owner in enumerate(owners) if owner == e] for e in owners}
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        represented = []
        for s1 in mentions_of[h]:
            for s2 in mentions_of[t]:
                start1, end1 = int(layout.mention_start[s1]), int(layout.mention_end[s1])
                start2, end2 = int(layout.mention_start[s2]), int(layout.mention_end[s2])
                low, high = min(end1, end2), max(start1, start2)
                context = torch.zeros(pieces.shape[1])
                if high > low:
                    context = pieces[pairs.word_piece[low] : pairs.word_piece[high]].amax(0)
                d_s = min(abs(int(pairs.word_sentence[start1]) - int(pairs.word_sentence[start2])), 31)
                d_t = min(max(high - low, 0), 511)
                u = torch.cat([pairs.mentions[s1], pairs.entities[h], pairs.mentions[s2], pairs.entities[t]])  # (9)
                u = torch.cat(
                    [u, context, head.sentence_distance.weight[d_s], head.token_distance.weight[d_t]]
                )  # equation 10
                layer = head.pair_layer
                represented.append(torch.relu(functional.linear(u, layer.weight, layer.bias)))  # equation 11
        x_r = torch.stack(represented).amax(0)  # equation 12
        w1, w2 = head.type_embedding.weight[pairs.types[h]], head.type_embedding.weight[pairs.types[t]]
        rows.append(two_layers(head.classifier, torch.cat([x_r, w1, w2])))
    return torch.stack(rows) if rows else torch.zeros(0, 3)


REFERENCES = {"jerex-grc": grc, "jerex-mrc": mrc}

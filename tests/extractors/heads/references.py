"""Every relation head once more, slow and obvious: one pair, one mention pair, one equation at a time."""

from functools import lru_cache

import torch
from torch.nn import functional

from tests.extractors.heads import docre_ii_reference, docunet_reference, hin_reference, typed_atlop_reference


def two_layers(ffnn, x):
    hidden = torch.relu(functional.linear(x, ffnn.inner.weight, ffnn.inner.bias))
    return functional.linear(hidden, ffnn.outer.weight, ffnn.outer.bias)


def grc(head, pairs):
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        w1, w2 = head.type_embedding.weight[pairs.types[h]], head.type_embedding.weight[pairs.types[t]]
        x_p = torch.cat([pairs.entities[h], w1, pairs.entities[t], w2])  # equation 7
        rows.append(two_layers(head.classifier, x_p))  # equation 8
    return stack(rows, head.classifier.outer)


def mrc(head, pairs):
    layout, options = pairs.layout, head.options
    mentions_of = mentions_by_entity(pairs)
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        represented, distances = [], []
        for s1 in mentions_of[h]:
            for s2 in mentions_of[t]:
                start1, end1 = int(layout.mention_start[s1]), int(layout.mention_end[s1])
                start2, end2 = int(layout.mention_start[s2]), int(layout.mention_end[s2])
                low, high = min(end1, end2), max(start1, start2)
                context = torch.zeros(pairs.mentions.shape[1])
                if high > low:
                    context = pairs.encoded.rows[pairs.encoded.word_piece[low] : pairs.encoded.word_piece[high]].amax(0)
                sentences = pairs.encoded.word_sentence
                d_s = abs(int(sentences[start1]) - int(sentences[start2]))
                d_t = max(high - low, 0)
                u = [pairs.mentions[s1]] + [pairs.entities[h]] * options.global_entities
                u += [pairs.mentions[s2]] + [pairs.entities[t]] * options.global_entities  # equation 9
                u += [context] * options.local_context
                u += [head.sentence_distance.weight[min(d_s, 31)]]
                u += [head.token_distance.weight[min(d_t, 511)]]  # equation 10
                layer = head.pair_layer
                one = torch.relu(functional.linear(torch.cat(u), layer.weight, layer.bias))  # equation 11
                represented.append(one)
                distances.append((d_s > 0, d_t if d_s else 0))
        if not options.other_sentences:  # those of one sentence, or else the closest
            represented = [u for u, d in zip(represented, distances, strict=True) if d == min(distances)]
        x_r = torch.stack(represented).amax(0)  # equation 12
        w1, w2 = head.type_embedding.weight[pairs.types[h]], head.type_embedding.weight[pairs.types[t]]
        rows.append(two_layers(head.classifier, torch.cat([x_r, w1, w2])))
    return stack(rows, head.classifier.outer)


def atlop(head, pairs):
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        e_s, e_o = logsumexp_entity(pairs, h), logsumexp_entity(pairs, t)
        c = context(pairs, h, t)  # equation 1
        z_s = torch.tanh(
            functional.linear(torch.cat([e_s, c]), head.head_layer.weight, head.head_layer.bias)
        )  # equation 2
        z_o = torch.tanh(
            functional.linear(torch.cat([e_o, c]), head.tail_layer.weight, head.tail_layer.bias)
        )  # equation 3
        if head.options.classifier == "bilinear":
            rows.append(grouped_bilinear(head.bilinear, z_s, z_o))
        else:
            f = torch.relu(head.feature_layer(torch.cat([z_s, z_o])))  # F_so of DocRE-II
            rows.append(head.classifier(f))  # equation 4
    return stack(rows, head.bilinear.linear if head.options.classifier == "bilinear" else head.classifier)


def docre_ii(head, pairs):
    return docre_ii_reference.docre_ii(head, pairs, REFERENCES)


def mentions_by_entity(pairs):
    owners = pairs.layout.mention_entity.tolist()
    return {e: [s for s, owner in enumerate(owners) if owner == e] for e in owners}


@lru_cache(maxsize=100)  # once for each entity and not for each of its pairs
def logsumexp_entity(pairs, entity):
    """Equation 2 of DocuNet."""
    return torch.logsumexp(torch.stack([pairs.mentions[s] for s in mentions_by_entity(pairs)[entity]]), 0)


def passage_rows(pairs, entity):
    """The states of the pieces of an entity's passage, and where they begin in the batch."""
    words = pairs.encoded.words
    passage = int(pairs.layout.entity_passage[entity])
    begin, end = (int(words.piece[words.first[passage + i]]) for i in (0, 1))
    return pairs.encoded.rows[begin:end], begin


@lru_cache(maxsize=100)
def entity_attention(pairs, entity):
    """Attention of the last layer from each mention's first piece, the mean over the mentions: (heads, pieces)."""
    states, _ = passage_rows(pairs, entity)
    rows = []
    for s in mentions_by_entity(pairs)[entity]:
        piece = pairs.encoded.words.piece[int(pairs.layout.mention_start[s])]
        rows.append(pairs.encoded.attention.rows(torch.tensor([piece]), len(states))[0])
    return torch.stack(rows).mean(0)


def context(pairs, h, t):
    """Equation 1 of DocRE-II."""
    states, _ = passage_rows(pairs, h)
    product = (entity_attention(pairs, h) * entity_attention(pairs, t)).sum(0)
    return states.T @ (product / (product.sum() + 1e-10))


def grouped_bilinear(layer, first, second):
    scores = []
    blocks = first.shape[0] // layer.block
    weights = layer.linear.weight.view(-1, blocks, layer.block, layer.block)
    for r in range(weights.shape[0]):
        score = layer.linear.bias[r]
        for b in range(blocks):
            part = slice(b * layer.block, (b + 1) * layer.block)
            score = score + first[part] @ weights[r, b] @ second[part]
        scores.append(score)
    return torch.stack(scores)


def stack(rows, last):
    return torch.stack(rows) if rows else torch.zeros(0, last.out_features)


REFERENCES = {
    "atlop": atlop,
    "docre-ii": docre_ii,
    "docunet": docunet_reference.docunet,
    "hin": hin_reference.hin,
    "jerex-grc": grc,
    "jerex-mrc": mrc,
    "typed-atlop": typed_atlop_reference.typed_atlop,
}

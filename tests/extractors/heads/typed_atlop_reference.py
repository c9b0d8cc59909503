"""Typed ATLOP, one pair at a time."""

import math

import torch

from tests.extractors.heads import references


def nearest(pairs, h, t):
    layout, sentence = pairs.layout, pairs.encoded.word_sentence
    mentions = references.mentions_by_entity(pairs)
    sentences, words = [], []
    for s1 in mentions[h]:
        for s2 in mentions[t]:
            start1, end1 = int(layout.mention_start[s1]), int(layout.mention_end[s1])
            start2, end2 = int(layout.mention_start[s2]), int(layout.mention_end[s2])
            sentences.append(abs(int(sentence[start1]) - int(sentence[start2])))
            words.append(max(0, max(start1, start2) - min(end1, end2)))
    return min(sentences), min(words)


def typed_atlop(head, pairs):
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        sentences, words = nearest(pairs, h, t)
        bucket = 0 if words == 0 else min(int(math.log2(words)), 10) + 1
        shared = [
            references.context(pairs, h, t),
            head.sentence_distance.weight[min(sentences, 15)],
            head.word_distance.weight[bucket],
        ]
        z = []
        for layer, entity in ((head.head_layer, h), (head.tail_layer, t)):
            x = [references.logsumexp_entity(pairs, entity), head.type_embedding.weight[pairs.types[entity]], *shared]
            z.append(torch.tanh(torch.nn.functional.linear(torch.cat(x), layer.weight, layer.bias)))
        rows.append(references.grouped_bilinear(head.bilinear, *z))
    return references.stack(rows, head.bilinear.linear)

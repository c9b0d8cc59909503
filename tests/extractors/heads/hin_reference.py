"""HIN once more, slow and obvious: one pair, one sentence, one word at a time."""

import math

import torch

from tests.extractors.heads import references


def hin(head, pairs):
    """Logits of every pair."""
    passages = {}
    rows = []
    for a, b in pairs.layout.pairs.tolist():
        passage = int(pairs.layout.entity_passage[a])
        if passage not in passages:
            passages[passage] = read_passage(head, pairs, passage)
        entities, sentences, document = passages[passage]
        i_e = entity_level(head.entity_level, pairs, a, b, entities[a], entities[b])
        i_d = document_level(head, i_e, sentences) if head.options.hierarchical else document
        rows.append(head.classifier(torch.cat([i_e, i_d])))  # equation 15
    return references.stack(rows, head.classifier)


def read_passage(head, pairs, passage):
    """What all pairs of a passage share: its entities, its sentences, and the mean of its words."""
    words = range(*map(int, pairs.encoded.words.first[passage : passage + 2]))
    x = [read(head, pairs, word) for word in words]
    h = lstm(head.entity_lstm, x)  # equation 1
    owners = pairs.layout.entity_passage.tolist()
    entities = {e: entity(pairs, e, h, words[0]) for e, owner in enumerate(owners) if owner == passage}
    if not head.options.hierarchical:
        return entities, None, torch.stack(lstm(head.document_lstm, x)).mean(0)
    numbers = [int(pairs.encoded.words.sentence[word]) for word in words]
    sentences = [[vector for vector, k in zip(x, numbers, strict=True) if k == n] for n in sorted(set(numbers))]
    # Equations 6 to 9.
    return entities, [attend(head.word_attention, lstm(head.sentence_lstm, part)) for part in sentences], None


def read(head, pairs, word):
    """The word, the type and the number of its entity (section 3.1)."""
    encoded, layout = pairs.encoded, pairs.layout
    pieces = encoded.rows[int(encoded.words.piece[word]) : int(encoded.words.piece[word + 1])]
    type, number = head.type_embedding.num_embeddings - 1, 64
    covering = [
        (int(end) - int(start), min(63, number_of(pairs, int(owner))), int(pairs.types[owner]))
        for start, end, owner in zip(layout.mention_start, layout.mention_end, layout.mention_entity, strict=True)
        if start <= word < end
    ]
    if covering:
        _, number, type = min(covering)
    w = head.word_layer(torch.stack([*pieces]).mean(0))
    return torch.cat([w, head.type_embedding.weight[type], head.coreference_embedding.weight[number]])


def number_of(pairs, entity):
    """How many distinct first mentions of the passage come before that of the entity."""
    layout = pairs.layout
    found = references.mentions_by_entity(pairs)

    def first(e):
        return min((int(layout.mention_start[s]), int(layout.mention_end[s])) for s in found[e])

    same = [e for e in found if layout.entity_passage[e] == layout.entity_passage[entity]]
    return len({first(e) for e in same if first(e) < first(entity)})


def lstm(net, sequence):
    ahead = one_direction(net.ahead, sequence)
    back = one_direction(net.back, sequence[::-1])[::-1]
    return [torch.cat(both) for both in zip(ahead, back, strict=True)]


def one_direction(net, sequence):
    h = c = torch.zeros(net.hidden_size)
    states = []
    for x in sequence:
        gates = net.weight_ih_l0 @ x + net.bias_ih_l0 + net.weight_hh_l0 @ h + net.bias_hh_l0
        i, f, g, o = gates.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return states


def entity(pairs, which, h, first_word):
    """Equation 2."""
    layout = pairs.layout
    mentions = []
    for s in references.mentions_by_entity(pairs)[which]:
        words = range(int(layout.mention_start[s]), int(layout.mention_end[s]))
        mentions.append(torch.stack([h[word - first_word] for word in words]).mean(0))
    return torch.stack(mentions).mean(0)


def entity_level(level, pairs, a, b, e_a, e_b):
    options, width = level.options, level.width
    parts = {"bilinear": [], "translation": [], "head": [], "tail": []}
    for k, weight in enumerate(level.project_in.weight.chunk(options.subspaces)):
        a_k, b_k = (torch.relu(weight @ e) @ level.project_out[k] for e in (e_a, e_b))  # equation 3
        if options.bilinear:
            r = level.biaffine[k]
            parts["bilinear"].append(torch.stack([a_k @ r[:, out] @ b_k for out in range(width)]))
        parts["translation"].append(b_k - a_k)
        parts["head"].append(a_k)
        parts["tail"].append(b_k)
    if not options.translation:
        del parts["translation"]
    joined = [vector for part in parts.values() for vector in part]  # equation 4
    m = level.distance_embedding.weight
    d_ba = first_word(pairs, b) - first_word(pairs, a)
    joined.append(m[9 + bucket(d_ba)] - m[9 + bucket(-d_ba)])
    layer = level.output_layer
    return torch.relu(layer.weight @ torch.cat(joined) + layer.bias)  # equation 5


def first_word(pairs, entity):
    return min(int(pairs.layout.mention_start[s]) for s in references.mentions_by_entity(pairs)[entity])


def bucket(words):
    size = min(8, int(math.log2(abs(words)))) + 1 if words else 0
    return size if words > 0 else -size


def document_level(head, i_e, sentences):
    inferred = []
    for s_j in sentences:
        if head.options.sentence_inference:
            layer = head.matching_layer
            s_j = torch.relu(layer(torch.cat([s_j, i_e, s_j - i_e, s_j * i_e])))  # equation 10
        inferred.append(s_j)
    return attend(head.sentence_attention, lstm(head.document_lstm, inferred))  # equations 11 to 14


def attend(attention, states):
    scores = torch.stack([attention.outer.weight[0] @ torch.tanh(attention.inner(h)) for h in states])
    weights = scores.exp() / scores.exp().sum()
    return sum(weight * h for weight, h in zip(weights, states, strict=True))

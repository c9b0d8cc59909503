"""DocRE-II once more, slow and obvious: one pair, one overlapping pair, one equation at a time."""

import math

import torch


def docre_ii(head, pairs, bases):
    """Return the logits of the candidate pairs; `bases` holds the references of the base modules."""
    logits = {}
    layout = pairs.layout
    for passage in sorted(set(layout.entity_passage.tolist())):
        entities = [e for e, owner in enumerate(layout.entity_passage.tolist()) if owner == passage]
        cells = [(s, o) for s in entities for o in entities if s != o]
        if cells:
            logits |= of_passage(head, pairs.with_pairs(torch.tensor(cells)), bases)
    rows = [logits[tuple(pair)] for pair in layout.pairs.tolist()]
    return torch.stack(rows) if rows else torch.zeros(0, head.classifier.out_features)


def of_passage(head, pairs, bases):
    cells = [tuple(cell) for cell in pairs.layout.pairs.tolist()]
    first = bases[head.options.base](head.base, pairs)  # equations 1 to 4
    features = head.base.pair_features(pairs)
    features = {cell: head.reduce(features[i]) for i, cell in enumerate(cells)}
    logits = {cell: first[i] for i, cell in enumerate(cells)}
    for _ in range(head.options.passes):
        relations = {cell: head.relation_embedding.weight[label(head, logits[cell])] for cell in cells}
        f, r = features, relations
        for layer in head.layers:
            f, r = inference_layer(head, layer, f, r)
        for i, cell in enumerate(cells):
            refined = head.classifier(torch.cat([f[cell], r[cell]]))  # equation 12
            before = logits[cell] if head.options.mode == "reference" else first[i]
            logits[cell] = before + refined
    return logits


def label(head, logits):
    best = int(logits.argmax())
    if not head.threshold and logits[best] <= 0:
        return len(logits)
    return best


def inference_layer(head, layer, f, r):
    cells = list(f)
    m = torch.stack([torch.cat([f[cell], r[cell]]) for cell in cells])
    keys, values = layer.attention.key(m), layer.attention.value(m)
    rows = {e: [i for i, cell in enumerate(cells) if cell[0] == e] for e, _ in cells}
    columns = {e: [i for i, cell in enumerate(cells) if cell[1] == e] for e, _ in cells}
    new_f, new_r = {}, {}
    for s, o in cells:
        attended = [rows[s], columns[s], rows[o], columns[o]] if head.options.extended else [slice(None)] * 4
        found, related = (
            attention(layer.attention, name, own[s, o], keys, values, attended)
            for name, own in (("feature", f), ("relation", r))
        )
        if head.options.fusion:
            share = torch.sigmoid(layer.gate(torch.cat([found, related])))  # equation 8
            found = related = share * found + (1 - share) * related  # equation 9
        new_f[s, o] = layer.feature_norm(f[s, o] + feed_forward(layer.feature_update, found))  # equation 10
        new_r[s, o] = layer.relation_norm(r[s, o] + feed_forward(layer.relation_update, related))  # equation 11
    return new_f, new_r


def attention(unit, name, query, keys, values, attended):
    """Equations 5 to 7."""
    width = query.shape[0]
    part = width // 4
    start = 0 if name == "feature" else width
    projected = getattr(unit, f"{name}_query")(query)
    heads = []
    for h in range(4):
        q = projected[h * part : (h + 1) * part]
        columns = slice(start + h * part, start + (h + 1) * part)
        weights = (keys[attended[h], columns] @ q / math.sqrt(part)).softmax(0)  # equation 6
        heads.append(weights @ values[attended[h], columns])
    return getattr(unit, f"{name}_output")(torch.cat(heads))  # equation 7


def feed_forward(layer, x):
    return layer.outer(torch.relu(layer.inner([(x[None], None)])[0]))

"""DocuNet once more, slow and obvious: one cell of one map at a time."""

import torch

from tests.extractors.heads import references


def docunet(head, pairs):
    """Logits of every pair."""
    matrices = {}
    rows = []
    for h, t in pairs.layout.pairs.tolist():
        passage = int(pairs.layout.entity_passage[h])
        if passage not in matrices:
            matrices[passage] = relation_matrix(head, pairs, passage)
        y = matrices[passage][h, t]
        e_s, e_o = references.logsumexp_entity(pairs, h), references.logsumexp_entity(pairs, t)
        z_s = torch.tanh(apply(head.head_layer, torch.cat([e_s, y])))  # equation 7
        z_o = torch.tanh(apply(head.tail_layer, torch.cat([e_o, y])))  # equation 8
        rows.append(references.grouped_bilinear(head.bilinear, z_s, z_o))
    return references.stack(rows, head.bilinear.linear)


def apply(layer, x):
    return x @ layer.weight.T + layer.bias


def relation_matrix(head, pairs, passage):
    """Y of every pair of entities of a passage."""
    owners = pairs.layout.entity_passage.tolist()
    entities = [entity for entity, owner in enumerate(owners) if owner == passage]
    if not head.options.segmentation:
        return {
            (s, o): references.two_layers(head.reader, apply(head.image, features(head, pairs, s, o)))
            for s in entities
            for o in entities
        }
    mentions = {e: sorted(spans(pairs, e)) for e in entities}
    order = sorted(map(list, {tuple(found) for found in mentions.values()}))
    place = {e: order.index(mentions[e]) for e in entities}
    shown = [next(e for e in entities if place[e] == index) for index in range(len(order))]
    reference = head.options.mode == "reference"
    size = max(42, -(-len(entities) // 4) * 4) if reference else len(shown)
    image = {}
    for i in range(size):
        for j in range(size):
            outside = max(i, j) >= len(shown)
            s, o = (shown[min(k, len(shown) - 1)] for k in (i, j))
            if (s, o) not in image:
                image[s, o] = apply(head.image, features(head, pairs, s, o))
            image[i, j, "cell"] = image[s, o]
            if outside and head.options.features == "similarity":
                image[i, j, "cell"] = head.image.bias
    maps = torch.stack([torch.stack([image[i, j, "cell"] for j in range(size)]) for i in range(size)])
    read = u_shape(head.reader, maps, reference)
    return {(s, o): read[place[s], place[o]] for s in entities for o in entities}


def spans(pairs, entity):
    starts, ends = pairs.layout.mention_start.tolist(), pairs.layout.mention_end.tolist()
    return [(starts[s], ends[s]) for s in references.mentions_by_entity(pairs)[entity]]


def features(head, pairs, s, o):
    """F of equation 4, or of equation 3."""
    if head.options.features == "context":
        return references.context(pairs, s, o)
    e_s, e_o = references.logsumexp_entity(pairs, s), references.logsumexp_entity(pairs, o)
    cosine = e_s @ e_o / (e_s.norm() * e_o.norm())
    bilinear = head.bilinear_similarity(e_s) @ e_o
    return torch.cat([e_s * e_o, cosine[None], bilinear[None]])


def u_shape(net, maps, reference):
    """Maps of shape (size, size, channels), no padding unless the image has it."""
    first = two_convolutions(net.enter, maps)
    second = two_convolutions(net.down[0], halve(first, reference))
    third = two_convolutions(net.down[1], halve(second, reference))
    grown = enlarge(net, 0, third, second, reference)
    grown = two_convolutions(net.up[0], torch.cat([second, grown], 2))
    grown = enlarge(net, 1, grown, first, reference)
    grown = two_convolutions(net.up[1], torch.cat([first, grown], 2))
    return apply(net.leave, grown)


def two_convolutions(block, maps):
    for convolution, norm in zip(block.convolutions, block.norms, strict=True):
        maps = each(maps, lambda i, j, maps=maps, layer=convolution: convolve(layer, maps, i, j))
        if isinstance(norm, torch.nn.BatchNorm2d):
            maps = (maps - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        else:
            variance = maps.var(2, keepdim=True, correction=0)
            maps = (maps - maps.mean(2, keepdim=True)) / (variance + norm.eps).sqrt()
        maps = torch.relu(maps * norm.weight + norm.bias)
    return maps


def each(maps, value):
    return torch.stack([torch.stack([value(i, j) for j in range(len(maps))]) for i in range(len(maps))])


def convolve(layer, maps, i, j):
    total = layer.bias
    top, left = max(i - 1, 0), max(j - 1, 0)
    patch = maps[top : i + 2, left : j + 2]
    a, b = top - i + 1, left - j + 1
    weight = layer.weight[:, :, a : a + patch.shape[0], b : b + patch.shape[1]]
    return total + (weight * patch.permute(2, 0, 1)).sum((1, 2, 3))


def halve(maps, reference):
    """The maximum of every two by two cells; the published code drops an odd last one."""
    size = len(maps) // 2 if reference else -(-len(maps) // 2)
    rows = [
        torch.stack([maps[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].amax((0, 1)) for j in range(size)]) for i in range(size)
    ]
    return torch.stack(rows)


def enlarge(net, step, maps, like, reference):
    grown = torch.zeros(len(like), len(like), maps.shape[2])
    if not reference:
        weight, bias = net.grow[step].weight, net.grow[step].bias
        return each(like, lambda i, j: maps[i // 2, j // 2] @ weight[:, :, i % 2, j % 2] + bias)
    # Bilinear interpolation with corners on corners.
    size = len(maps)
    place = torch.arange(2 * size) * (size - 1) / (2 * size - 1)
    share = (1 - (place[:, None] - torch.arange(size)).abs()).clamp(min=0)
    grown[: 2 * size, : 2 * size] = torch.einsum("ia,jb,abc->ijc", share, share, maps)
    return grown

"""DocuNet (Zhang et al. 2021): relations of all pairs as the segmentation of an image.

There are two modes. `reference` is the published code: the map is 42 cells wide (wider only where a document has more
entities, which that code cut off), its padding holds the last entity again and again (zeros where features are
similarities) and is read like any other cell, batch normalisation counts it too, and maps grow again by bilinear
interpolation. `corrected` is the paper: maps are as large as the document needs, cells outside are hidden before and
after every convolution, normalisation looks at one cell at a time, and maps grow by deconvolution, so that nothing
depends on padding or on the other documents of a batch.

Both follow the code where it says more than the paper: the attention product is divided by its sum (equation 5 has a
softmax), Y is joined to the entities through a matrix (equations 7 and 8 have a sum), and the channels double once. The
code trains NA as an ordinary label: that is the loss `balanced-softmax-na`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from extractors.encoder.layers import ConcatLinear, Dropout, FeedForward
from extractors.heads.atlop import GroupedBilinear
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead
from extractors.heads.localized_context import localized_context
from schemas import Record

# Channels of the image, the height of W_3.
IMAGE = 3
# Maps are halved twice.
STEP = 4
# Width of the maps of the reference code: the most entities of a DocRED document.
REFERENCE_WIDTH = 42


class Options(Record, frozen=True, forbid_unknown_fields=True):
    """Choices of DocuNet.

    Attributes:
        features: what the image shows, the context of pairs or the similarity of their entities (table 4).
        segmentation: whether the U-shaped module reads the image; otherwise a feed-forward network reads each cell
            alone (table 4).
        mode: the published code or the paper, see above.
        channels: channels of the U-shaped module before it goes down, and width of Y; the published code has 256 for
            an encoder of width 768.
    """

    features: Literal["context", "similarity"] = "context"
    segmentation: bool = True
    mode: Literal["reference", "corrected"] = "corrected"
    channels: int = 128


class DocuNet(RelationHead):
    """An entity relation matrix, a U-shaped segmentation module over it, and a grouped bilinear form."""

    options_type = Options
    published_loss = "balanced-softmax"

    def __init__(self, sizes: HeadSizes, options: Options) -> None:
        nn.Module.__init__(self)
        width, channels = sizes.width, options.channels
        self.options = options
        if options.features == "similarity":
            self.bilinear_similarity = nn.Linear(width, width, bias=False)  # W_1 of equation 3
            self.image = nn.Linear(width + 2, IMAGE)  # W_3 of equation 6
        else:
            self.image = nn.Linear(width, IMAGE)  # W_3 W_2 of equations 4 and 6: nothing is between them
        self.reader: UShape | FeedForward
        if options.segmentation:
            self.reader = UShape(IMAGE, channels, options.mode == "reference")
        else:
            self.reader = FeedForward(IMAGE, channels, channels, sizes.dropout)
        self.head_layer = ConcatLinear(width + channels, width)
        self.tail_layer = ConcatLinear(width + channels, width)
        self.dropout = Dropout(sizes.dropout)
        self.bilinear = GroupedBilinear(width, sizes.classes)
        self.feature_width = 2 * width

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return [z_s; z_o]: shape (n, feature_width)."""
        head, tail = pairs.layout.pairs.unbind(1)
        entities, matrix = pairs.smooth_entities, self.relation_matrix(pairs)
        z_s = torch.tanh(self.head_layer([(entities, head), (matrix, None)]))  # equation 7
        z_o = torch.tanh(self.tail_layer([(entities, tail), (matrix, None)]))  # equation 8
        features: Tensor = self.dropout(torch.cat([z_s, z_o], 1))
        return features

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes): equation 9 without its sigmoid."""
        scores: Tensor = self.bilinear(*features.chunk(2, 1))
        return scores

    def relation_matrix(self, pairs: EntityPairs) -> Tensor:
        """Return Y_{s,o} of equation 6 for every candidate pair: shape (n, channels)."""
        if not len(pairs.layout.pairs):
            return pairs.mentions.new_zeros(0, self.options.channels)
        image = self.draw(pairs)
        if isinstance(self.reader, FeedForward):
            cells: Tensor = self.reader((image.flatten(0, 2)[pairs.grid.cell], None))
            return cells
        row, number = pairs.grid_row, appearance(pairs)
        passages, widest = pairs.grid.entity.shape
        reference = self.options.mode == "reference"
        size = max(-(-widest // STEP) * STEP, REFERENCE_WIDTH if reference else 0)
        # The column of the grid that comes to each place of the map.
        column = number.new_zeros(passages, size)
        inside = torch.zeros_like(column, dtype=torch.bool)
        column[row, number] = torch.arange(len(row), device=row.device) - pairs.grid.entity[row, 0]
        inside[row, number] = True
        if reference:
            last = column.gather(1, inside.sum(1, keepdim=True) - 1)
            column = torch.where(inside, column, last)
        image = image[torch.arange(passages, device=row.device)[:, None, None], column[:, :, None], column[:, None, :]]
        if reference and self.options.features == "similarity":
            both = inside[:, :, None] & inside[:, None, :]
            image = torch.where(both[..., None], image, self.image.bias.to(image.dtype))  # W_3 of zeros
        read = self.reader(image, inside)
        s, o = pairs.layout.pairs.unbind(1)
        matrix: Tensor = read[row[s], number[s], number[o]]
        return matrix

    def draw(self, pairs: EntityPairs) -> Tensor:
        """Return the image W_3 F: shape (rows, widest, widest, IMAGE), entities as in the grid."""
        weight, bias = self.image.weight, self.image.bias
        if self.options.features == "context":
            # W (H^T a) = (W H^T) a: states are made small before they are averaged.
            return localized_context(pairs, functional.linear(pairs.padded_states, weight)) + bias
        entities = functional.embedding(pairs.grid.entity, pairs.smooth_entities)  # (rows, widest, width)
        product, cosine, bilinear = torch.split(weight, [entities.shape[2], 1, 1], dim=1)
        turned = entities.transpose(1, 2)
        unit = functional.normalize(entities.float(), dim=2).to(entities.dtype)
        # Equation 3, each similarity times its column of W_3; nothing of the size pairs x width is made.
        drawn: Tensor = (entities[:, None] * product[:, None, :]) @ turned[:, None]
        drawn = drawn + cosine[:, :, None] * (unit @ unit.transpose(1, 2))[:, None]
        drawn = drawn + bilinear[:, :, None] * (self.bilinear_similarity(entities) @ turned)[:, None]
        return drawn.permute(0, 2, 3, 1) + bias


def appearance(pairs: EntityPairs) -> Tensor:
    """Number the entities of every passage by their first mention, those that share it by their next one: shape (e,).

    Entities with the same mentions cannot be distinguished: they share a number, and so a row and a column of the map.
    Thus the order in which entities are listed does not matter.
    """
    layout = pairs.layout
    owner = layout.mention_entity
    words = len(pairs.encoded.words.sentence) + 1
    place = layout.mention_start * words + layout.mention_end
    order = torch.argsort(owner * words**2 + place)
    rank = torch.arange(len(owner), device=owner.device) - layout.entity_first[owner]
    mentions = place.new_full((len(layout.entity_count), int(layout.entity_count.max())), -1)
    mentions[owner, rank] = place[order]
    _, number = torch.unique(mentions, dim=0, return_inverse=True)
    passage = layout.entity_passage
    least = number.new_full((int(passage.max()) + 1,), len(number))
    least = least.scatter_reduce(0, passage, number, "amin")
    numbers: Tensor = number - least[passage]
    return numbers


class UShape(nn.Module):
    """Two steps down and two up, each step up joined with the map of its size from the way down (section 3.3).

    Args:
        inputs: channels of the image.
        channels: channels before the first step down and of the result.
        reference: whether to work as the published code, see above.
    """

    def __init__(self, inputs: int, channels: int, reference: bool) -> None:
        super().__init__()
        self.reference = reference
        self.enter = TwoConvolutions(inputs, channels, reference)
        self.down = nn.ModuleList(
            [TwoConvolutions(channels, 2 * channels, reference), TwoConvolutions(2 * channels, 2 * channels, reference)]
        )
        self.grow = nn.ModuleList()
        if not reference:
            self.grow.append(nn.ConvTranspose2d(2 * channels, 2 * channels, 2, stride=2))
            self.grow.append(nn.ConvTranspose2d(channels, channels, 2, stride=2))
        self.up = nn.ModuleList(
            [
                TwoConvolutions(4 * channels, channels, reference),
                TwoConvolutions(2 * channels, channels // 2, reference),
            ]
        )
        self.leave = nn.Linear(channels // 2, channels)
        # The layout that convolutions like, once and not in every pass.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, inside: Tensor) -> Tensor:
        """Read an image.

        Args:
            image: shape (b, size, size, inputs); size is a multiple of four, except in reference mode.
            inside: which rows and columns are entities, shape (b, size).

        Returns:
            Shape (b, size, size, channels).
        """
        # Channels come second from here on, but stay last in memory, as convolutions like it.
        values = image.permute(0, 3, 1, 2)
        mask = (inside[:, None, :, None] & inside[:, None, None, :]).to(values.dtype)
        if self.reference:
            mask = torch.ones_like(mask)
        masks, maps = [mask], [self.enter(values * mask, mask)]
        for step in self.down:
            # Values are not below zero and zero outside, so the maximum of a window never comes from outside.
            mask = functional.max_pool2d(masks[-1], 2)
            masks.append(mask)
            maps.append(step(functional.max_pool2d(maps[-1], 2), mask))
        values = maps.pop()
        for index, step in enumerate(self.up):
            skipped, mask = maps.pop(), masks[1 - index]
            grown = self._interpolate(values, skipped) if self.reference else self.grow[index](values) * mask
            values = step(torch.cat([skipped, grown], 1), mask)
        result: Tensor = self.leave(values.permute(0, 2, 3, 1))
        return result

    @staticmethod
    def _interpolate(values: Tensor, like: Tensor) -> Tensor:
        """Return maps of twice the size, with zeros after the end where an odd size was halved."""
        grown = functional.interpolate(values, scale_factor=2, mode="bilinear", align_corners=True)
        missing = like.shape[2] - grown.shape[2]
        return functional.pad(grown, (0, missing, 0, missing))


class TwoConvolutions(nn.Module):
    """Two convolutions of 3 x 3 cells, each normalised and rectified.

    Args:
        inputs, outputs: channels.
        reference: whether to normalise over the batch; otherwise over the channels of each cell.
    """

    def __init__(self, inputs: int, outputs: int, reference: bool) -> None:
        super().__init__()
        kind = nn.BatchNorm2d if reference else ChannelNorm
        self.convolutions = nn.ModuleList(nn.Conv2d(size, outputs, 3, padding=1) for size in (inputs, outputs))
        self.norms = nn.ModuleList(kind(outputs) for _ in range(2))

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return maps of shape (b, outputs, h, w), zero where the mask (b, 1, h, w) is."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            values = torch.relu(norm(convolution(values))) * mask
        return values


class ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each cell of a map of shape (b, channels, h, w)."""

    def forward(self, values: Tensor) -> Tensor:
        """Return the normalised map."""
        return super().forward(values.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

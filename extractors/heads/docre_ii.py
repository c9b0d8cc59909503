"""DocRE-II (Zhang et al. 2022): relations of pairs refined from the predictions of overlapping pairs, pass by pass."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from extractors.encoder.layers import Dropout, FeedForward
from extractors.encoder.self_attention import attend
from extractors.heads.base import EntityPairs, HeadSizes, PairLoss, RelationHead
from extractors.heads.losses import mean
from schemas import Record

Count = Annotated[int, msgspec.Meta(ge=1)]

# Attention heads: row s, column s, row o and column o of the pair (s, o).
HEADS = 4
# The noise rate is drawn from U(0, NOISE), section 3.2.
NOISE = 0.4


class Options(Record, frozen=True, forbid_unknown_fields=True):
    """Choices of the paper, with the ablations of tables 2 and 4.

    Attributes:
        layers: inference layers, N_I.
        passes: refinement passes at inference, K.
        width: width of the inference module, a multiple of four. The paper's is that of the encoder; a third of it
            does for compact encoders.
        fusion: whether the fusion sub-layer joins what both attentions found (equations 8 and 9).
        extended: whether a pair attends to the overlapping pairs only; otherwise to all pairs (`w/o ECA`), which takes
            time n^4 for n entities.
        contrastive: whether the contrastive loss is used (equation 14).
        mode: `reference` adds the logits of all passes to those of the base module, as the published code does,
            though it trains those of one pass alone, and puts noise on all pairs alike, as the paper says.
            `corrected` adds the logits of the last pass to those of the base module, in training as later: the
            inference module starts as no change at all and learns what to mend. It puts noise on as many unrelated
            pairs as related ones: at equal shares, the relations invented would outnumber the predicted ones many
            times.
        base: base module, any head with pair features.
        base_options: its options; None for those of the paper (equations 2 to 4) or else the head's own.
    """

    layers: Count = 2
    passes: Count = 3
    width: Annotated[int, msgspec.Meta(ge=HEADS, multiple_of=HEADS)] = 128
    fusion: bool = True
    extended: bool = True
    contrastive: bool = True
    mode: Literal["reference", "corrected"] = "corrected"
    base: str = "atlop"
    base_options: dict[str, Any] | None = None


class IterativeInference(RelationHead):
    """A base module predicts every pair; an inference module refines its predictions K times.

    It sees the map of all ordered pairs of the entities of a passage, whichever of them are asked for. Cells of padding
    and of an entity with itself are no pairs: nothing attends to them.

    Attributes:
        base_only: whether the head is its base module alone, as in the first stage of training.
    """

    options_type = Options
    published_loss = "adaptive-threshold"
    base_name = "base"

    @classmethod
    def base_choice(cls, options: Options) -> tuple[str, dict[str, Any]]:
        """Return name and options of the base module: ATLOP with a linear classifier (equations 2 to 4) by default."""
        own: dict[str, Any] = {"classifier": "linear"} if options.base == "atlop" else {}
        return options.base, own if options.base_options is None else options.base_options

    def start_stage(self, base_only: bool) -> None:
        """Train the whole head, or in the first stage of the paper the base module alone."""
        self.base_only = base_only

    def __init__(self, sizes: HeadSizes, options: Options, base: RelationHead) -> None:
        nn.Module.__init__(self)
        if not base.has_pair_features():
            raise ValueError(f"the head '{options.base}' has no pair features: choose another base module")
        self.options = options
        self.base_only = False
        self.base = base
        width = options.width
        self.threshold = sizes.threshold
        # The last label is "no relation": the threshold class where there is one.
        self.labels = sizes.classes + (not sizes.threshold)
        self.reduce = nn.Linear(self.base.feature_width, width)
        self.relation_embedding = nn.Embedding(self.labels, width)
        self.layers = nn.ModuleList(InferenceLayer(width, options, sizes.dropout) for _ in range(options.layers))
        self.dropout = Dropout(sizes.dropout)
        self.classifier = nn.Linear(2 * width, sizes.classes)
        if options.mode == "corrected":
            nn.init.zeros_(self.classifier.weight)
            nn.init.zeros_(self.classifier.bias)
        if options.contrastive:
            self.predictor = FeedForward(2 * width, width, 2 * width, sizes.dropout)

    def forward(self, pairs: EntityPairs) -> Tensor:
        """Return logits of shape (n, classes)."""
        if self.base_only:
            logits: Tensor = self.base(pairs)
            return logits
        features, base, mask = self._base_maps(pairs)
        adds_up = self.options.mode == "reference"
        inside = mask.flatten()
        logits, labels = base, self._predicted(base)
        for _ in range(self.options.passes):
            relations = self.relation_embedding(labels)
            refined = self.classifier(self._infer(features, relations, mask))  # equation 12 without its sigmoid
            logits = (logits if adds_up else base) + refined
            before, labels = labels, self._predicted(logits)
            if not adds_up and torch.equal(labels[inside], before[inside]):
                break  # the passes that are left would say the same
        return logits[pairs.grid.cell]

    def losses(self, pairs: EntityPairs, loss: PairLoss, targets: Tensor) -> dict[str, Tensor]:
        """Return the losses of a stage: {relation} in the first, {relation, base, contrastive} in the second.

        In the first stage `relation` is L_R (equation 13) of the base module. In the second it is L_R of one pass of
        the inference module from noisy predictions; `base` is L_R of the base module, which goes on learning (argmax
        passes no gradient), and `contrastive` is L_C. The stage minimises their sum.
        """
        if self.base_only:
            return {"relation": mean(loss(self.base(pairs), targets))}
        features, logits, mask = self._base_maps(pairs)
        predicted = self._predicted(logits).detach()
        cell = pairs.grid.cell
        first = self._infer(features, self.relation_embedding(self._with_noise(predicted, mask)), mask)[cell]
        refined = self.classifier(self.dropout(first))
        if self.options.mode == "corrected":
            refined = logits[cell] + refined
        found = {
            "relation": mean(loss(refined, targets)),
            "base": mean(loss(logits[cell], targets)),
        }
        if self.options.contrastive:
            # Features and relations change places, so that the module must read both alike (figure 4).
            second = self._infer(self.relation_embedding(self._with_noise(predicted, mask)), features, mask)[cell]
            found["contrastive"] = mean(self._contrast(first, second))
        return found

    def _base_maps(self, pairs: EntityPairs) -> tuple[Tensor, Tensor, Tensor]:
        """Return F_0, the base module's logits, and which cells are pairs.

        Shapes (cells, width), (cells, classes) and (rows, widest, widest) with cells = rows * widest * widest.
        """
        mask = pair_cells(pairs)
        row, head, tail = mask.nonzero().unbind(1)
        entity = pairs.grid.entity
        everything = pairs.with_pairs(torch.stack([entity[row, head], entity[row, tail]], 1))
        features = self.base.pair_features(everything)
        place = mask.flatten().nonzero().squeeze(1)

        def as_map(values: Tensor) -> Tensor:
            return values.new_zeros(mask.numel(), values.shape[1]).index_copy(0, place, values)

        return as_map(self.reduce(features)), as_map(self.base.classify(features)), mask

    def _infer(self, features: Tensor, relations: Tensor, mask: Tensor) -> Tensor:
        """Return M_{N_I} = [F_{N_I}, R_{N_I}]: shape (cells, 2 width)."""
        for layer in self.layers:
            features, relations = layer(features, relations, mask)
        return torch.cat([features, relations], 1)

    def _predicted(self, logits: Tensor) -> Tensor:
        """Return the label of every cell: its most probable class, or the last label."""
        if not self.threshold:  # no relation holds where no logit is above zero
            logits = functional.pad(logits, (0, 1))
        return logits.argmax(1)

    def _with_noise(self, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the labels with a share r ~ U(0, 0.4) of those of each passage replaced by wrong ones."""
        rate = NOISE * torch.rand(len(mask), 1, 1, device=mask.device)
        if self.options.mode == "corrected":
            related = (labels.view(mask.shape) < self.labels - 1) & mask
            unrelated = mask & ~related
            ratio = related.sum((1, 2), keepdim=True) / unrelated.sum((1, 2), keepdim=True).clamp(min=1)
            rate = rate * torch.where(related, 1.0, ratio.clamp(max=1.0))
        replaced = torch.rand(mask.shape, device=mask.device) < rate
        wrong = (labels + torch.randint_like(labels, 1, self.labels)) % self.labels
        return torch.where(replaced.flatten(), wrong, labels)

    def _contrast(self, first: Tensor, second: Tensor) -> Tensor:
        """Return L_C of every pair (equation 14): shape (n,)."""
        predict = self.predictor

        def cosine(one: Tensor, other: Tensor) -> Tensor:
            return functional.cosine_similarity(predict((one, None)).float(), other.detach().float(), dim=1)

        return 2 - (cosine(second, first) + cosine(first, second))


class InferenceLayer(nn.Module):
    """Feature- and relation-level inference over the map of pairs, and their fusion (equations 5 to 11)."""

    def __init__(self, width: int, options: Options, dropout: float) -> None:
        super().__init__()
        self.attention = CrossAttentions(width, options.extended)
        self.gate = nn.Linear(2 * width, width) if options.fusion else None
        self.feature_update = FeedForward(width, width, width, dropout)
        self.relation_update = FeedForward(width, width, width, dropout)
        self.feature_norm = nn.LayerNorm(width)
        self.relation_norm = nn.LayerNorm(width)

    def forward(self, features: Tensor, relations: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return F_{l+1} and R_{l+1} for F_l and R_l, all of shape (cells, width)."""
        found, related = self.attention(features, relations, mask)
        if self.gate is not None:
            share = torch.sigmoid(self.gate(torch.cat([found, related], 1)))  # equation 8
            found = related = share * found + (1 - share) * related  # equation 9
        features = self.feature_norm(features + self.feature_update((found, None)))  # equation 10
        relations = self.relation_norm(relations + self.relation_update((related, None)))  # equation 11
        return features, relations


class CrossAttentions(nn.Module):
    """The two extended cross attentions of a layer (equations 5 to 7), made at once.

    A pair attends to the row and the column of either of its entities, with one head for each.

    Args:
        width: width of features and of relations.
        extended: otherwise all heads attend to all pairs of the passage.
    """

    def __init__(self, width: int, extended: bool) -> None:
        super().__init__()
        self.attend = _along_lines if extended else _everywhere
        self.feature_query = nn.Linear(width, width)
        self.relation_query = nn.Linear(width, width)
        # Keys and values of the four heads over features, then of the four over relations.
        self.key = nn.Linear(2 * width, 2 * width)
        self.value = nn.Linear(2 * width, 2 * width)
        self.feature_output = nn.Linear(width, width)
        self.relation_output = nn.Linear(width, width)

    def forward(self, features: Tensor, relations: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what every cell finds for its features and its relations: two of shape (cells, width).

        Args:
            features, relations: F_l and R_l, shape (cells, width).
            mask: which cells are pairs, shape (rows, widest, widest).
        """
        matrix = torch.cat([features, relations], 1)
        query = torch.cat([self.feature_query(features), self.relation_query(relations)], 1)
        found = self.attend(query, self.key(matrix), self.value(matrix), mask)
        for_features, for_relations = found.chunk(2, 1)
        return self.feature_output(for_features), self.relation_output(for_relations)


# Whether a head reads the map transposed: queries in the lines of the object, keys in columns.
OF_OBJECT = (False, False, True, True)
COLUMN = (False, True, False, True)


def _along_lines(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attend along lines of the map, batched over all of them: no cell has keys of its own.

    Queries of the pair (s, o) lie in line s for the heads of the subject and in line o for those of the object; the
    keys of a line are its row or its column. Scores take 8 n^3 values for n entities.
    """
    rows, widest, _ = mask.shape
    part = query.shape[1] // (2 * HEADS)

    def lines(values: Tensor, turned: tuple[bool, ...]) -> Tensor:
        """Return the values as (rows x lines, head x unit, place in the line, width / heads)."""
        by_head = values.view(rows, widest, widest, 2, HEADS, part).unbind(4)
        orders = ((0, 2, 3, 1, 4) if turn else (0, 1, 3, 2, 4) for turn in turned)
        stacked = torch.stack([head.permute(order) for head, order in zip(by_head, orders, strict=True)], 2)
        return stacked.flatten(2, 3).flatten(0, 1)

    q, k, v = lines(query, OF_OBJECT), lines(key, COLUMN), lines(value, COLUMN)
    # Lines without any pair get finite values that nobody reads. The mask is the same for rows and columns.
    bias = torch.where(mask, 0.0, -1e9).to(q.dtype).flatten(0, 1)[:, None, None, :]
    found = attend(q, k, v, bias).view(rows, widest, HEADS, 2, widest, part)  # equation 6
    orders = ((0, 3, 1, 2, 4) if turn else (0, 1, 3, 2, 4) for turn in OF_OBJECT)
    heads = [head.permute(order) for head, order in zip(found.unbind(2), orders, strict=True)]
    return torch.stack(heads, 4).view(query.shape)


def _everywhere(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attend to all pairs of the passage: n^4 products for n entities, done in blocks that are never held at once."""
    rows, widest, _ = mask.shape
    part = query.shape[1] // (2 * HEADS)
    q, k, v = (values.view(rows, widest**2, 2 * HEADS, part).transpose(1, 2) for values in (query, key, value))
    bias = torch.where(mask, 0.0, -1e9).to(q.dtype).view(rows, 1, 1, widest**2)
    found = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    return found.transpose(1, 2).reshape(query.shape)


def pair_cells(pairs: EntityPairs) -> Tensor:
    """Return which cells of the grid are ordered pairs of different entities: shape (rows, widest, widest)."""
    inside = pairs.grid.inside
    other = ~torch.eye(inside.shape[1], dtype=torch.bool, device=inside.device)
    return inside[:, :, None] & inside[:, None, :] & other

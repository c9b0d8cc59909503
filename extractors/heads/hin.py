"""HIN (Tang et al. 2020): inference from entities to sentences to the document.

No code was published: this is built from the paper. Where it leaves a choice, words are the means of their pieces,
d is 128 for both directions of an LSTM together (section 4.3), the subspaces have half that width, G_e and G_s are one
layer with ReLU, and distances in words are taken by powers of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from extractors.encoder.encoder import ORDERS
from extractors.encoder.layers import ConcatLinear, Dropout, Part
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead, init_low_bias
from extractors.heads.recurrent import AttentionPool, BiLSTM
from schemas import Record

# Widths of section 4.3: of projected words, and of the embeddings of types, coreference and distances.
WORD = 100
EMBEDDING = 20
# Distances are 0, and 1, 2, 4, ... words up to 2^8 and more, in both directions.
DISTANCES = 9
# Numbers held at once for pairs x sentences; more pairs are done in blocks.
CELLS = 1 << 22


class Options(Record, frozen=True, forbid_unknown_fields=True):
    """Choices of HIN, with the ablations of table 2.

    Attributes:
        hidden: d, width of the LSTMs' states and of everything inferred from them.
        subspaces: K of equation 3; 1 is without multispace.
        translation: whether the entity level has the part E_b - E_a.
        bilinear: whether it has the bi-affine part.
        sentence_inference: whether sentences are matched with the pair (equation 10); otherwise their vectors are used.
        hierarchical: whether the document is inferred from its sentences (equations 6 to 14); otherwise it is the mean
            of a BiLSTM over its words.
    """

    hidden: Annotated[int, msgspec.Meta(ge=4, multiple_of=4)] = 128
    subspaces: Annotated[int, msgspec.Meta(ge=1)] = 2
    translation: bool = True
    bilinear: bool = True
    sentence_inference: bool = True
    hierarchical: bool = True


class HierarchicalInference(RelationHead):
    """Entity-level, sentence-level and document-level inference."""

    options_type = Options

    def __init__(self, sizes: HeadSizes, options: Options) -> None:
        nn.Module.__init__(self)
        hidden = options.hidden
        self.options = options
        self.word_layer = nn.Linear(sizes.width, WORD)
        self.type_embedding = nn.Embedding(sizes.types + 1, EMBEDDING)  # the last one: no entity
        self.coreference_embedding = nn.Embedding(ORDERS + 1, EMBEDDING)
        inputs = WORD + 2 * EMBEDDING
        self.entity_lstm = BiLSTM(inputs, hidden)
        self.entity_level = EntityLevel(options)
        if options.hierarchical:
            self.sentence_lstm = BiLSTM(inputs, hidden)
            self.word_attention = AttentionPool(hidden)
            if options.sentence_inference:
                self.matching_layer = nn.Linear(4 * hidden, hidden)
            self.document_lstm = BiLSTM(hidden, hidden)
            self.sentence_attention = AttentionPool(hidden)
        else:
            self.document_lstm = BiLSTM(inputs, hidden)
        self.dropout = Dropout(sizes.dropout)
        self.classifier = nn.Linear(2 * hidden, sizes.classes)
        init_low_bias(self.classifier)
        self.feature_width = 2 * hidden

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return [I_e; I_d]: shape (n, feature_width)."""
        if not len(pairs.layout.pairs):
            return pairs.mentions.new_zeros(0, self.feature_width)
        words = find_words(pairs)
        inputs = self.dropout(self.read_words(pairs, words))
        states = self.entity_lstm(words.documents.pad(inputs), words.documents.lengths)  # equation 1
        entities = entity_vectors(pairs, words, words.documents.join(states))
        entity_level = self.dropout(self.entity_level(pairs, entities))
        document_level = self.dropout(self.infer_documents(pairs, words, inputs, entity_level))
        return torch.cat([entity_level, document_level], 1)

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes): equation 15 without its sigmoid."""
        scores: Tensor = self.classifier(features)
        return scores

    def read_words(self, pairs: EntityPairs, words: WordRows) -> Tensor:
        """Return the words with the types and numbers of their entities (section 3.1): shape (words, inputs)."""
        projected = self.word_layer(functional.embedding(words.pieces, pairs.encoded.rows))
        total = projected.new_zeros(len(words.chosen), WORD, dtype=torch.float32)
        total = total.index_add(0, words.word_of_piece, projected.float())
        mean = (total / words.piece_count[:, None]).to(projected.dtype)
        types, orders = entity_of_word(pairs, self.type_embedding.num_embeddings - 1)
        types, orders = types[words.chosen], orders[words.chosen]
        return torch.cat([mean, self.type_embedding(types), self.coreference_embedding(orders)], 1)

    def infer_documents(self, pairs: EntityPairs, words: WordRows, inputs: Tensor, entity_level: Tensor) -> Tensor:
        """Return I_d of every pair (section 3.3): shape (n, hidden)."""
        row = pairs.grid_row[pairs.layout.pairs[:, 0]]
        if not self.options.hierarchical:
            lengths = words.documents.lengths
            states = self.document_lstm(words.documents.pad(inputs), lengths)
            means: Tensor = states.sum(1, dtype=torch.float32) / lengths[:, None]
            return means.to(states.dtype)[row]
        lengths = words.sentences.lengths
        states = self.sentence_lstm(words.sentences.pad(inputs), lengths)  # equation 6
        sentences = words.document_sentences.pad(self.word_attention(states, lengths))  # equations 7 to 9
        if not self.options.sentence_inference:
            return self._aggregate(sentences, words.document_sentences.lengths)[row]
        # Equation 10, W [S; I; S - I; S o I]: what concerns sentences or pairs alone is multiplied once for each.
        first, second, third, fourth = self.matching_layer.weight.chunk(4, 1)
        of_sentence = functional.linear(sentences, first + third, self.matching_layer.bias)
        of_pair = functional.linear(entity_level, second - third)
        block = max(1, CELLS // sentences[0].numel())
        blocks = []
        for part in torch.split(torch.arange(len(row), device=row.device), block):
            product = functional.linear(sentences[row[part]] * entity_level[part, None], fourth)
            matched = torch.relu(of_sentence[row[part]] + of_pair[part, None] + product)
            blocks.append(self._aggregate(matched, words.document_sentences.lengths[row[part]]))
        return torch.cat(blocks)

    def _aggregate(self, sentences: Tensor, lengths: Tensor) -> Tensor:
        """Return I_d from the sentences of documents or of pairs (equations 11 to 14): shape (b, hidden)."""
        states = self.document_lstm(sentences, lengths)
        pooled: Tensor = self.sentence_attention(states, lengths)
        return pooled


class EntityLevel(nn.Module):
    """Inference from the two entities of a pair in several subspaces (equations 3 to 5)."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        hidden, count = options.hidden, options.subspaces
        self.options = options
        self.width = width = hidden // 2
        self.project_in = nn.Linear(hidden, count * hidden, bias=False)  # W^(0) of all subspaces
        self.project_out = nn.Parameter(torch.empty(count, hidden, width))  # W^(1)
        nn.init.normal_(self.project_out, std=hidden**-0.5)
        if options.bilinear:
            self.biaffine = nn.Parameter(torch.empty(count, width, width, width))  # R, from head to output to tail
            nn.init.normal_(self.biaffine, std=1 / width)
        parts = 2 + options.translation + options.bilinear
        self.distance_embedding = nn.Embedding(2 * DISTANCES + 1, EMBEDDING)
        self.output_layer = ConcatLinear(parts * count * width + EMBEDDING, hidden)

    def forward(self, pairs: EntityPairs, entities: Tensor) -> Tensor:
        """Return I_e from the entities (e, hidden): shape (n, hidden)."""
        head, tail = pairs.layout.pairs.unbind(1)
        count = self.options.subspaces
        inner = torch.relu(self.project_in(entities)).view(len(entities), count, -1)
        spaces = (inner.transpose(0, 1) @ self.project_out).transpose(0, 1).contiguous()  # equation 3: (e, K, width)
        flat = spaces.flatten(1)
        parts: list[Part] = []
        if self.options.bilinear:
            parts.append((self._biaffine(pairs, spaces), None))
        if self.options.translation:
            parts.append((flat[tail] - flat[head], None))
        # M(d_ba) - M(d_ab) of equation 5: one distance is the negative of the other.
        table = self.distance_embedding.weight
        parts += [(flat, head), (flat, tail), (table - table.flip(0), distance(pairs, head, tail))]
        return torch.relu(self.output_layer(parts))

    def _biaffine(self, pairs: EntityPairs, spaces: Tensor) -> Tensor:
        """Return E_a R E_b of every pair in all subspaces: shape (n, K * width)."""
        grid, width = pairs.grid, self.width
        passages, widest = grid.entity.shape
        # Heads are multiplied by R once, not once for each pair.
        turned = (spaces.transpose(0, 1) @ self.biaffine.flatten(2)).transpose(0, 1)  # (e, K, output * tail)
        turned = turned[grid.entity].transpose(1, 2).reshape(passages, -1, widest * width, width)
        tails = spaces[grid.entity].permute(0, 2, 3, 1)  # (rows, K, width, widest)
        product = (turned @ tails).view(passages, -1, widest, width, widest)  # rows, K, head, output, tail
        return product.permute(0, 2, 4, 1, 3).flatten(0, 2).flatten(1)[grid.cell]


def distance(pairs: EntityPairs, head: Tensor, tail: Tensor) -> Tensor:
    """Return d_ba, the distance in words of the first mention of b from that of a, as a row of M: shape (n,)."""
    layout = pairs.layout
    first = torch.full_like(layout.entity_first, len(pairs.encoded.words.sentence))
    first = first.scatter_reduce(0, layout.mention_entity, layout.mention_start, "amin")
    words = first[tail] - first[head]
    size = torch.log2(words.abs().clamp(min=1).float()).long().clamp(max=DISTANCES - 1) + 1
    return DISTANCES + words.sign() * size


def entity_of_word(pairs: EntityPairs, types: int) -> tuple[Tensor, Tensor]:
    """Return type and number of the entity of every encoded word, `types` and ORDERS where there is none.

    Where mentions overlap, those of the shorter one count.
    """
    word, mention = mention_words(pairs)
    layout = pairs.layout
    entity = layout.mention_entity
    order = pairs.first_mentions.clamp(max=ORDERS - 1)[entity]
    key = ((layout.mention_end - layout.mention_start) * (ORDERS + 1) + order) * (types + 1) + pairs.types[entity]
    # The largest key means no entity.
    count = len(pairs.encoded.words.sentence)
    least = torch.full((count,), (count + 2) * (ORDERS + 1) * (types + 1) - 1, device=word.device)
    least = least.scatter_reduce(0, word, key[mention], "amin")
    return least % (types + 1), least // (types + 1) % (ORDERS + 1)


def mention_words(pairs: EntityPairs) -> tuple[Tensor, Tensor]:
    """Return (word, mention) for every word of every mention, both of shape (k,)."""
    layout = pairs.layout
    length = layout.mention_end - layout.mention_start
    mention = torch.repeat_interleave(torch.arange(len(length), device=length.device), length)
    before = length.cumsum(0) - length
    return layout.mention_start[mention] + torch.arange(len(mention), device=length.device) - before[mention], mention


def entity_vectors(pairs: EntityPairs, words: WordRows, states: Tensor) -> Tensor:
    """Return the entities, means of mentions, which are means of words (equation 2): from (words, d) to (e, d)."""
    word, mention = mention_words(pairs)
    layout = pairs.layout
    mentions = states.new_zeros(len(layout.mention_start), states.shape[1], dtype=torch.float32)
    mentions = mentions.index_add(0, mention, states[words.place[word]].float())
    mentions = mentions / (layout.mention_end - layout.mention_start)[:, None]
    entities = mentions.new_zeros(len(layout.entity_count), states.shape[1])
    entities = entities.index_add(0, layout.mention_entity, mentions) / layout.entity_count[:, None]
    return entities.to(states.dtype)


@dataclass(frozen=True)
class Sequences:
    """Consecutive rows of a matrix as padded sequences.

    Attributes:
        index: row in each cell, any row where there is none, shape (b, longest).
        inside: where there is one, shape (b, longest).
        lengths: shape (b,).
    """

    index: Tensor
    inside: Tensor
    lengths: Tensor

    def pad(self, rows: Tensor) -> Tensor:
        """Return the rows as sequences, zeros after their ends: shape (b, longest, width)."""
        return functional.embedding(self.index, rows) * self.inside[:, :, None]

    def join(self, values: Tensor) -> Tensor:
        """Return the rows of sequences of shape (b, longest, width) one after the other."""
        return values[self.inside]


def cut(lengths: NDArray[np.int64], device: torch.device) -> Sequences:
    """Return concatenated sequences of the given lengths."""
    start = np.cumsum(lengths) - lengths
    column = np.arange(lengths.max())
    inside = column < lengths[:, None]
    index = np.where(inside, start[:, None] + column, 0)
    return Sequences(*(torch.from_numpy(values).to(device) for values in (index, inside, lengths)))


@dataclass(frozen=True)
class WordRows:
    """The words of the passages that have entities, one after the other.

    Attributes:
        chosen: the words among all that were encoded, shape (w,).
        place: the reverse, shape (encoded words,).
        pieces, word_of_piece: all their pieces, and the word of each, counted among the chosen ones.
        piece_count: pieces of each word, shape (w,).
        documents: words of each passage, in the order of the grid.
        sentences: words of each sentence.
        document_sentences: sentences of each passage.
    """

    chosen: Tensor
    place: Tensor
    pieces: Tensor
    word_of_piece: Tensor
    piece_count: Tensor
    documents: Sequences
    sentences: Sequences
    document_sentences: Sequences


def find_words(pairs: EntityPairs) -> WordRows:
    """Return the positions of the words and sentences of the passages of the grid."""
    words = pairs.encoded.words
    passages = pairs.grid.passage.cpu().numpy()
    known = np.isin(words.passage, passages)
    chosen = known.nonzero()[0]
    pieces = np.diff(words.piece)
    sentence, lengths = np.unique(words.sentence[chosen], return_counts=True)
    # Sentences of different passages have different numbers, in the order of the passages.
    first = words.sentence[words.first[passages]]
    count = np.diff(np.append(np.searchsorted(sentence, first), len(sentence)))
    device = pairs.encoded.device
    place = pairs.encoded.to_device
    return WordRows(
        chosen=place(chosen),
        place=place(np.cumsum(known) - 1),
        pieces=place(np.repeat(known, pieces).nonzero()[0]),
        word_of_piece=place(np.repeat(np.arange(len(chosen)), pieces[chosen])),
        piece_count=place(pieces[chosen]),
        documents=cut(np.diff(words.first)[passages], device),
        sentences=cut(lengths, device),
        document_sentences=cut(count, device),
    )

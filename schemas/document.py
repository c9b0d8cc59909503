"""Documents with tokens and character offsets, annotations of their source, and extractions."""

from __future__ import annotations

from schemas.record import Record


class Mention(Record, frozen=True):
    """A span of one sentence that names an entity.

    Attributes:
        start: first token, counted over the whole document.
        end: one past the last token.
        type: entity type, or None if the source has none.
        kb_ids: ids that the span refers to, for example `("wiki:Douglas Adams",)` or `("mesh:D008094",)`.
    """

    start: int
    end: int
    type: str | None = None
    kb_ids: tuple[str, ...] = ()


class Entity(Record, frozen=True):
    """A cluster of mentions in one document, with its type.

    Attributes:
        mentions: in ascending order.
        type: entity type.
        kb_ids: knowledge-base ids of the entity.
        link_probability: calibrated probability that these are right; 1.0 for ids of the source.
    """

    mentions: tuple[Mention, ...]
    type: str
    kb_ids: tuple[str, ...] = ()
    link_probability: float = 1.0


class Fact(Record, frozen=True):
    """A relation between two entities of one document.

    Attributes:
        head, tail: indices into the document's entities.
        relation: id in the relation schema.
        probability: calibrated probability that the document states it; 1.0 for annotations.
        evidence: indices of the supporting sentences, ascending.
    """

    head: int
    relation: str
    tail: int
    probability: float = 1.0
    evidence: tuple[int, ...] = ()


class Section(Record, frozen=True):
    """A heading of the source and the first token of the text below it."""

    title: str
    start: int


class Document(Record, frozen=True):
    """One document of the corpus.

    Attributes:
        id: unique in the corpus and stable over reruns, for example `wiki:Douglas Adams` or `pubmed:17942999`.
        source: name of the file it came from, without folders, so that results do not depend on its location.
        title: title for people.
        text: plain text; every offset counts Unicode characters in it.
        tokens: (start, end) character offsets, ascending and not overlapping.
        sentences: (start, end) token ranges that cover all tokens, ascending.
        mentions: mentions in the source (wiki links, annotations without clusters), added to the predicted ones.
        entities: gold entities; with them, mention detection and clustering are skipped.
        facts: annotated facts, for training and evaluation only.
        sections: headings, ascending by token.
        metadata: (key, value) pairs of the source, sorted; keys may repeat (`mesh`, `substance`, `revision`).
        version: the document with the highest version wins among those with one id.
    """

    id: str
    source: str
    title: str
    text: str
    tokens: tuple[tuple[int, int], ...]
    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...] = ()
    entities: tuple[Entity, ...] | None = None
    facts: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    version: int = 0

    def words(self) -> list[str]:
        """Return the token strings."""
        return [self.text[start:end] for start, end in self.tokens]

    def span_text(self, start: int, end: int) -> str:
        """Return the text of the document from token `start` up to, but not including, token `end`."""
        return self.text[self.tokens[start][0] : self.tokens[end - 1][1]]


class Extraction(Record, frozen=True):
    """The entities and facts that an extractor found in one document.

    Attributes:
        document_id: id of the document.
        entities: in order of first mention.
        facts: sorted by head, relation and tail.
        nodes: for each entity the id of the node that resolution assigned; empty where its knowledge-base id or name
            determines the node.
    """

    document_id: str
    entities: tuple[Entity, ...]
    facts: tuple[Fact, ...]
    nodes: tuple[str, ...] = ()


def problems(document: Document) -> list[str]:
    """Return every violation of the rules above as a sentence; an empty list if there is none."""
    found: list[str] = []
    previous = 0
    for index, (start, end) in enumerate(document.tokens):
        if not previous <= start < end <= len(document.text):
            found.append(f"token {index} at {start}:{end} overlaps, is empty or leaves the text")
        previous = end
    expected = 0
    for index, (start, end) in enumerate(document.sentences):
        if start != expected or end <= start:
            found.append(f"sentence {index} at tokens {start}:{end} leaves a gap, overlaps or is empty")
        expected = end
    if expected != len(document.tokens):
        found.append(f"sentences cover {expected} of {len(document.tokens)} tokens")
    given = [m for entity in document.entities or () for m in entity.mentions]
    for mention in (*document.mentions, *given):
        if not 0 <= mention.start < mention.end <= len(document.tokens):
            found.append(f"mention at tokens {mention.start}:{mention.end} leaves the document")
    count = len(document.entities or ())
    for fact in document.facts:
        if not (0 <= fact.head < count and 0 <= fact.tail < count):
            found.append(f"fact {fact.head} {fact.relation} {fact.tail} refers to an entity that does not exist")
    return found

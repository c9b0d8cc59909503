"""Small documents for the evaluation tests: words, entities as lists of spans, facts."""

from schemas.document import Document, Entity, Extraction, Fact, Mention


def entity(*spans: tuple[int, int], type: str = "PER", kb_ids: tuple[str, ...] = ()) -> Entity:
    return Entity(tuple(Mention(start, end) for start, end in spans), type, kb_ids)


def document(
    id: str,
    sentences: list[str],
    entities: tuple[Entity, ...] | None = (),
    facts: tuple[Fact, ...] = (),
) -> Document:
    """A document whose words are separated by single blanks."""
    words = [sentence.split() for sentence in sentences]
    tokens, bounds, offset = [], [], 0
    for sentence in words:
        bounds.append((len(tokens), len(tokens) + len(sentence)))
        for word in sentence:
            tokens.append((offset, offset + len(word)))
            offset += len(word) + 1
    text = " ".join(word for sentence in words for word in sentence)
    return Document(id, "sample", id, text, tuple(tokens), tuple(bounds), entities=entities, facts=facts)


def extraction(id: str, entities: tuple[Entity, ...] = (), facts: tuple[Fact, ...] = ()) -> Extraction:
    return Extraction(id, entities, facts)


def perfect(gold: Document) -> Extraction:
    return Extraction(gold.id, gold.entities or (), gold.facts)

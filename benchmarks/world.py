"""A made-up world whose truth is known: entities whose names collide, facts between them, and documents about them.

Surnames, given names and places are few and some are common, so that different people share a name, and a person goes
by the whole name here and by the surname or an initial there. Documents are about a neighbourhood of the world, as
articles are. Everything follows from the seed and the number of a document, so any part can be made anywhere.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from schemas import Document, Entity, Extraction, Fact, Mention

_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
_TYPES = ("PER", "LOC", "ORG")
# Relation of the shipped schema and the words of our sentences, by the types of head and tail.
_STATED = {
    ("PER", "LOC"): ("P19", "was born in"),
    ("PER", "ORG"): ("P108", "worked for"),
    ("PER", "PER"): ("P26", "married"),
    ("ORG", "LOC"): ("P159", "has its seat in"),
    ("LOC", "LOC"): ("P131", "lies in"),
    ("ORG", "ORG"): ("P749", "belongs to"),
    ("LOC", "ORG"): ("P127", "is owned by"),
    ("LOC", "PER"): ("P138", "is named after"),
    ("ORG", "PER"): ("P112", "was founded by"),
}
_NEIGHBOURS = 40
_ENTITIES = 7
_FACTS = 8
_LINKED = 0.4
# How much commoner the common names are; how often each form of a name is used, by how many there are.
_SKEW = 2
_CALLED = {1: (1.0,), 2: (0.7, 0.3), 3: (0.7, 0.2, 0.1)}


@dataclass(frozen=True)
class World:
    """Entities by number; `entities` of them, all that follows from the seed."""

    entities: int
    seed: int = 1

    @cached_property
    def _names(self) -> list[list[str]]:
        rng = random.Random(self.seed)
        pool = max(50, int(self.entities**0.75))
        surnames = ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 3))).capitalize() for _ in range(pool)]
        given = surnames[:200]
        forms = []
        for number in range(self.entities):
            first, second = (int(pool * rng.random() ** _SKEW) for _ in range(2))
            type = self.type(number)
            if type == "PER":
                name = given[first % len(given)]
                forms.append([f"{name} {surnames[second]}", f"{name[0]}. {surnames[second]}", surnames[second]])
            elif type == "ORG":
                forms.append([f"{surnames[first]} {surnames[second]} Institute", f"{surnames[second]} Institute"])
            else:
                forms.append([surnames[first] + "ville" if first % 3 else surnames[first]])
        return forms

    def type(self, entity: int) -> str:
        """Return the type of an entity."""
        return _TYPES[entity % len(_TYPES)]

    def forms(self, entity: int) -> list[str]:
        """Return what an entity is called, the whole name first."""
        return self._names[entity]

    def title(self, entity: int) -> str:
        """Return the title of an entity's page: its name, with its number in brackets where others have that name."""
        name = self.forms(entity)[0]
        return name if self._called[name] == 1 else f"{name} ({entity})"

    @cached_property
    def _called(self) -> Counter[str]:
        return Counter(forms[0] for forms in self._names)

    def document(self, number: int) -> tuple[Document, Extraction, list[int]]:
        """Return a document with what is found in it, and the true entity behind each of its entities."""
        rng = random.Random(f"{self.seed} {number}")
        centre = rng.randrange(self.entities)
        near = rng.sample(range(_NEIGHBOURS), _ENTITIES)
        people = [(centre + step) % self.entities for step in near]
        calls = [rng.choices(self.forms(e), _CALLED[len(self.forms(e))])[0] for e in people]
        linked = [rng.random() < _LINKED for _ in people]
        words: list[str] = []
        sentences: list[tuple[int, int]] = []
        mentions: list[list[Mention]] = [[] for _ in people]

        def name(index: int) -> None:
            form = calls[index].split()
            ids = (f"wiki:{self.title(people[index])}",) if linked[index] else ()
            mentions[index].append(Mention(len(words), len(words) + len(form), None, ids))
            words.extend(form)

        facts = {}
        for _ in range(_FACTS):
            head, tail = rng.sample(range(_ENTITIES), 2)
            relation, verb = _STATED[self.type(people[head]), self.type(people[tail])]
            begin = len(words)
            name(head)
            words.extend(verb.split())
            name(tail)
            words.append(".")
            facts[head, relation, tail] = (round(rng.betavariate(4, 2), 6), len(sentences))
            sentences.append((begin, len(words)))
        text = " ".join(words)
        ends = [end - 1 for end in accumulate(len(word) + 1 for word in words)]
        tokens = tuple((end - len(word), end) for word, end in zip(words, ends, strict=True))
        kept = [index for index, found in enumerate(mentions) if found]
        place = {index: position for position, index in enumerate(kept)}
        entities = tuple(
            Entity(tuple(mentions[i]), self.type(people[i]), tuple(sorted({k for m in mentions[i] for k in m.kb_ids})))
            for i in kept
        )
        found = tuple(
            Fact(place[head], relation, place[tail], probability, (sentence,))
            for (head, relation, tail), (probability, sentence) in sorted(facts.items())
        )
        id = f"made:{number:09}"
        document = Document(id, "made", id, text, tokens, tuple(sentences))
        return document, Extraction(id, entities, found), [people[i] for i in kept]

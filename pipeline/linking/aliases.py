"""Aliases: which texts a corpus uses for which entries of a knowledge base, and how often.

Counts come from the links of documents, their titles, the items of disambiguation pages and the headings of documents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from pipeline.merging.naming import entity_name, knowledge_base_ids, points_elsewhere, surface
from pipeline.store.headings import headings
from schemas import Document, Entity, Extraction, Record
from schemas.text.abbreviations import long_forms

# Candidates of one alias that are kept; further ones are hardly ever correct.
MAX_CANDIDATES = 8
# Number of characters of an alias. A single letter denotes too many things.
_SHORTEST, _LONGEST = 2, 200
_PAGE = "wiki:"
_QUALIFIER = re.compile(r"\s*\([^()]*\)$|, [^,]*$")
# Words may contain + and # as well as letters and digits: C is not C++.
_SEPARATORS = re.compile(r"[^\w+#]+|_")
_POSSESSIVE = re.compile(r"['’]s?(?=\s|$)")


class AliasCounts(Record, frozen=True, array_like=True):
    """How often, in documents, a text is used for an entry of a knowledge base.

    Attributes:
        anchors: documents with links of this text to it.
        forms: documents with an entity of this name that is linked to it by another text.
        titles: documents from which its title is known to be this text.
        qualified: as `titles`, for the title without its qualifier: "Mercury" for "Mercury (planet)".
        redirects: redirects of this name.
        listed: disambiguation pages with this name that list it.
        headings: documents under a heading of this name.
        prior: thousandths, from the user's dictionary.
    """

    anchors: int = 0
    forms: int = 0
    titles: int = 0
    qualified: int = 0
    redirects: int = 0
    listed: int = 0
    headings: int = 0
    prior: int = 0

    def __add__(self, other: AliasCounts) -> AliasCounts:
        return AliasCounts(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))

    @property
    def uses(self) -> int:
        """How often the text is used for the entry, in thousandths."""
        return 1000 * (self.anchors + self.headings) + self.prior


class Candidate(Record, frozen=True, array_like=True):
    """An entry of a knowledge base that a text may denote."""

    target: str
    alias: AliasCounts


class AliasCandidates(Record, frozen=True, array_like=True):
    """The candidates of a text, the most used ones first, and how often it is used for any."""

    best: tuple[Candidate, ...] = ()
    uses: int = 0

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> AliasCandidates:
        """Return the best of some candidates."""
        ranked = sorted(candidates, key=_rank)
        return cls(tuple(ranked[:MAX_CANDIDATES]), sum(candidate.alias.uses for candidate in ranked))


def _rank(candidate: Candidate) -> tuple[int, int, int, int, str]:
    alias = candidate.alias
    names = alias.titles + alias.redirects
    return -alias.uses, -names, -alias.qualified - alias.listed, -alias.forms, candidate.target


@lru_cache(4_096)
def alias_key(text: str) -> str:
    """Return the form under which texts count as one alias; nothing if the text is too short or too long for one.

    Case, accents, punctuation and the plural of the last word do not count.
    """
    letters = unicodedata.normalize("NFKD", _POSSESSIVE.sub(" ", text)).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = _SEPARATORS.sub(" ", plain).split()
    if not words:
        return ""
    if len(words[-1]) > 3 and words[-1].endswith("s") and not words[-1].endswith(("ss", "us", "is")):
        words[-1] = words[-1][:-1]
    key = " ".join(words)
    return key if _SHORTEST <= len(key) <= _LONGEST else ""


def page_targets(document: Document) -> set[str]:
    """Return the targets of the links of a document, and the page that it is itself."""
    targets = {id for mention in document.mentions for id in mention.kb_ids}
    return targets | {document.id} if document.id.startswith(_PAGE) else targets


def alias_counts(document: Document, extraction: Extraction) -> Iterator[tuple[str, str, AliasCounts]]:
    """Yield (text, target, counts) for the aliases in a document, each once."""
    given = [(mention, mention.kb_ids) for mention in document.mentions]
    for entity in document.entities or ():
        given += [(mention, mention.kb_ids or entity.kb_ids) for mention in entity.mentions]
    # A mention with several targets is the name of none of them.
    anchors = {(surface(document, mention), ids[0]) for mention, ids in given if len(ids) == 1}
    anchors = {(text, target) for text, target in anchors if not points_elsewhere(text)}
    for text, target in anchors:
        yield text, target, AliasCounts(anchors=1)
    for entity in extraction.entities:
        targets = knowledge_base_ids(document, entity)
        forms = entity_name(document, entity)[1] if targets else ()
        for target in targets:
            for form in forms:
                if (form, target) not in anchors and not points_elsewhere(form):
                    yield form, target, AliasCounts(forms=1)
    for target in page_targets(document):
        if target.startswith(_PAGE):
            yield from title_aliases(target)
    if ("disambiguation", "yes") in document.metadata:
        title = _QUALIFIER.sub("", document.title)
        for target in _first_of_lines(document):
            yield title, target, AliasCounts(listed=1)
    for target, heading in set(headings(document)):
        yield heading, target, AliasCounts(headings=1)
        if ", " in heading:  # "Carcinoma, Hepatocellular"
            yield " ".join(reversed(heading.split(", "))), target, AliasCounts(headings=1)


def title_aliases(target: str) -> Iterator[tuple[str, str, AliasCounts]]:
    """Yield the alias counts of the title of a page."""
    title = target.removeprefix(_PAGE)
    yield title, target, AliasCounts(titles=1)
    short = _QUALIFIER.sub("", title)
    if short and short != title:
        yield short, target, AliasCounts(qualified=1)


def redirect_alias(alias: str, target: str) -> tuple[str, str, AliasCounts]:
    """Return the alias count of a redirect."""
    return alias.removeprefix(_PAGE), target, AliasCounts(redirects=1)


def forms_of(document: Document, entity: Entity, explained: dict[str, str]) -> tuple[str, ...]:
    """Return the keys of all forms by which an entity can be looked up, sorted.

    Args:
        document: the document.
        entity: one of its entities.
        explained: long forms of the abbreviations that the document defines.
    """
    _, forms = entity_name(document, entity)
    named = [form for form in forms if not points_elsewhere(form)]
    named += [explained[form] for form in named if form in explained]
    return tuple(sorted({key for form in named if (key := alias_key(form))}))


def unlinked_entities(
    document: Document, extraction: Extraction, ids: Sequence[Sequence[str]]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (number, keys of its forms) for every entity whose `ids` are empty."""
    explained = long_forms(document.text)
    for number, entity in enumerate(extraction.entities):
        if not ids[number]:
            yield number, forms_of(document, entity, explained)


def _first_of_lines(document: Document) -> Collection[str]:
    """Return the targets of the first link of each line."""
    first: dict[int, str] = {}
    for mention in sorted(document.mentions, key=lambda mention: mention.start):
        line = document.text.count("\n\n", 0, document.tokens[mention.start][0])
        if mention.kb_ids:
            first.setdefault(line, mention.kb_ids[0])
    return set(first.values())

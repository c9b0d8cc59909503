"""Names of entities: the name of a cluster of mentions, and its knowledge-base ids."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from schemas import Document, Entity, Mention, normalise_name
from schemas.text.clean import visible

# Anaphoric words. A mention that begins with one, or is one, is not a name.
_POINTING = frozenset(
    """
    he she it they him her them his hers its their theirs i we you me us my our your
    this that these those such who whom whose which what one another both each other the a an former latter
    """.split()  # noqa: SIM905
)

# Forms are frequent, so what follows from their letters alone is cached for this many of them.
_FORMS = 4_096


def surface(document: Document, mention: Mention) -> str:
    """Return the text of a mention with white space collapsed, and without an article that is not part of the name.

    "the United States" loses it, "The Beatles" keeps it, unless it is capitalised for the start of a sentence only.
    """
    words = visible(document.span_text(mention.start, mention.end)).split()
    article = words[:1] == ["the"] or (words[:1] == ["The"] and _at_sentence_start(document, mention))
    return " ".join(words[1:] if article and _capitalised("".join(words[1:2])) else words)


def sentence_of(document: Document, token: int) -> int:
    """Return the index of the sentence that contains a token."""
    return bisect_right(document.sentences, token, key=lambda sentence: sentence[0]) - 1


def entity_name(document: Document, entity: Entity) -> tuple[str, tuple[str, ...]]:
    """Return the name of an entity in its document, and every form that may serve as its alias, sorted.

    Forms fall into three tiers, and the best tier that occurs decides:

    1. names: capitalised inside a sentence, or at its start in two words or more. The longest wins, because the
       short form ("Adams") is ambiguous; then the most frequent, then the alphabetically first.
    2. other words, among them a single capitalised word at the start of a sentence, where any word is capitalised.
       The most frequent wins, then the longest, then the alphabetically first.
    3. pronouns and descriptions that begin with an article or pronoun in lower case ("the company"). As in 2.

    Forms of the third tier are aliases only when there are no others.
    """
    counts: Counter[str] = Counter()
    tiers: dict[str, int] = {}
    for mention in entity.mentions:
        form = surface(document, mention)
        counts[form] += 1
        tier = _tier(form, at_sentence_start=False)
        if tier < _tier(form, at_sentence_start=True) and _at_sentence_start(document, mention):
            tier = _tier(form, at_sentence_start=True)
        tiers[form] = min(tiers.get(form, 3), tier)
    best = min(tiers.values())
    candidates = [form for form in counts if tiers[form] == best]
    if best == 1:
        name = min(candidates, key=lambda form: (-len(form), -counts[form], form))
    else:
        name = min(candidates, key=lambda form: (-counts[form], -len(form), form))
    aliases = tuple(sorted(form for form in counts if best == 3 or tiers[form] < 3))
    return name, aliases


@lru_cache(_FORMS)
def points_elsewhere(form: str) -> bool:
    """Tell whether a form is a pronoun or a description like "the company", and no name."""
    words = form.split()
    if not words:
        return True
    pointing = words[0][:1].lower() + words[0][1:] in _POINTING  # "US", "IT" and "WHO" are names
    return pointing and (len(words) == 1 or not any(_capitalised(word) for word in words[1:]))


@lru_cache(_FORMS)
def _tier(form: str, at_sentence_start: bool) -> int:
    if points_elsewhere(form):
        return 3
    words = form.split()
    first = words[0]
    capitalised = sum(map(_capitalised, words))
    return 1 if capitalised >= 2 or (capitalised == 1 and not (at_sentence_start and _capitalised(first))) else 2


def _at_sentence_start(document: Document, mention: Mention) -> bool:
    return document.sentences[sentence_of(document, mention.start)][0] == mention.start


@lru_cache(_FORMS)
def _capitalised(word: str) -> bool:
    return any(character.isupper() or character.isdigit() for character in word)


def knowledge_base_ids(document: Document, entity: Entity, name: str | None = None) -> tuple[str, ...]:
    """Return the knowledge-base ids of an entity, sorted; the first one identifies the node.

    An id speaks for the mentions whose words are among those of a mention that carries it, or the other way round: a
    link of "Paul Newman" for "Newman" too, one of "American" not for "United States". Of several ids those stay that
    speak for the most mentions, so that one stray link in a cluster does not join two things, while ids that an
    annotator gave together stay together; but only if that is half of the mentions, pronouns aside. An entity without
    any that is called like an encyclopedia's page in that very page is the page's subject.

    Args:
        document: the document.
        entity: one of its entities.
        name: what it is called, where that is known already.
    """
    if any(mention.kb_ids for mention in entity.mentions):
        found = _supported_ids(document, entity)
    else:
        found = tuple(sorted(set(entity.kb_ids)))
    if found:
        return found
    if document.id.startswith("wiki:"):
        name = entity_name(document, entity)[0] if name is None else name
        if normalise_name(name) == normalise_name(document.title):
            return (document.id,)
    return ()


def _supported_ids(document: Document, entity: Entity) -> tuple[str, ...]:
    forms = [surface(document, mention) for mention in entity.mentions]
    words = [frozenset(normalise_name(form).split()) for form in forms]
    carriers: defaultdict[str, list[int]] = defaultdict(list)
    named = []
    for index, (mention, form) in enumerate(zip(entity.mentions, forms, strict=True)):
        for id in set(mention.kb_ids):
            carriers[id].append(index)
        if mention.kb_ids or not points_elsewhere(form):
            named.append(index)
    support = {
        id: sum(any(words[at] <= words[carrier] or words[carrier] <= words[at] for carrier in of_id) for at in named)
        for id, of_id in carriers.items()
    }
    best = max((support[id], len(of_id)) for id, of_id in carriers.items())
    if 2 * best[0] < len(named):
        return ()
    return tuple(sorted(id for id, of_id in carriers.items() if (support[id], len(of_id)) == best))


def other_ids(document: Document) -> tuple[str, ...]:
    """Return what the subject of an encyclopedia page is in other knowledge bases, as its source says."""
    return tuple(f"wikidata:{value}" for key, value in document.metadata if key == "wikidata")


def page_title(kb_ids: Sequence[str]) -> str | None:
    """Return the title of the encyclopedia page of a node: the name by which people look it up."""
    prefix = "wiki:"
    return kb_ids[0].removeprefix(prefix) if kb_ids and kb_ids[0].startswith(prefix) else None


def most_frequent(counts: Mapping[str, int]) -> str:
    """Return the form with the highest count; ties go to the longer, then to the first by alphabet."""
    return min(counts, key=lambda form: (-counts[form], -len(form), form))

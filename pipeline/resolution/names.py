"""Normal forms of names for resolution: folded letters, tokens, numbers, initials and acronyms."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import JaroWinkler

# "J.K." and "JK", "O'Neill" and "ONeill" are the same; other punctuation separates words.
_SILENT = re.compile(r"['’`´.]")
_PARTING = re.compile(r"[^\w+#]+|_+")
# "2.4%", "$20,000": a number with the marks that belong to it.
_NUMBER = re.compile(r"[$€£¥]?\d[\d.,]*(?:\s?[%°]|\d)?")
_POSSESSIVE = re.compile(r"['’]s\b")
# "Mercury (planet)", "Mercury (element)": a qualifier in brackets distinguishes pages and is not part of the name.
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_SMALL = frozenset("a an and at by de der di du for in la le of on the to und van von y".split())  # noqa: SIM905
_ROMAN = re.compile(r"(?=[ivx])(x{0,3})(ix|iv|v?i{0,3})")
_NUMERALS = frozenset(
    """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    one two three four five six seven eight nine ten eleven twelve junior senior jr sr
    """.split()  # noqa: SIM905
)
_ACRONYM = range(2, 9)
# A longer word that ends in s counts as a plural.
_LONG = 3
# A name is compared with many others in a row, so the normal forms of this many names are cached.
_NAMES = 4_096
# Similarity from which two words may be spellings of one.
_ALIKE = 0.88


@lru_cache(_NAMES)
def folded(name: str) -> str:
    """Return a name in lower case without accents, punctuation, possessive, and a qualifier in brackets at its end."""
    bare = _BRACKETS.sub("", name) or name
    plain = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", bare).casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_PARTING.sub(" ", _SILENT.sub("", letters)).split())


def letters(name: str) -> str:
    """Return the letters and digits of a folded name."""
    return folded(name).replace(" ", "")


@lru_cache(_NAMES)
def tokens(name: str) -> tuple[str, ...]:
    """Return the words of a folded name without articles and prepositions, or all if it has no others."""
    words = folded(name).split()
    return tuple(word for word in words if word not in _SMALL) or tuple(words)


def stems(name: str) -> tuple[str, ...]:
    """Return the words of a name in alphabetical order, without plural endings."""
    return tuple(sorted(word[:-1] if word.endswith("s") and len(word) > _LONG else word for word in tokens(name)))


def is_common(name: str) -> bool:
    """Return whether a name is all lower case, as common nouns are."""
    return not any(letter.isupper() or letter.isdigit() for letter in name)


def in_brackets(name: str) -> str:
    """Return the qualifier in brackets at the end of a name, by which titles of pages distinguish namesakes."""
    found = _BRACKETS.search(name)
    return folded(found.group().strip(" ()")) if found else ""


@lru_cache(_NAMES)
def numbers(name: str) -> frozenset[str]:
    """Return every number in a name: digits with their marks, Roman numerals that do not begin it, and words."""
    words = enumerate(folded(name).split())
    found = {word for place, word in words if word in _NUMERALS or (place and _ROMAN.fullmatch(word))}
    return frozenset(found.union(number.replace(",", "").rstrip(".") for number in _NUMBER.findall(name)))


@lru_cache(_NAMES)
def acronyms(name: str) -> frozenset[str]:
    """Return the acronyms of a name of several words: its initials, with and without articles and prepositions."""
    found = {"".join(word[0] for word in words) for words in (folded(name).split(), tokens(name)) if len(words) > 1}
    return frozenset(letters for letters in found if len(letters) in _ACRONYM)


def is_acronym(name: str) -> bool:
    """Return whether a name is written like an acronym: one word of two to eight capitals, with dots or without."""
    letters = name.replace(".", "")
    return len(letters) in _ACRONYM and letters.isalpha() and letters.isupper()


def other_acronym(one: str, other: str) -> bool:
    """Return whether two names are acronyms of two things: "UK" and "U.S." are, "U.S." and "USA" need not be."""
    left, right = letters(one), letters(other)
    return is_acronym(one) and is_acronym(other) and not left.startswith(right) and not right.startswith(left)


def same_word(one: str, other: str) -> bool:
    """Return whether two words may be one: spelled alike, or one the first letter of the other."""
    if min(len(one), len(other)) == 1:
        return one[:1] == other[:1]
    return one == other or JaroWinkler.similarity(one, other) >= _ALIKE


def unlike(one: str, other: str) -> float:
    """Return the share of words that have no similar word in the other name, the smaller of both directions."""
    left, right = tokens(one), tokens(other)
    if not left or not right:
        return 1.0
    return min(
        sum(not any(same_word(word, match) for match in words) for word in own) / len(own)
        for own, words in ((left, right), (right, left))
    )


def initials_agree(one: str, other: str) -> bool:
    """Return whether two names have the same last word, and first words of which at least one is an initial."""
    left, right = tokens(one), tokens(other)
    if min(len(left), len(right)) < 2 or left[-1] != right[-1] or left == right:
        return False
    firsts = list(zip(left[:-1], right[:-1], strict=False))
    return all(a == b or (min(len(a), len(b)) == 1 and a[:1] == b[:1]) for a, b in firsts) and any(
        a != b for a, b in firsts
    )

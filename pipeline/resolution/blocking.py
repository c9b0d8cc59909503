"""Blocking: nodes are compared if they share a key, because a corpus has too many pairs of nodes to compare all.

Keys of a name are: all its letters, its words in any order, initial and last word, first and last word, its acronyms,
and bands of a MinHash signature of its character trigrams, in which names of similar spelling collide.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from pipeline.merging.minhash import signature
from pipeline.merging.naming import points_elsewhere
from pipeline.resolution.names import acronyms, is_acronym, letters, numbers, other_acronym, stems, tokens, unlike
from pipeline.resolution.node_profiles import NodeProfile
from schemas import Record

# Four bands of three: names that share half of their trigrams collide with probability 0.41, with 0.8 of them 0.94.
BANDS = 4
ROWS = 3
PIECE = 3
# Nodes of a block that are compared with each other: those in the most documents.
LARGEST = 100


class BlockingRecord(Record, frozen=True, array_like=True):
    """The part of a node's profile that a block needs; it is small because a node is in many blocks."""

    id: str
    name: str
    type: str
    kb_id: str
    support: int


def blocking_record(profile: NodeProfile) -> BlockingRecord:
    """Return the blocking record of a node."""
    return BlockingRecord(profile.id, profile.name, profile.type, profile.kb_id, profile.support)


def may_match(one: BlockingRecord | NodeProfile, other: BlockingRecord | NodeProfile) -> bool:
    """Return whether two nodes may denote the same thing.

    They do not if both have ids, if their types differ, or if their names have different numbers or are different
    acronyms.
    """
    if one.id == other.id or (one.kb_id and other.kb_id) or one.type != other.type:
        return False
    return numbers(one.name) == numbers(other.name) and not other_acronym(one.name, other.name)


def pairs(key: str, block: Iterable[BlockingRecord]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of ids in a block that are compared.

    Nodes with the same letters or a matching acronym are always compared, others only if each word of one name has a
    similar word in the other name.
    """
    certain = key.startswith(("letters ", "acronym "))
    for one, other in combinations(block, 2):
        if may_match(one, other) and (certain or not unlike(one.name, other.name)):
            yield one.id, other.id


def keys(profile: NodeProfile) -> set[str]:
    """Return the keys of a node; none if its name does not identify it."""
    if not _is_comparable(profile.name):
        return set()
    found = set(_of_name(profile.name))
    for alias in profile.aliases:
        if _is_comparable(alias):
            found.add("letters " + letters(alias))
    return found


def _is_comparable(name: str) -> bool:
    """Return whether a name has more than one letter and is not anaphoric ("the company")."""
    return sum(map(str.isalpha, name)) > 1 and not points_elsewhere(name)


def _of_name(name: str) -> Iterator[str]:
    words = tokens(name)
    if not words:
        return
    yield "letters " + letters(name)
    yield "words " + " ".join(stems(name))
    yield "word " + words[0]
    yield "word " + words[-1]
    if len(words) > 1:
        yield f"initial {words[0][0]} {words[-1]}"
    for short in acronyms(name):
        yield "acronym " + short
    if is_acronym(name):
        yield "acronym " + letters(name)
    for band, value in enumerate(_bands(letters(name))):
        yield f"band {band} {value.hex()}"


def _bands(word: str) -> list[bytes]:
    padded = f"^{word}$"
    pieces = {padded[place : place + PIECE] for place in range(max(1, len(padded) - PIECE + 1))}
    hashed = np.array([zlib.crc32(piece.encode("utf-8", "surrogatepass")) for piece in sorted(pieces)], np.uint64)
    least = signature(hashed, BANDS * ROWS)
    size = len(least) // BANDS
    return [least[band * size : (band + 1) * size] for band in range(BANDS)]

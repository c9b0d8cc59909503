"""A corpus made of templates: as many documents as wanted, the same for the same number and seed.

    python -m benchmarks.corpus --documents 2000 --out corpus.jsonl

Documents are short articles about people, places and organisations. Names are drawn from a world that grows with the
square root of the corpus, so documents share entities as articles do; some people of different birthplaces share one
name, and some are called by their last name only. The text is ours, and nothing in it is true.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FIRST = "Ada Boris Clara Dmitri Elena Farid Greta Hugo Irene Jonas Katya Liam Mira Nils Olga Pavel Rosa Sven Tara"
_LAST = "Alder Brandt Castellan Drummond Eriksen Falk Grieve Harrow Ivers Jansen Kestrel Lindqvist Moravec Norling"
_PLACE = (
    "Ash",
    "Brook",
    "Clay",
    "Dun",
    "Elm",
    "Fern",
    "Glen",
    "Haver",
    "Kings",
    "Lake",
    "Mill",
    "North",
    "Oak",
    "Stone",
)
_ENDING = ("bridge", "bury", "field", "ford", "ham", "haven", "mouth", "stead", "ton", "wick")
_COUNTRY = ("Norway", "Scotland", "Portugal", "Poland", "Canada", "Chile", "Kenya", "Japan", "Greece", "Ireland")
_KIND = ("University", "Institute", "Museum", "Orchestra", "Railway", "Shipyard", "Observatory", "Press")
_TEMPLATES = (
    "{person} was born in {place}, a town in {country}, in {year}.",
    "{last} studied at the {organisation} and worked there until {year}.",
    "In {year} {last} married {other}, who came from {place}.",
    "The {organisation} in {place} was founded by {person} in {year}.",
    "{last} died in {place} in {year}.",
    "{other} was a member of the {organisation} and a friend of {person}.",
    "{place} lies in {country}, north of {place2}.",
    "After {year} {last} moved to {place2} and joined the {organisation}.",
    "The work of {person} was continued by {other} in {country}.",
    "{person} and {other} won a prize of the {organisation} in {year}.",
)


@dataclass(frozen=True)
class Article:
    """A document of the corpus."""

    id: str
    title: str
    text: str


def articles(documents: int, seed: int = 7) -> Iterator[Article]:
    """Yield so many articles of three to twelve sentences."""
    draw = random.Random(seed)
    people, places, organisations = _world(documents, draw)
    for number in range(documents):
        person, place = draw.choice(people), draw.choice(places)
        sentences = [_sentence(_TEMPLATES[0], person, place, draw, people, places, organisations)]
        for _ in range(draw.randint(2, 11)):
            template = draw.choice(_TEMPLATES[1:])
            sentences.append(_sentence(template, person, place, draw, people, places, organisations))
        yield Article(f"made:{number:08}", f"{person} ({number})", " ".join(sentences))


def write(path: Path, documents: int, seed: int = 7) -> None:
    """Write the corpus as JSON Lines, which `factmill build` reads."""
    with path.open("w", encoding="utf-8") as file:
        for article in articles(documents, seed):
            file.write(json.dumps(article.__dict__) + "\n")


def _world(documents: int, draw: random.Random) -> tuple[list[str], list[str], list[str]]:
    size = max(10, 10 * math.isqrt(documents))
    places = sorted({draw.choice(_PLACE) + draw.choice(_ENDING) for _ in range(size)})
    # As a list of draws, so that some names come twice: two people of one name.
    people = [f"{draw.choice(_FIRST.split())} {draw.choice(_LAST.split())}" for _ in range(size)]
    organisations = sorted({f"{draw.choice(places)} {draw.choice(_KIND)}" for _ in range(size)})
    return people, places, organisations


def _sentence(
    template: str,
    person: str,
    place: str,
    draw: random.Random,
    people: list[str],
    places: list[str],
    organisations: list[str],
) -> str:
    return template.format(
        person=person,
        last=person.split()[-1],
        other=draw.choice(people),
        place=place,
        place2=draw.choice(places),
        country=draw.choice(_COUNTRY),
        organisation=draw.choice(organisations),
        year=draw.randint(1700, 1999),
    )


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write(arguments.out, arguments.documents, arguments.seed)


if __name__ == "__main__":
    main()

"""Extract entities and facts from texts: python examples/extract_from_text.py ["A text of yours." ...]"""

from __future__ import annotations

import sys

import factmill

TEXTS = [
    "Marie Curie was born in Warsaw. In 1895 she married Pierre Curie, who was born in Paris.",
    "The Danube rises in Germany and flows through Vienna, the capital of Austria.",
]


def main(texts: list[str]) -> None:
    """Print what is found in each text, with where it is found and how certain it is."""
    model = factmill.load("docred-minilm")
    for result in model(texts, min_probability=0.5):
        print(result.text)
        for entity in result.entities:
            places = ", ".join(f"{span.start} to {span.end}" for span in entity.mentions)
            print(f"  {entity.name} ({entity.type}), characters {places}")
        for fact in result.facts:
            print(f"  {fact.probability:.2f}  {fact.head.name} -- {fact.relation.label} -> {fact.tail.name}")
            for sentence in fact.evidence:
                print(f"        {sentence.text}")
        print()


if __name__ == "__main__":
    main(sys.argv[1:] or TEXTS)

"""The RDF vocabulary and the SHACL shapes of factmill, in Turtle."""

from __future__ import annotations

from importlib import resources


def vocabulary() -> str:
    """Return the vocabulary of factmill's namespace, defined in OWL and RDFS."""
    return (resources.files("schemas") / "rdf" / "vocabulary.ttl").read_text("utf-8")


def shapes() -> str:
    """Return the shapes to which every graph conforms."""
    return (resources.files("schemas") / "rdf" / "shapes.ttl").read_text("utf-8")

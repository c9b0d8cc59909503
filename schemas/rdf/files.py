"""The RDF vocabulary and the SHACL shapes that come with factmill, as Turtle."""

from __future__ import annotations

from importlib import resources


def vocabulary() -> str:
    """Return the words of factmill's own namespace, defined in OWL and RDFS."""
    return (resources.files("schemas") / "rdf" / "vocabulary.ttl").read_text("utf-8")


def shapes() -> str:
    """Return the shapes that every graph conforms to."""
    return (resources.files("schemas") / "rdf" / "shapes.ttl").read_text("utf-8")

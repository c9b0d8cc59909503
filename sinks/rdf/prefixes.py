"""The namespaces of factmill's RDF and their prefixes."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

BASE = "https://w3id.org/factmill/"
# Kinds of resources in this namespace, each with its own prefix.
KINDS = ("node", "edge", "evidence", "document", "type", "metadata", "kb", "relation", "claim", "statement")
PREFIXES = {
    "fm": f"{BASE}vocabulary#",
    **{kind: f"{BASE}{kind}/" for kind in KINDS},
    "wd": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "p": "http://www.wikidata.org/prop/",
    "ps": "http://www.wikidata.org/prop/statement/",
    "wikibase": "http://wikiba.se/ontology#",
    "mesh": "http://id.nlm.nih.gov/mesh/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "nif": "http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#",
}

# Characters that an IRI may hold besides ASCII letters and digits.
SAFE = "-._~/:(),!*;@$"


def quoted(name: str) -> str:
    """Return a name with every character percent-encoded that an IRI may not hold."""
    return quote(name, safe=SAFE)


@cache
def expanded(name: str) -> str:
    """Return the IRI of a prefixed name such as `rdfs:label`."""
    prefix, _, word = name.partition(":")
    return PREFIXES[prefix] + word


@cache
def shortened(iri: str) -> str | None:
    """Return the prefixed name of an IRI, or None if no prefix fits or the rest is not a plain word."""
    for prefix, base in PREFIXES.items():
        if iri.startswith(base) and re.fullmatch(r"[A-Za-z0-9_]+", iri[len(base) :]):
            return f"{prefix}:{iri[len(base) :]}"
    return None

"""The IRIs of RDF terms: vectorised over Arrow arrays, every character that an IRI may not hold percent-encoded.

| IRI | names |
|---|---|
| `https://w3id.org/factmill/node/ID` | a node |
| `https://w3id.org/factmill/edge/ID` | the statement of an edge |
| `https://w3id.org/factmill/document/ID` | a document |
| `https://w3id.org/factmill/type/TYPE` | an entity type |
| `https://w3id.org/factmill/kb/ID` | an entry of a knowledge base that has no IRIs of its own in `KNOWLEDGE_BASES` |
| `https://w3id.org/factmill/vocabulary#WORD` | the words of `sinks.rdf` |
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

BASE = "https://w3id.org/factmill/"
VOCABULARY = f"{BASE}vocabulary#"

# Prefix of a knowledge-base id, and what its IRI begins with in place of `prefix:`.
KNOWLEDGE_BASES = {
    "wiki": "https://en.wikipedia.org/wiki/",
    "wikidata": "http://www.wikidata.org/entity/",
    "mesh": "http://id.nlm.nih.gov/mesh/",
    "ncbigene": "https://identifiers.org/ncbigene:",
    "ncbitaxon": "http://purl.obolibrary.org/obo/NCBITaxon_",
    "pubmed": "https://pubmed.ncbi.nlm.nih.gov/",
}

# What stands in an IRI as it is, beside letters and digits of ASCII; the percent sign is encoded before all else.
_SAFE = "-._~/:(),!*;@$%"
_UNSAFE = rf"[^A-Za-z0-9{re.escape(_SAFE)}]"


def own_iris(kind: str, ids: pa.Array) -> pa.Array:
    """Return `<https://w3id.org/factmill/KIND/ID>` for every id, with the angle brackets."""
    return pc.binary_join_element_wise(f"<{BASE}{kind}/", encoded(ids), ">", "")


def knowledge_base_iris(ids: pa.Array) -> pa.Array:
    """Return the IRI in angle brackets of every knowledge-base id such as `mesh:D008094` or `wiki:Douglas Adams`."""
    safe = encoded(ids)
    result = own_iris("kb", ids)
    for prefix, base in KNOWLEDGE_BASES.items():
        entry = pc.utf8_slice_codeunits(safe, len(prefix) + 1)
        if prefix == "wiki":
            entry = pc.replace_substring(entry, "%20", "_")
        result = pc.if_else(has_prefix(ids, prefix), pc.binary_join_element_wise(f"<{base}", entry, ">", ""), result)
    return result


def has_prefix(ids: pa.Array, *prefixes: str) -> pa.Array:
    """Return for every id whether it begins with one of the prefixes and a colon."""
    return pc.match_substring_regex(ids, f"^(?:{'|'.join(prefixes)}):")


def encoded(values: pa.Array) -> pa.Array:
    """Return the values with every character percent-encoded that may not stand in the path of an IRI."""
    for character in "% ":
        values = pc.replace_substring(values, character, quote(character))
    unsafe = pc.match_substring_regex(values, _UNSAFE)
    if not pc.any(unsafe).as_py():
        return values
    replacements = [quote(value, safe=_SAFE) for value in values.filter(unsafe).to_pylist()]
    return pc.replace_with_mask(values, unsafe, pa.array(replacements, pa.string()))

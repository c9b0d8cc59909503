"""The IRIs of RDF terms: vectorised over Arrow arrays, every character that an IRI may not hold percent-encoded.

| IRI | names |
|---|---|
| `https://w3id.org/factmill/node/ID` | a node |
| `https://w3id.org/factmill/edge/ID` | the statement of an edge |
| `https://w3id.org/factmill/evidence/EDGE/DOCUMENT/SENTENCE` | a sentence that supports an edge |
| `https://w3id.org/factmill/document/ID` | a document |
| `https://w3id.org/factmill/document/ID#char=START,END` | a part of its text, after RFC 5147 |
| `https://w3id.org/factmill/type/TYPE` | an entity type |
| `https://w3id.org/factmill/metadata/KEY` | a metadata property of documents |
| `https://w3id.org/factmill/kb/ID` | an entry of a knowledge base that has no IRIs of its own in `KNOWLEDGE_BASES` |
| `https://w3id.org/factmill/vocabulary#WORD` | the vocabulary in `schemas/rdf/vocabulary.ttl` |
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import Relation
from sinks.rdf.prefixes import PREFIXES, SAFE, quoted
from sinks.tables.arrow_text import data_and_offsets, flags, replaced

# The beginning of the IRI for every prefix of knowledge-base ids, in place of `prefix:`.
KNOWLEDGE_BASES = {
    "wiki": "https://en.wikipedia.org/wiki/",
    "wikidata": PREFIXES["wd"],
    "mesh": PREFIXES["mesh"],
    "ncbigene": "https://identifiers.org/ncbigene:",
    "ncbitaxon": "http://purl.obolibrary.org/obo/NCBITaxon_",
    "pubmed": "https://pubmed.ncbi.nlm.nih.gov/",
}

_DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_UNSAFE = flags(lambda byte: not (chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in SAFE)))


def encoded(values: pa.Array) -> pa.Array:
    """Return the values with every character percent-encoded that the path of an IRI may not contain."""
    return replaced(values, _UNSAFE, _encode)


def knowledge_base_iris(ids: pa.Array) -> pa.Array:
    """Return the IRI of every knowledge-base id such as `mesh:D008094` or `wiki:Douglas Adams`."""
    safe = encoded(ids)
    result = pc.binary_join_element_wise(PREFIXES["kb"], safe, "")
    for prefix, base in KNOWLEDGE_BASES.items():
        known = has_prefix(ids, prefix)
        if not pc.any(known).as_py():
            continue
        entry = pc.utf8_slice_codeunits(safe, len(prefix) + 1)
        if prefix == "wiki":
            entry = pc.replace_substring(entry, "%20", "_")
        result = pc.if_else(known, pc.binary_join_element_wise(base, entry, ""), result)
    return result


def has_prefix(ids: pa.Array, prefix: str) -> pa.Array:
    """Return for each id whether it begins with the prefix and a colon."""
    return pc.starts_with(ids, f"{prefix}:")


def claim_iris(relation: Relation) -> tuple[str, str, str]:
    """Return the entity, claim and statement property of a relation, as Wikidata has them: `wd:`, `p:` and `ps:`.

    For a relation whose IRI is not Wikidata's they are in factmill's namespace.
    """
    if relation.iri.startswith(PREFIXES["wdt"]):
        name = relation.iri.removeprefix(PREFIXES["wdt"])
        return PREFIXES["wd"] + name, PREFIXES["p"] + name, PREFIXES["ps"] + name
    name = quoted(relation.id)
    return PREFIXES["relation"] + name, PREFIXES["claim"] + name, PREFIXES["statement"] + name


def _encode(values: pa.Array) -> pa.Array:
    data, offsets = data_and_offsets(values)
    text = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    unsafe = _UNSAFE.take(text)
    ends = np.concatenate([[0], np.cumsum(1 + 2 * unsafe)]).astype(np.int32)
    # One byte becomes three, the percent sign and two digits.
    result = np.repeat(text, 1 + 2 * unsafe)
    places = ends[:-1][unsafe]
    result[places] = ord("%")
    result[places + 1], result[places + 2] = _DIGITS[text[unsafe] >> 4], _DIGITS[text[unsafe] & 15]
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends[offsets - offsets[0]]), pa.py_buffer(result))

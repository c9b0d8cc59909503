"""Ids of concepts as PubTator files write them: one or several, with or without the vocabulary they belong to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_REMEMBERED = 4_096  # ids, which come again and again
_NO_ID = {"", "-", "-1"}
_SEPARATORS = re.compile(r"[|;,]")
_BETWEEN_VARIANTS = re.compile(r";|,(?=\s*(?:tmVar:\s*)?[A-Za-z]{1,3}\|[A-Za-z]+\|)", re.IGNORECASE)

# An id is a vocabulary or none, and an accession: letters, if any, and digits. `c`, `SUB` and `p.V600E` are none.
_ID = re.compile(
    r"(?:[A-Za-z][\w.-]*:\s*)?[A-Za-z]{0,6}[_:-]?\d[\w.-]*(?:\(\s*[Tt]ax:\s*\d+\s*\))?(?:##)?|-1?|",
)
# Variants as tmVar writes them: sequence, kind of change and what was changed, `c|SUB|G|5287|A`.
_VARIANT = re.compile(r"(?:tmVar:\s*)?([A-Za-z]{1,3}\|[A-Za-z]+\|[^;]*)", re.IGNORECASE)
_DETAIL = re.compile(
    r"(?:tmVar|HGVS|VariantGroup|CorrespondingGene|CorrespondingSpecies|OriginalGene|RS#|RSID|RS|CA#|CAID)"
    r"\s*:\s*(.+)",
    re.IGNORECASE,
)
_DBSNP = re.compile(r"(?:RS#|RSID|RS|dbSNP)\s*:\s*(?:rs)?(\d+)|rs(\d+)(?:##)?", re.IGNORECASE)
_CLINGEN = re.compile(r"(?:CA#|CAID)\s*:\s*(?:CA)?(\d+)", re.IGNORECASE)
_TAXON = re.compile(r"\(\s*[Tt]ax:\s*\d+\s*\)$")

# What an id without a vocabulary belongs to, by its form or else by the type of the mention.
_BY_FORM = (
    (re.compile(r"[CD]\d{6,9}"), "mesh"),
    (re.compile(r"CVCL[_:]\w{4}"), "cellosaurus"),
)
_BY_TYPE = {
    "gene": "ncbigene",
    "geneorgeneproduct": "ncbigene",
    "species": "ncbitaxon",
    "organismtaxon": "ncbitaxon",
    "chemical": "mesh",
    "chemicalentity": "mesh",
    "disease": "mesh",
    "diseaseorphenotypicfeature": "mesh",
}
_OMIM = re.compile(r"\d{6}")
_DISEASES = {"disease", "diseaseorphenotypicfeature"}


class Concept(NamedTuple):
    """Something that a mention stands for: its id with the vocabulary, other ids of the same, and details."""

    id: str
    others: tuple[str, ...] = ()
    details: str = ""


@lru_cache(_REMEMBERED)
def concepts(field: str, type: str) -> tuple[Concept, ...]:
    """Return what the ids of a mention stand for, each once.

    An id is data: it is cut at `|`, `;` and `,` only where every piece looks like an id. What follows the id of a
    variant, such as its number in dbSNP, belongs to the variant.
    """
    field = field.strip()
    if field in _NO_ID:
        return ()
    pieces = [piece.strip() for piece in _BETWEEN_VARIANTS.split(field)]
    details = [piece for piece in pieces[1:] if _DETAIL.fullmatch(piece)]
    if details or _VARIANT.fullmatch(pieces[0]):
        return tuple(_variants(pieces, type))
    parts = [part.strip() for part in _SEPARATORS.split(field)]
    if not all(map(_ID.fullmatch, parts)):
        parts = [field]
    ids = [with_vocabulary(part, type) for part in parts if part not in _NO_ID]
    return tuple(Concept(id) for id in dict.fromkeys(ids))


def _variants(pieces: list[str], type: str) -> list[Concept]:
    """Return the variants of `ID;DETAIL;DETAIL;ID;...`, each with its details."""
    found: list[Concept] = []
    for piece in pieces:
        if found and _DETAIL.fullmatch(piece):
            last = found[-1]
            others = tuple(
                f"{vocabulary}:{before}{match[1] or match[match.re.groups]}"
                for pattern, vocabulary, before in ((_DBSNP, "dbsnp", "rs"), (_CLINGEN, "clingen", "CA"))
                if (match := pattern.fullmatch(piece))
            )
            details = f"{last.details};{piece}" if last.details else piece
            found[-1] = Concept(last.id, tuple(dict.fromkeys((*last.others, *others))), details)
        elif piece not in _NO_ID:
            found.append(Concept(with_vocabulary(piece, type)))
    return found


def with_vocabulary(id: str, type: str) -> str:
    """Return an id with its vocabulary: `mesh:D008094`, `ncbigene:4129`; a vocabulary in the file is kept."""
    if match := _VARIANT.fullmatch(id):
        return f"tmvar:{match[1]}"
    if match := _DBSNP.fullmatch(id):
        return f"dbsnp:rs{match[1] or match[2]}"
    id = _TAXON.sub("", id)
    for form, vocabulary in _BY_FORM:
        if form.fullmatch(id):
            return f"{vocabulary}:{id.replace(':', '_')}"
    vocabulary, colon, rest = id.partition(":")
    if colon and rest:
        return f"{vocabulary.lower()}:{rest.strip()}"
    if type.lower() in _DISEASES and _OMIM.fullmatch(id):
        return f"omim:{id}"
    return f"{_BY_TYPE.get(type.lower(), type.lower())}:{id}"

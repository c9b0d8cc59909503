"""Describes a graph in VoID and DCAT, for catalogues and for people who find its RDF alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import rdflib
from rdflib.namespace import DCAT, DCTERMS, PROV, RDF, VOID, XSD

from schemas import RelationSchema
from sinks.rdf.prefixes import BASE, PREFIXES, quoted
from sinks.tables.tables import GraphTables
from sinks.writer import relation_of

_MEDIA_TYPES = {
    "nquads": "application/n-quads",
    "ntriples": "application/n-triples",
    "turtle": "text/turtle",
    "trig": "application/trig",
    "jsonld": "application/ld+json",
}
_PACKED = {"gzip": "application/gzip", "zstd": "application/zstd"}


def describe_dataset(
    tables: GraphTables,
    schema: RelationSchema,
    triples: int,
    files: Sequence[str | Path],
    base: str | Path,
    syntax: str,
    compression: str | None = None,
    extractor: Mapping[str, str] | None = None,
    version: str = "",
) -> str:
    """Return the description of a graph in Turtle; the same graph has the same description.

    Args:
        tables: the graph.
        schema: the relation schema that the graph was built with.
        triples: the number of triples in its files.
        files: the files.
        base: the folder relative to which the description names them.
        syntax, compression: of the files.
        extractor: name and fingerprint of the model that found the facts.
        version: of factmill.
    """
    digest = _digest(tables)
    dataset = rdflib.URIRef(f"{BASE}dataset/{digest}")
    graph = rdflib.Graph()
    for prefix in ("fm", "type", "document", "node", "wdt", "nif", "skos"):
        graph.bind(prefix, PREFIXES[prefix])

    def state(subject: rdflib.URIRef, predicate: rdflib.URIRef, *objects: object) -> None:
        for value in objects:
            graph.add((subject, predicate, value if isinstance(value, rdflib.URIRef) else rdflib.Literal(value)))

    counts = {name: tables.count(name) for name in ("nodes", "edges", "evidence", "documents")}
    state(dataset, RDF.type, VOID.Dataset, DCAT.Dataset)
    state(dataset, DCTERMS.title, f"A knowledge graph of {counts['documents']:,} documents")
    state(
        dataset,
        DCTERMS.description,
        f"{counts['nodes']:,} nodes and {counts['edges']:,} edges of the schema {schema.name}, with "
        f"{counts['evidence']:,} sentences of evidence",
    )
    state(dataset, DCTERMS.identifier, digest)
    state(dataset, rdflib.URIRef(f"{DCAT}version"), digest[:12])
    state(dataset, VOID.triples, triples)
    state(dataset, VOID.entities, counts["nodes"])
    state(dataset, VOID.uriSpace, BASE)
    state(dataset, VOID.vocabulary, *(rdflib.URIRef(PREFIXES[name]) for name in ("fm", "prov", "skos", "nif")))
    types: Counter[str] = Counter()
    for batch in tables.batches("nodes", ("type",)):
        types.update({row["values"]: row["counts"] for row in batch.column("type").value_counts().to_pylist()})
    relations: Counter[str] = Counter()
    for batch in tables.batches("edges", ("relation",)):
        relations.update({row["values"]: row["counts"] for row in batch.column("relation").value_counts().to_pylist()})
    for number, (type, count) in enumerate(sorted(types.items())):
        part = dataset + f"#class-{number}"
        state(dataset, VOID.classPartition, part)
        state(part, VOID["class"], rdflib.URIRef(PREFIXES["type"] + quoted(type)))
        state(part, VOID.entities, count)
    for id, count in sorted(relations.items()):
        part = dataset + f"#property-{quoted(id)}"
        state(dataset, VOID.propertyPartition, part)
        state(part, VOID.property, rdflib.URIRef(relation_of(schema, id).iri))
        state(part, VOID.triples, count)
    for number, file in enumerate(map(Path, files)):
        place, part = rdflib.URIRef(quoted(file.relative_to(base).as_posix())), dataset + f"#file-{number}"
        state(dataset, VOID.dataDump, place)
        state(dataset, DCAT.distribution, part)
        state(part, RDF.type, DCAT.Distribution)
        state(part, DCAT.downloadURL, place)
        state(part, DCAT.mediaType, _MEDIA_TYPES[syntax])
        if compression is not None:
            state(part, DCAT.compressFormat, _PACKED[compression])
        graph.add((part, DCAT.byteSize, rdflib.Literal(file.stat().st_size, datatype=XSD.nonNegativeInteger)))
    tool, model = dataset + "#factmill", dataset + "#model"
    state(dataset, PROV.wasAttributedTo, tool)
    state(tool, RDF.type, PROV.SoftwareAgent)
    state(tool, DCTERMS.title, f"factmill {version}".strip())
    if extractor:
        state(dataset, PROV.wasDerivedFrom, model)
        state(model, RDF.type, PROV.Entity)
        for name, value in sorted(extractor.items()):
            state(
                model, {"name": DCTERMS.title, "fingerprint": DCTERMS.identifier}.get(name, DCTERMS.description), value
            )
    return graph.serialize(format="turtle")


def _digest(tables: GraphTables) -> str:
    """Return a hash of the tables: equal graphs are equal bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("nodes", "edges", "evidence", "documents"):
        for path in tables.files(name):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()

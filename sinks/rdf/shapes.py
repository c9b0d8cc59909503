"""Validates a graph as RDF against the SHACL shapes in `schemas/rdf`, one excerpt at a time.

The shapes refer to a resource and its neighbours only, so a graph is validated in excerpts: some edges with the nodes,
documents and evidence that they refer to. Each is written as RDF 1.1 and validated in memory by pyshacl.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import rdflib
from rdflib.namespace import SH

from schemas import TABLES, RelationSchema
from schemas.rdf.files import shapes
from sinks.rdf.writer import RdfWriter
from sinks.tables.tables import GraphTables, write_table

# Edges per excerpt.
_EDGES = 2_000


@dataclass(frozen=True)
class Violation:
    """A resource of the graph that violates a shape."""

    focus: str
    path: str
    message: str


def violations(tables: GraphTables, schema: RelationSchema, edges: int | None = None) -> Iterator[Violation]:
    """Yield the violations of the shapes.

    Args:
        tables: the graph.
        schema: the relation schema that the graph was built with.
        edges: validate this many edges, the first ones, and what they refer to; None: everything.

    Raises:
        TableError: the tables are incomplete, or use a relation that `schema` lacks.
    """
    # pyshacl and its engines take a second to import.
    from pyshacl import validate

    rules = rdflib.Graph().parse(data=shapes(), format="turtle")
    for excerpt in _excerpts(tables, edges):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            for name, rows in excerpt.items():
                write_table(rows, name, path / "tables" / f"{name}.parquet")
            RdfWriter("ntriples", "1.1").write(GraphTables.open(path), path / "graph.nt", schema)
            data = rdflib.Graph().parse(path / "graph.nt", format="nt")
        conforms, report, _ = validate(data, shacl_graph=rules, inference="none", advanced=False)
        if conforms:
            continue
        for result in report.subjects(rdflib.RDF.type, SH.ValidationResult):
            message, focus, path_ = (
                str(report.value(result, kind) or "") for kind in (SH.resultMessage, SH.focusNode, SH.resultPath)
            )
            yield Violation(focus, path_, message)


def _excerpts(tables: GraphTables, edges: int | None) -> Iterator[dict[str, pa.Table]]:
    """Yield edges with their nodes, evidence and documents; without a limit also nodes and documents without edges."""
    left = tables.count("edges") if edges is None else edges
    touched: dict[str, set[str]] = {"nodes": set(), "documents": set()}
    for batch in tables.batches("edges", rows=_EDGES):
        chosen = pa.Table.from_batches([batch]).slice(0, left)
        left -= len(chosen)
        if not len(chosen):
            break
        evidence = tables.read("evidence", where=pc.field("edge").isin(chosen["id"].combine_chunks()))
        ids = {
            "nodes": pa.concat_arrays([chosen[end].combine_chunks() for end in ("head", "tail")]).unique(),
            "documents": evidence["document"].combine_chunks().unique(),
        }
        for name, values in ids.items():
            touched[name].update(values.to_pylist())
        found = {name: tables.read(name, where=pc.field("id").isin(values)) for name, values in ids.items()}
        yield {"edges": chosen, "evidence": evidence, **found}
    if edges is not None and tables.count("edges") > edges:
        return
    for name, known in touched.items():
        seen = pa.array(sorted(known), pa.string())
        for batch in tables.batches(name, rows=_EDGES):
            alone = pa.Table.from_batches([batch]).filter(pc.invert(pc.is_in(batch.column("id"), value_set=seen)))
            if len(alone):
                yield {**{other: schema.empty_table() for other, schema in TABLES.items()}, name: alone}

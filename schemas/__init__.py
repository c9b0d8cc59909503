"""The data model: documents, extractions, the merged graph, relation schemas and Arrow tables."""

from schemas.document import Document, Entity, Extraction, Fact, Mention, Section, problems
from schemas.graph import Edge, Evidence, LinkedEntity, MergedNode, Node, content_hash, edge_id, node_id, normalise_name
from schemas.reader_output import DeadLetter, Intake, Redirect, Removal, Skipped
from schemas.record import Record, decode, encode
from schemas.relation_schema import (
    Relation,
    RelationSchema,
    SchemaError,
    builtin_schemas,
    load_relation_schema,
    parse_relation_schema,
)
from schemas.rules import RuleError, Rules, parse_levels
from schemas.tables import SORT_KEYS, TABLES

__all__ = [
    "SORT_KEYS",
    "TABLES",
    "DeadLetter",
    "Document",
    "Edge",
    "Entity",
    "Evidence",
    "Extraction",
    "Fact",
    "Intake",
    "LinkedEntity",
    "Mention",
    "MergedNode",
    "Node",
    "Record",
    "Redirect",
    "Relation",
    "RelationSchema",
    "Removal",
    "RuleError",
    "Rules",
    "SchemaError",
    "Section",
    "Skipped",
    "builtin_schemas",
    "content_hash",
    "decode",
    "edge_id",
    "encode",
    "load_relation_schema",
    "node_id",
    "normalise_name",
    "parse_levels",
    "parse_relation_schema",
    "problems",
]

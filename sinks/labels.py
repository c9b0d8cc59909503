"""The node labels that factmill itself gives in a property graph."""

from __future__ import annotations

# Every node of the graph has it in Neo4j, next to the label for its type.
ENTITY = "Entity"
DOCUMENT = "Document"

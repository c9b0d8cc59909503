"""Node labels that factmill reserves in a property graph."""

from __future__ import annotations

# In Neo4j every node of an entity has this label as well as the one for its type.
ENTITY = "Entity"
DOCUMENT = "Document"

"""What a Neo4j server holds and what it should hold, property by property, said independently of the writer."""

from schemas import content_hash
from tests.sinks.graphs import SCHEMA, Graph

_TYPES = {relation.id: relation.cypher_type for relation in SCHEMA.relations}


def held(server):
    """All nodes and relationships of the database: (labels, properties) by id, (type, ends, properties) by id.

    Save for what tells runs and what they wrote from others.
    """
    with server.connect() as driver:
        nodes = driver.execute_query(
            "MATCH (n) WHERE NOT n:FactmillDigests RETURN labels(n) AS labels, properties(n) AS properties"
        ).records
        edges = driver.execute_query(
            "MATCH (h)-[r]->(t) RETURN type(r) AS type, h.id AS head, t.id AS tail, properties(r) AS properties"
        ).records
    found = {row["properties"]["id"]: (set(row["labels"]), row["properties"]) for row in nodes}
    found.get("graph", ((), {}))[1].pop("run", None)
    facts = {row["properties"]["id"]: (row["type"], row["head"], row["tail"], row["properties"]) for row in edges}
    assert len(found) == len(nodes)
    assert len(facts) == len(edges)
    return found, facts


def wanted(graph: Graph, labels=lambda type: type, types=_TYPES.get):
    """The same for a graph."""
    nodes = {
        node.id: (
            {"Entity", labels(node.type)},
            {
                "id": node.id,
                "name": node.name,
                "type": node.type,
                "aliases": list(node.aliases),
                "kb_ids": list(node.kb_ids),
                "support": node.support,
                "mentions": node.mentions,
            },
        )
        for node in graph.nodes
    }
    kept = ("id", "source", "title", "tokens", "sentences", "entities", "facts", "version")
    for document in graph.documents:
        properties = {name: getattr(document, name) for name in kept}
        nodes[document.id] = ({"Document"}, {"key": content_hash(document.id), **properties})
    counts = {"nodes": len(graph.nodes), "edges": len(graph.edges), "documents": len(graph.documents)}
    nodes["graph"] = ({"FactmillGraph"}, {"id": "graph", "schema": SCHEMA.name, "complete": True, **counts})
    edges = {}
    for edge in graph.edges:
        evidence = sorted((row.document, row.sentence, row.text) for row in graph.evidence if row.edge == edge.id)
        own = {name: getattr(edge, name) for name in edge.__struct_fields__ if name not in {"head", "relation", "tail"}}
        properties = {
            **{name: list(value) if isinstance(value, tuple) else value for name, value in own.items()},
            "documents": [document for document, _, _ in evidence],
            "evidence": [text for _, _, text in evidence],
        }
        edges[edge.id] = (types(edge.relation), edge.head, edge.tail, properties)
    return nodes, edges


def assert_holds(server, graph: Graph, **names):
    nodes, edges = held(server)
    wanted_nodes, wanted_edges = wanted(graph, **names)
    assert nodes == wanted_nodes
    assert edges == wanted_edges

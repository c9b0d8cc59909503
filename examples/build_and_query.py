"""Build a graph from files and ask it: python examples/build_and_query.py [FILES ...] [FOLDER]"""

from __future__ import annotations

import sys
from pathlib import Path

import factmill

HERE = Path(__file__).parent


def main(inputs: list[str | Path], out: str | Path) -> None:
    """Build the graph in `out`, and print the answers to four questions."""
    graph = factmill.build(inputs, out, min_confidence=0.5)
    print(graph)

    print("\nWhich relations are there?")
    counted = "MATCH ()-[r]->() RETURN type(r) AS relation, count(*) AS edges ORDER BY edges DESC, relation LIMIT 5"
    for relation, edges in graph.query(counted):
        print(f"  {edges:4}  {relation}")

    print("\nWho was born where? (SPARQL)")
    born = "SELECT ?who ?where { ?a wdt:P19 ?b . ?a rdfs:label ?who . ?b rdfs:label ?where } ORDER BY ?who LIMIT 5"
    for who, where in graph.sparql(born):
        print(f"  {who}, {where}")

    print("\nWhat is said about the first of them?")
    rows = graph.sparql(born)
    if len(rows):
        print(graph.show(rows[0][0]))

    print("\nWhich nodes connect most of the others? (networkx)")
    network = graph.to_networkx()
    degrees = sorted(network.degree, key=lambda item: (-item[1], item[0]))
    for node, degree in degrees[:5]:
        print(f"  {degree:4}  {network.nodes[node]['name']}")


if __name__ == "__main__":
    *files, folder = sys.argv[1:] or [HERE / "encyclopedia.xml", "people"]
    main(list(files), folder)

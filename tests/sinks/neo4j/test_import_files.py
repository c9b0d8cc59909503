"""The real import tool reads the files, and the server then holds what a load would have left."""

import pytest

from sinks.neo4j.import_files import Neo4jImportWriter
from sinks.neo4j.writer import Neo4jWriter
from tests.sinks.graphs import SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph
from tests.sinks.neo4j_content import assert_holds

FORMATS = ("csv", "parquet")


@pytest.mark.parametrize("format", FORMATS)
def test_the_folder_is_complete_and_the_same_every_time(format, tmp_path):
    graph = odd_graph()
    contents = []
    for _ in range(2):
        writer = Neo4jImportWriter(format)
        counts = writer.write(graph.write(tmp_path), tmp_path / writer.file, SCHEMA)
        assert counts == {"nodes": len(graph.nodes), "edges": len(graph.edges), "documents": len(graph.documents)}
        files = {path.name: path.read_bytes() for path in (tmp_path / writer.file).iterdir()}
        contents.append({name: data for name, data in files.items() if not name.startswith(".")})
    assert contents[0] == contents[1]
    names = ["edges", "graph", "nodes", "documents"]
    assert sorted(contents[0]) == sorted([*(f"{name}.{format}" for name in names), "import.sh", "finish.cypher"])


def test_lists_are_cut_where_no_text_has_the_character(tmp_path):
    writer = Neo4jImportWriter("csv")
    for name, code in (("plain", "U+001F"), ("a\x1fb\ue000", "U+E001")):
        writer.write(Graph([make_node(name)]).write(tmp_path), tmp_path / writer.file, SCHEMA)
        assert f'"--array-delimiter={code}"' in (tmp_path / writer.file / "import.sh").read_text()


@pytest.mark.server
@pytest.mark.parametrize("format", FORMATS)
def test_the_tool_takes_it_and_updates_go_on_from_there(format, neo4j_server, tmp_path):
    graph = odd_graph()
    more = random_graph(60, 200)
    graph.nodes += more.nodes
    graph.edges += [*more.edges, make_edge(graph.nodes[0], "P17", graph.nodes[-1])]
    graph.evidence += more.evidence
    graph.documents += more.documents
    writer = Neo4jImportWriter(format)
    writer.write(graph.write(tmp_path), tmp_path / writer.file, SCHEMA)
    neo4j_server.stop()
    neo4j_server.run_admin_script(tmp_path / writer.file / "import.sh")
    neo4j_server.start()
    with neo4j_server.connect() as driver, driver.session() as session:
        for statement in (tmp_path / writer.file / "finish.cypher").read_text().splitlines():
            session.run(statement.removesuffix(";")).consume()
    assert_holds(neo4j_server, graph)
    Neo4jWriter().write(more.write(tmp_path), neo4j_server.uri, SCHEMA)
    assert_holds(neo4j_server, more)

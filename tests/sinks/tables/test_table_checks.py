import msgspec
import pytest

from sinks.tables.table_checks import check_tables
from tests.sinks.graphs import SCHEMA, Graph, make_document, make_node, small_graph


def sound_graph() -> Graph:
    """A graph whose evidence stands in its documents."""
    graph = small_graph()
    texts: dict[str, str] = {}
    for row in sorted(graph.evidence, key=lambda row: row.start):
        texts[row.document] = texts.get(row.document, "").ljust(row.start) + row.text
    graph.documents = [make_document(id, text) for id, text in texts.items()]
    return graph


def found(graph, folder, rows=None):
    return {(problem.table, problem.rule): problem.rows for problem in check_tables(graph.write(folder), SCHEMA, rows)}


def change(graph, table, row, **values):
    rows = getattr(graph, table)
    old = rows[row]
    rows[row] = old._replace(**values) if isinstance(old, tuple) else msgspec.structs.replace(old, **values)


def test_a_sound_graph_has_no_problems(tmp_path):
    assert found(sound_graph(), tmp_path, {"nodes": 4, "edges": 2, "evidence": 4, "documents": 2}) == {}
    assert found(Graph(), tmp_path) == {}


@pytest.mark.parametrize(
    ("table", "values", "rules"),
    [
        ("nodes", {"support": 0}, {"a node is mentioned in at least one document"}),
        ("nodes", {"mentions": 1, "support": 2}, {"a node has at least as many mentions as documents"}),
        ("nodes", {"aliases": ("Other",)}, {"the name is among the aliases"}),
        ("edges", {"confidence": 1.5}, {"the confidence is above 0 and at most 1"}),
        ("edges", {"confidence": float("nan")}, {"the confidence is above 0 and at most 1"}),
        ("edges", {"support": 0}, {"an edge is stated by at least one document"}),
        ("edges", {"head": "x"}, {"the head is a node", "the id is the hash of head, relation and tail"}),
        (
            "edges",
            {"relation": "P0"},
            {"the relation is in the relation schema", "the id is the hash of head, relation and tail"},
        ),
        ("evidence", {"edge": "x"}, {"the edge is there"}),
        ("evidence", {"document": "x"}, {"the document is there"}),
        ("evidence", {"probability": -0.1}, {"the probability is between 0 and 1"}),
        (
            "evidence",
            {"text": "Other words"},
            {"the text has the length of its offsets", "the document has the text at its offsets"},
        ),
        ("evidence", {"head_spans": ((0, 900),)}, {"head_spans are within the sentence"}),
        ("evidence", {"tail_spans": ((5, 5),)}, {"tail_spans are within the sentence"}),
        ("documents", {"text": "Nothing of the kind"}, {"the document has the text at its offsets"}),
    ],
)
def test_every_rule_is_held(table, values, rules, tmp_path):
    graph = sound_graph()
    change(graph, table, 0, **values)
    problems = found(graph, tmp_path)
    assert {rule for _, rule in problems} == rules


def test_rows_that_stand_twice(tmp_path):
    graph = sound_graph()
    graph.nodes.append(graph.nodes[0])
    graph.evidence.append(graph.evidence[0])
    assert found(graph, tmp_path) == {
        ("nodes", "ids are unique and sorted"): 1,
        ("evidence", "rows are unique and sorted"): 1,
    }


def test_rows_that_the_report_counts_differently(tmp_path):
    assert found(sound_graph(), tmp_path, {"nodes": 5}) == {("nodes", "has the 5 rows that run.json states"): 1}


def test_the_first_example_of_a_problem_is_named(tmp_path):
    graph = sound_graph()
    graph.nodes.append(make_node("A", support=0))
    (problem,) = check_tables(graph.write(tmp_path), SCHEMA)
    assert problem.example == make_node("A").id

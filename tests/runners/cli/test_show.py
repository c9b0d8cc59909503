import json

import pytest
from click.testing import CliRunner

from runners.cli.main import main
from runners.cli.show import _marked
from schemas import LinkedEntity, MergedNode, node_id
from sinks import GraphTables, Sentence
from tests.runners.graph_files import write_report
from tests.sinks.graphs import SCHEMA, Graph, make_document, make_node


def show(out, *args):
    return CliRunner().invoke(main, ["show", str(out), *args])


@pytest.fixture(scope="module")
def head(built):
    """The name and id of a node that is the head of an edge."""
    tables = GraphTables.open(built[0])
    names = dict(zip(*tables.read("nodes", ("id", "name")).to_pydict().values(), strict=True))
    id = tables.read("edges", ("head",))["head"][0].as_py()
    return names[id], id


def test_an_entity_with_its_facts_and_sentences(built, head):
    name, _ = head
    result = show(built[0], name)
    assert result.exit_code == 0
    assert result.stdout.startswith(name)
    assert f"{name} -- " in result.stdout
    assert "[" + name in result.stdout  # the mention is marked in the sentence
    assert "\x1b" not in result.stdout


def test_it_is_found_by_its_id_and_by_a_name_written_otherwise(built, head):
    name, id = head
    assert show(built[0], id).stdout.startswith(name)
    assert show(built[0], f"  {name.upper()} ").exit_code == 0


def test_limits_are_kept_and_told(built, head):
    everything = json.loads(show(built[0], head[1], "--json").stdout)
    result = show(built[0], head[1], "--facts", "1", "--sentences", "0")
    assert sum(" -- " in line for line in result.stdout.splitlines()) == 1
    more = len(everything["facts"]) - 1
    assert (f"and {more:,} more fact" in result.stdout) == (more > 0)


def test_json_has_the_node_and_every_fact(built, head):
    view = json.loads(show(built[0], head[1], "--json").stdout)
    assert view["node"]["id"] == head[1]
    assert view["facts"]
    assert all(fact["label"] == "induces disease" and fact["evidence"] for fact in view["facts"])


def test_an_unknown_name_gets_the_closest(built, head):
    result = show(built[0], head[0] + "qq")
    assert result.exit_code == 2
    assert f"the graph has no '{head[0]}qq'; it has " in result.stderr
    assert repr(head[0]) in result.stderr


def test_a_folder_without_a_graph_is_a_mistake(tmp_path):
    result = show(tmp_path / "none", "x")
    assert result.exit_code == 2
    assert "build a graph first" in result.stderr


def test_a_damaged_report_is_a_mistake(built, head, tmp_path):
    (tmp_path / "tables").symlink_to(built[0] / "tables")
    for content in ("{", "[]", "{}"):
        (tmp_path / "run.json").write_text(content)
        result = show(tmp_path, head[1])
        assert result.exit_code == 2
        assert "run.json' is damaged or by another version of factmill" in result.stderr


def test_marks_nested_and_touching_mentions_once():
    text = "Bank of England and its\nBank\x1b"
    sentence = Sentence("d", "t", text, ((0, 15), (24, 28)), ((8, 15), (0, 4)), 0.5)
    assert _marked(sentence) == "[Bank of England] and its [Bank]\\x1b"


def test_why_names_were_linked(tmp_path):
    node = make_node("Ann Bolt", kb_id="wiki:Ann Bolt")
    rows = [
        LinkedEntity(document, 0, 4, "Bolt", "wiki:Ann Bolt", sure, "links", (("bias", 1.0), ("uses", 2.5)), others)
        for document, sure, others in (("a", 0.9, ()), ("b", 0.6, (("wiki:Bolt (tool)", 0.3),)))
    ]
    other = LinkedEntity("b", 9, 12, "Tool", "wiki:Bolt (tool)", 0.7, "titles", (("bias", 1.0),), ())
    texts = [make_document(name, "Bolt and a Tool.", name.upper()) for name in "ab"]
    Graph([node, make_node("Bob")], documents=texts, links=[*rows, other]).write(tmp_path)
    write_report(tmp_path, SCHEMA)

    told = show(tmp_path, "Ann Bolt", "--why").stdout
    assert "names linked to it\n0.60 to 0.90  Bolt: linked by links\n      in A, B\n      bias 1, uses 2.5\n" in told
    assert "      else wiki:Bolt (tool) 0.30\n" in told
    assert "Tool" not in told
    assert "no names without a link of their own were linked to it" in show(tmp_path, "Bob", "--why").stdout
    as_json = json.loads(show(tmp_path, "Ann Bolt", "--why", "--json").stdout)
    assert as_json["linked"][0]["entities"] == 2
    assert "linked" not in json.loads(show(tmp_path, "Ann Bolt", "--json").stdout)


def test_why_names_were_joined(tmp_path):
    node = make_node("José Pérez", aliases=("Jose Perez",))
    joined = MergedNode(
        id=node_id(None, "Jose Perez", "PER"),
        node=node.id,
        name="Jose Perez",
        type="PER",
        support=2,
        score=0.98,
        reason="same letters",
        features=(("same letters", 1.0), ("contained", 0.25), ("together", 0.0)),
        documents=("d",),
    )
    text = make_document("d", "Jose Perez.", "Lima")
    small = Graph([node, make_node("Bob")], documents=[text], merges=[joined])
    small.write(tmp_path)
    write_report(tmp_path, SCHEMA)

    told = show(tmp_path, "José Pérez", "--why").stdout
    assert "names joined into it\n 0.98  Jose Perez  PER: same letters\n" in told
    assert "      in Lima and 1 more document\n      same letters 1, contained 0.25\n" in told
    assert "no other names were joined into it" in show(tmp_path, "Bob", "--why").stdout
    assert "joined into it" not in show(tmp_path, "José Pérez").stdout
    as_json = json.loads(show(tmp_path, "José Pérez", "--why", "--json").stdout)
    assert as_json["joined"][0]["documents"] == ["Lima"]

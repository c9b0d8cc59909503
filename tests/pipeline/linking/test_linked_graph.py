"""From a dump to a graph: names without links become part of the nodes of pages."""

import pytest

from pipeline.build import BuildOptions, build
from sinks import GraphTables
from tests.pipeline.made import mediawiki
from tests.rule_extractor import RuleSource

PAGES = (
    ("Ada Bolt", "'''Ada Bolt''' was born in [[Luton]].\n\n{{Authority control|qid=Q42}}"),
    ("Luton", "'''Luton''' is in [[England]]."),
    ("Bridge", "'''Bridge''' can be:\n* [[Bridge (card game)|Bridge]], a game\n* [[Old Bridge]]\n{{disambiguation}}"),
    ("Letters", "Bob wrote to Ada Bolt. Bob is in Luton."),
    ("Bolt, Ada", "#REDIRECT [[Ada Bolt]]"),
)


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    path = tmp_path_factory.mktemp("dump") / "dump.xml"
    path.write_text(mediawiki(*PAGES))
    return path


def nodes(out):
    return {row["name"]: row for row in GraphTables.open(out).read("nodes").to_pylist()}


def test_names_without_links_become_part_of_the_nodes_of_pages(dump, tmp_path):
    options = BuildOptions(runner="memory", workers=1)
    report = build([dump], tmp_path / "out", options, source=RuleSource(), writers=[])
    found = nodes(tmp_path / "out")
    assert found["Ada Bolt"]["kb_ids"] == ["wiki:Ada Bolt", "wikidata:Q42"]
    assert found["Ada Bolt"]["support"] == 2
    assert found["Luton"]["support"] == 3
    assert found["Bob"]["kb_ids"] == []
    linked = report.counts.linked
    assert linked["by links"] == 2
    assert sum(linked.values()) == sum(GraphTables.open(tmp_path / "out").read("documents")["entities"].to_pylist())


def test_without_linking_nodes_are_what_their_sources_say(dump, tmp_path):
    options = BuildOptions(runner="memory", workers=1, link=False, resolve=False)
    report = build([dump], tmp_path / "out", options, source=RuleSource(), writers=[])
    assert report.counts.linked == {}
    rows = GraphTables.open(tmp_path / "out").read("nodes").to_pylist()
    assert sorted(row["support"] for row in rows if row["name"] == "Luton") == [1, 2]

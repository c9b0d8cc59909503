"""Updates, removals, merges and resumed builds give the graph of a build of the final set of documents."""

import json
import os
import pickle
import shutil

import msgspec
import pytest

import pipeline.build_run
import pipeline.store.store
from pipeline.build import BuildOptions, build
from pipeline.change import ExecutionOptions, merge, remove, update
from pipeline.dead_letters import BuildError, BuildFailed
from pipeline.extraction.extract import Shards, WriteShard
from pipeline.extraction.shard_task import ShardTask
from pipeline.output_folder import locked
from pipeline.store.store import FOLDER, INFO
from sinks import WRITERS, GraphTables
from tests.pipeline import plain
from tests.pipeline.change_cases import MACHINE, OPTIONS, RULES, check_history, contents, shards
from tests.pipeline.made import digest, document, mediawiki, medline, records
from tests.rule_extractor import RuleExtractor, RuleSource

ONE = BuildOptions(runner="memory", workers=1, batch_cost=100)
# Set to 5000 for the large trial: FACTMILL_HISTORIES=5000 pytest tests/pipeline/test_change.py -k history
HISTORIES = int(os.environ.get("FACTMILL_HISTORIES", "200"))
AT_ONCE = 10


@pytest.mark.parametrize("first", range(0, HISTORIES, AT_ONCE))
def test_every_random_history_ends_as_a_build_from_scratch(first, tmp_path, monkeypatch):
    kills = 0
    for seed in range(first, first + AT_ONCE):
        folder = tmp_path / str(seed)
        folder.mkdir()
        kills += check_history(seed, folder, monkeypatch)
        shutil.rmtree(folder)
    assert kills > 0


# From here on with Beam: all five tables, byte for byte.


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Citations in two files, of which the second has newer versions, withdrawals and an unreadable record."""
    made = [(int(id), 1, title, abstract) for id, title, abstract in records(30)]
    newer = [(1003, 2, "José Pérez is in Boston.", "New text."), (1004, 2, "Poison is in Luton.", "It fails.")]
    folder = tmp_path_factory.mktemp("parts")
    (folder / "a.xml").write_text(medline(made[:20]))
    (folder / "b.xml").write_text(medline([*made[20:], *newer], deleted=[1005, 1025]))
    (folder / "links.xml").write_text(
        mediawiki(
            ("Ada", "'''Ada''' met Jose Perez in the [[UK]]."), ("Bob", "'''Bob''' was of the [[United Kingdom]].")
        )
    )
    (folder / "redirects.xml").write_text(mediawiki(("UK", "#REDIRECT [[United Kingdom]]")))
    return folder


@pytest.fixture(scope="module")
def scratch(parts, tmp_path_factory):
    """The build of everything at once, in shards of a few documents."""
    out = tmp_path_factory.mktemp("scratch") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.store.store, "_BYTES", 512)
        build([parts], out, ONE, **RULES)
    assert len(shards(out / FOLDER)) > 4
    return out


@pytest.fixture(scope="module")
def halves(parts, tmp_path_factory):
    """Builds of the two halves, each in one shard."""
    folder = tmp_path_factory.mktemp("halves")
    build([parts / "a.xml", parts / "links.xml"], folder / "first", ONE, **RULES)
    build([parts / "b.xml", parts / "redirects.xml"], folder / "second", ONE, **RULES)
    return folder


def test_an_update_gives_the_bytes_of_a_build_from_scratch(parts, halves, scratch, tmp_path):
    shutil.copytree(halves / "first", tmp_path / "out")
    report = update(tmp_path / "out", [parts / "b.xml", parts / "redirects.xml"], MACHINE, **RULES)
    assert report.counts.change == {"added": 9, "kept": 19, "removed": 1, "replaced": 2}
    assert report.counts.extracted == {"now": 11}
    assert report.inputs == ("a.xml", "b.xml", "links.xml", "redirects.xml")
    assert digest(tmp_path / "out") == digest(scratch)
    names = GraphTables.open(tmp_path / "out").read("nodes", ("name", "support")).to_pylist()
    assert {"name": "United Kingdom", "support": 2} in names
    # Of two spellings, in files of the first graph and of the update, one is now part of the other.
    spellings = {"José Pérez", "Jose Perez"}
    assert len(spellings & {node["name"] for node in names}) == 1
    assert len(spellings & set(GraphTables.open(tmp_path / "out").read("merges")["name"].to_pylist())) == 1


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_two_graphs_merge_to_the_bytes_of_a_build_from_scratch(order, halves, scratch, tmp_path):
    left, right = (halves / name for name in order)
    report = merge(left, right, tmp_path / "out", ExecutionOptions(runner="memory"), writers=[])
    assert report.counts.extracted == {}
    assert digest(tmp_path / "out") == digest(scratch)


def test_removed_documents_leave_the_bytes_of_a_build_without_them(parts, scratch, halves, tmp_path):
    shutil.copytree(halves / "first", tmp_path / "out")
    names = [f"pubmed:{1000 + number}" for number in range(10)]
    report = remove(tmp_path / "out", [*names, "pubmed:1"], MACHINE, writers=[])
    assert report.counts.change == {"kept": 12, "removed": 10}
    made = [(int(id), 1, title, abstract) for id, title, abstract in records(20)[10:]]
    (tmp_path / "a.xml").write_text(medline(made))
    build([tmp_path / "a.xml", parts / "links.xml"], tmp_path / "without", ONE, **RULES)
    assert digest(tmp_path / "out") == digest(tmp_path / "without")
    assert b"pubmed:1003" not in b"".join(row.record for row in contents(tmp_path / "out")[0])


# And without Beam again: what is refused, and what is kept.


@pytest.fixture
def graph(monkeypatch, tmp_path):
    """A small graph, built without Beam."""
    monkeypatch.setattr(pipeline.build_run, "run", plain.run)
    build(given(tmp_path, "a", 3), tmp_path / "graph", OPTIONS, **RULES)
    return tmp_path / "graph"


def given(folder, name, count):
    path = folder / f"{name}.records"
    path.write_bytes(pickle.dumps([document(f"{name}{n}", "Ann is in Luton.") for n in range(count)]))
    return [path]


class OtherSource(RuleSource):
    def identity(self):
        return {"model": "rules", "fingerprint": "1"}


class BrokenSource(RuleSource):
    def extractor(self):
        raise RuntimeError("no memory for the weights")


def test_another_extractor_is_refused_with_the_remedy(graph, tmp_path):
    with pytest.raises(BuildError, match=r"rules \(fingerprint 0, .*\), and this is .* \(fingerprint 1, .*\): say"):
        update(graph, given(tmp_path, "b", 1), MACHINE, source=OtherSource(), writers=[])


def test_an_extractor_that_only_moved_is_taken(graph, tmp_path):
    class Moved(RuleSource):
        def identity(self):
            return {"model": "/elsewhere", "fingerprint": "0"}

    assert update(graph, given(tmp_path, "b", 1), MACHINE, source=Moved(), writers=[]).counts.rows["documents"] == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 0}, "extractions of format 0, by factmill .*: build the graph again"),
        ({"factmill": "0.0.1"}, "was built by factmill 0.0.1, and this is"),
    ],
)
def test_a_graph_of_another_version_is_refused_with_the_remedy(change, message, graph, tmp_path):
    path = graph / FOLDER / INFO
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BuildError, match=message):
        update(graph, given(tmp_path, "b", 1), MACHINE, **RULES)


def test_a_graph_without_a_store_is_refused_with_the_remedy(graph):
    shutil.rmtree(graph / FOLDER)
    with pytest.raises(BuildError, match="has no folder 'extractions', so its documents cannot change: build it again"):
        remove(graph, ["a0"], MACHINE, writers=[])


def test_a_lost_shard_is_told(graph):
    next((graph / FOLDER).glob("shard-*")).unlink()
    with pytest.raises(BuildError, match=r"shard-00000-of-00001.parquet' is missing"):
        remove(graph, ["a0"], MACHINE, writers=[])


def test_what_is_no_graph_is_refused_and_left_alone(tmp_path):
    for action in (
        lambda: update(tmp_path / "none", given(tmp_path, "b", 1), MACHINE, **RULES),
        lambda: remove(tmp_path, ["a"], MACHINE, writers=[]),
        lambda: merge(tmp_path, tmp_path / "none", tmp_path / "out", MACHINE, writers=[]),
    ):
        with pytest.raises(BuildError, match="is no graph"):
            action()
    assert [path.name for path in tmp_path.iterdir()] == ["b.records"]


def test_two_commands_at_once_are_refused(graph, tmp_path):
    with locked(graph):
        for action in (
            lambda: update(graph, given(tmp_path, "b", 1), MACHINE, **RULES),
            lambda: remove(graph, ["a0"], MACHINE, writers=[]),
            lambda: merge(graph, shutil.copytree(graph, tmp_path / "other"), tmp_path / "out", MACHINE, writers=[]),
        ):
            with pytest.raises(BuildError, match=rf"another build is writing to .*process {os.getpid()}"):
                action()


def test_graphs_with_other_options_do_not_merge(graph, tmp_path):
    other = shutil.copytree(graph, tmp_path / "other")
    report = json.loads((other / "run.json").read_text())
    report["options"]["min_confidence"] = 0.5
    (other / "run.json").write_text(json.dumps(report))
    with pytest.raises(BuildError, match=r"with min_confidence 0.0 and .*other' with 0.5: build one of them again"):
        merge(graph, other, tmp_path / "out", MACHINE, writers=[])
    report["options"]["min_confidence"] = 0.0
    (other / "run.json").write_text(json.dumps(report))
    info = json.loads((other / FOLDER / INFO).read_text())
    (other / FOLDER / INFO).write_text(json.dumps({**info, "extractor": {"model": "rules", "fingerprint": "1"}}))
    with pytest.raises(BuildError, match=r"different extractors, .*: build one of them again"):
        merge(graph, other, tmp_path / "out", MACHINE, writers=[])
    with pytest.raises(BuildError, match="three different folders"):
        merge(graph, other, other, MACHINE, writers=[])


def test_an_update_that_fails_leaves_the_graph_and_says_so(graph, tmp_path):
    before = contents(graph)
    with pytest.raises(RuntimeError, match="no memory"):
        update(graph, given(tmp_path, "b", 1), MACHINE, source=BrokenSource(), writers=[])
    assert contents(graph) == before
    assert sorted(path.name for path in graph.iterdir()) == [FOLDER, "run.json", "tables"]


def test_a_file_that_changes_while_it_is_read_is_told(graph, tmp_path, monkeypatch):
    (path,) = given(tmp_path, "b", 1)

    class Touching(RuleExtractor):
        def featurize(self, document):
            path.write_bytes(path.read_bytes() + b" ")
            return super().featurize(document)

    class Source(RuleSource):
        def featurizer(self):
            return Touching()

    before = contents(graph)
    with pytest.raises(BuildFailed, match="changed while it was read"):
        update(graph, [path], MACHINE, source=Source(), writers=[])
    assert contents(graph) == before


def test_a_change_keeps_what_is_made_of_the_tables_up_to_date(graph, tmp_path):
    rdf = WRITERS["rdf"]
    build(given(tmp_path, "a", 3), graph, BuildOptions(runner="memory"), source=RuleSource(), writers=[rdf])
    update(graph, given(tmp_path, "b", 2), MACHINE, source=RuleSource())
    assert (graph / rdf.file).read_text().count("Document>") == 5
    remove(graph, ["a0", "b1"], MACHINE)
    assert (graph / rdf.file).read_text().count("Document>") == 3


def test_a_worker_that_outlives_its_command_writes_nothing_into_the_next_one(graph, tmp_path):
    shards = Shards(str(graph / FOLDER), "mark of the earlier plan")
    before = contents(graph)
    with pytest.raises(BuildFailed, match="another command writes"):
        WriteShard(shards).process(ShardTask(0, 1, [], []))
    remove(graph, [], MACHINE, writers=[])  # leaves no plan
    with pytest.raises(FileNotFoundError):
        WriteShard(shards).process(ShardTask(0, 1, [], []))
    assert contents(graph) == before


def test_a_pipeline_that_breaks_on_its_way_tells_how_to_go_on(graph, tmp_path, monkeypatch):
    def breaking(flow, runner, options):
        plain.run(flow, runner, options)
        raise BuildFailed("the pipeline failed: no room")

    monkeypatch.setattr(pipeline.build_run, "run", breaking)
    with pytest.raises(
        BuildFailed, match=r"no room; extracted documents are kept: continue with the same command and --resume"
    ):
        update(graph, given(tmp_path, "b", 2), MACHINE, **RULES)
    monkeypatch.setattr(pipeline.build_run, "run", plain.run)
    report = update(graph, [tmp_path / "b.records"], MACHINE, **RULES, resume=True)
    assert report.counts.extracted == {"before": 2}


def test_an_update_reports_nothing_to_do_as_such(graph, tmp_path):
    report = update(graph, given(tmp_path, "a", 3), MACHINE, **RULES)
    assert (report.command, report.counts.change, report.counts.extracted) == ("update", {"kept": 3}, {})
    assert report.counts.skipped == {"duplicate": 3}
    assert msgspec.json.decode((graph / "run.json").read_bytes())["counts"]["change"] == {"kept": 3}

"""Builds from files to tables, with an extractor of rules."""

import json
import random
import shutil

import pytest

from pipeline import readers
from pipeline.build import BuildOptions, build
from pipeline.change import ExecutionOptions, update
from pipeline.dead_letters import BuildError, BuildFailed
from pipeline.output_folder import locked
from pipeline.read_documents import read_part
from schemas import TABLES
from sinks import GraphTables
from tests.pipeline.made import digest, mediawiki, medline, pubtator, records
from tests.rule_extractor import RuleSource

ONE = BuildOptions(runner="memory", workers=1, batch_cost=100)


def build_rules(inputs, out, options=ONE, **more):
    return build(inputs, out, options, source=RuleSource(), writers=[], **more)


def column(out, table, *columns):
    return GraphTables.open(out).read(table, columns).to_pylist()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Documents in two files, some of which harm the rules."""
    spoilt = [list(record) for record in records(120)]
    for number, spell in ((17, "Poison"), (18, "Nan"), (19, "Unpreparable"), (20, "Greedy")):
        spoilt[number][2] += f" {spell} is in Boston."
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "a.txt").write_text(pubtator(spoilt[:50]))
    (folder / "b.txt").write_text(pubtator(spoilt[50:]))
    return folder


@pytest.fixture(scope="module")
def built(corpus, tmp_path_factory):
    """The output of an undisturbed build of the corpus by one worker, what it reported, and what it told on the way."""
    out = tmp_path_factory.mktemp("built") / "out"
    heard = {}
    report = build_rules([corpus], out, progress=lambda stage, *args, **more: heard.update({stage: (args, more)}))
    return out, report, heard


def test_a_build_accounts_for_every_document(built):
    out, report, _ = built
    assert report.counts.read == {"documents": 120}
    assert report.counts.dead_letters == {
        "prepare: document cannot be prepared": 1,
        "extract: extractor failed": 1,
        "extract: extraction is not sound": 1,
    }
    assert report.counts.rows["documents"] == 117
    assert {row["document_id"] for row in column(out, "dead_letters", "document_id")} == {
        "pubtator:1017", "pubtator:1018", "pubtator:1019"}  # fmt: skip
    saved = json.loads((out / "run.json").read_text())
    assert saved["counts"]["rows"] == report.counts.rows
    assert saved["inputs"] == ["a.txt", "b.txt"]
    assert saved["versions"]["apache-beam"]
    assert sorted(path.name for path in out.iterdir()) == ["extractions", "run.json", "tables"]


def test_the_graph_holds_what_the_texts_say(built):
    out, _, _ = built
    nodes = {row["id"]: row for row in column(out, "nodes", "id", "name", "support")}
    edges = column(out, "edges", "id", "head", "relation", "tail", "confidence", "support")
    facts = {(nodes[row["head"]]["name"], row["relation"], nodes[row["tail"]]["name"]): row for row in edges}
    bridge = facts["Old Bridge", "in", "Boston"]
    assert bridge["support"] == 20  # every sixth of 120 documents, none of them dead
    assert 0.99 < bridge["confidence"] <= 1
    texts = {row["text"] for row in column(out, "evidence", "edge", "text") if row["edge"] == bridge["id"]}
    assert texts == {"The Old Bridge is in Boston."}


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_the_bytes_are_the_same_for_two_workers(runner, built, corpus, tmp_path):
    build_rules([corpus], tmp_path / "out", BuildOptions(runner=runner, workers=2, batch_cost=100))
    assert digest(tmp_path / "out") == digest(built[0])


@pytest.mark.parametrize("seed", range(3))
def test_the_bytes_are_the_same_for_shuffled_documents_in_other_batches(seed, tmp_path):
    chance = random.Random(seed)
    made = records(chance.randrange(1, 80))
    outs = []
    for turn in range(2):
        folder = tmp_path / f"in{turn}"
        folder.mkdir()
        chance.shuffle(made)
        (folder / "corpus.txt").write_text(pubtator(made))
        outs.append(tmp_path / f"out{turn}")
        build_rules([folder], outs[-1], BuildOptions(runner="memory", batch_cost=chance.choice([1, 50, 5000])))
    assert digest(outs[0]) == digest(outs[1])


def test_a_second_run_into_the_same_folder_gives_the_same_bytes(built, corpus, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built[0], out)
    build_rules([corpus / "b.txt", corpus / "a.txt"], out)
    assert digest(out) == digest(built[0])
    assert sorted(path.name for path in out.iterdir()) == ["extractions", "run.json", "tables"]


def test_bundles_that_run_twice_change_nothing(built, corpus, tmp_path):
    twice = BuildOptions(runner="memory", batch_cost=100, beam=("--direct_runner_bundle_repeat=1",))
    build_rules([corpus], tmp_path / "twice", twice)
    assert digest(tmp_path / "twice") == digest(built[0])


def test_a_document_in_two_files_counts_once(built, corpus, tmp_path):
    again = tmp_path / "c.txt"
    again.write_bytes((corpus / "a.txt").read_bytes())
    report = build_rules([corpus, again], tmp_path / "out")
    assert report.counts.read == {"documents": 170}
    assert report.counts.skipped == {"duplicate": 50}
    tables = ("nodes.parquet", "edges.parquet", "evidence.parquet")
    one, two = digest(built[0]), digest(tmp_path / "out")
    assert [one[name] for name in tables] == [two[name] for name in tables]


def test_edges_below_the_cut_go_with_their_evidence_and_nodes_stay(built, corpus, tmp_path):
    everything = built[1].counts
    cut = build_rules([corpus], tmp_path / "cut", BuildOptions(runner="memory", min_confidence=0.995)).counts
    assert 0 < cut.rows["edges"] < everything.rows["edges"]
    assert cut.rows["edges"] + cut.dropped["edge below the confidence cut"] == everything.rows["edges"]
    assert cut.rows["evidence"] + cut.dropped["evidence of edges left out"] == everything.rows["evidence"]
    assert cut.rows["nodes"] == everything.rows["nodes"]
    kept = {row["id"] for row in column(tmp_path / "cut", "edges", "id")}
    assert {row["edge"] for row in column(tmp_path / "cut", "evidence", "edge")} == kept
    assert min(row["confidence"] for row in column(tmp_path / "cut", "edges", "confidence")) >= 0.995


def test_a_limit_takes_the_first_documents_for_any_number_of_workers(corpus, tmp_path):
    build_rules([corpus], tmp_path / "one", BuildOptions(runner="memory", limit=60))
    build_rules([corpus], tmp_path / "two", BuildOptions(runner="threads", workers=2, limit=60))
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    report = build_rules([corpus / "b.txt"], tmp_path / "three", BuildOptions(runner="memory", limit=3))
    assert report.counts.rows["documents"] == 3


def test_a_build_that_reads_nothing_fails_and_leaves_what_was_there(built, tmp_path):
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)))
    (tmp_path / "other.jsonl").write_text('{"id": "1", "contents": "Ann is in Luton."}\n{"id": "2", "contents": "x"}\n')
    (tmp_path / "empty.txt").touch()
    shutil.copytree(built[0], tmp_path / "out")
    before = digest(tmp_path / "out")
    inputs = [tmp_path / name for name in ("noise.bin", "other.jsonl", "empty.txt")]
    with pytest.raises(BuildFailed) as failure:
        build_rules(inputs, tmp_path / "out")
    message = str(failure.value)
    assert message.startswith("no document was read from 3 files (3 dead letters and 1 skip): empty.txt: empty text; ")
    assert "noise.bin: looks like binary data" in message
    assert message.count("there is no field 'text' (there are: id, contents)") == 1
    assert digest(tmp_path / "out") == before
    with pytest.raises(BuildFailed, match="from 1 file "):
        build_rules([tmp_path / "noise.bin"], tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_redirects_alone_give_empty_tables(tmp_path):
    (tmp_path / "a.xml").write_text(mediawiki(("UK", "#REDIRECT [[United Kingdom]]")))
    report = build_rules([tmp_path / "a.xml"], tmp_path / "out")
    assert report.counts.rows == {}
    assert len(digest(tmp_path / "out")) == len(TABLES)


def two_files_that_count_from_0(folder):
    for name, texts in {"a": ["Ann is in Luton.", "Bob is in Boston."], "b": ["Ann is in Boston."]}.items():
        lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return [folder / "a.jsonl", folder / "b.jsonl"]


def test_two_texts_of_one_id_are_named_with_both_sources(tmp_path):
    report = build_rules(two_files_that_count_from_0(tmp_path), tmp_path / "out")
    assert report.counts.skipped == {"same id, other text": 1}
    ((conflict, number),) = report.counts.conflicts.items()
    assert number == 1
    assert "'0' of " in conflict and "a.jsonl" in conflict and "b.jsonl" in conflict
    assert json.loads((tmp_path / "out" / "run.json").read_bytes())["counts"]["conflicts"] == {conflict: 1}


def test_a_prefix_keeps_both(tmp_path):
    options = BuildOptions(runner="memory", id_prefix="file")
    report = build_rules(two_files_that_count_from_0(tmp_path), tmp_path / "out", options)
    assert report.counts.skipped == {}
    assert [row["id"] for row in column(tmp_path / "out", "documents", "id")] == ["a.jsonl:0", "a.jsonl:1", "b.jsonl:0"]


def test_an_update_reads_files_as_the_build_did(tmp_path):
    first, second = two_files_that_count_from_0(tmp_path)
    for path in (first, second):
        path.write_text(path.read_text().replace('"text"', '"body"'))
    options = BuildOptions(runner="memory", id_prefix="file", columns={"text": "body"})
    build_rules([first], tmp_path / "out", options)
    update(tmp_path / "out", [second], ExecutionOptions(runner="memory"), source=RuleSource(), writers=[])
    build_rules([first, second], tmp_path / "scratch", options)
    assert digest(tmp_path / "out") == digest(tmp_path / "scratch")


@pytest.mark.parametrize(
    ("options", "message"), [({"format": "word"}, "no format 'word'"), ({"id_prefix": "day"}, "no id prefix 'day'")]
)
def test_what_cannot_be_read_like_this_is_refused_before_any_work(corpus, tmp_path, options, message):
    with pytest.raises(BuildError, match=message):
        build_rules([corpus], tmp_path / "out", BuildOptions(runner="memory", **options))
    assert not (tmp_path / "out").exists()


def test_the_documents_table_has_the_text_and_what_was_found(tmp_path):
    (tmp_path / "a.txt").write_text(pubtator([("7", "Ann is in Luton", "Bob is in Luton.")]))
    build_rules([tmp_path / "a.txt"], tmp_path / "out")
    (row,) = GraphTables.open(tmp_path / "out").read("documents").to_pylist()
    (part,) = readers.split(tmp_path / "a.txt")
    (made,) = read_part(part)
    assert (row["id"], row["source"], row["text"]) == ("pubtator:7", "a.txt", made.text)
    assert (row["tokens"], row["sentences"], row["entities"], row["facts"]) == (len(made.tokens), 2, 3, 2)


def test_progress_is_told_from_reading_to_writing(built):
    heard = built[2]
    assert heard["read"] == ((120, None, 0), {"ended": True})
    assert heard["extract"] == ((120, 120, 3), {"ended": True})
    assert list(heard) == ["read", "extract", "resolve", "merge", "write"]
    assert all(heard[stage] == ((117, 120, 0), {"ended": True}) for stage in ("resolve", "merge"))


def test_a_pipeline_that_breaks_is_told_in_one_line_and_leaves_no_result(corpus, tmp_path):
    class Broken(RuleSource):
        def extractor(self):
            raise ValueError("the weights are cut short")

    with pytest.raises(BuildFailed, match=r"the pipeline failed: .*the weights are cut short") as caught:
        build([corpus], tmp_path / "out", ONE, source=Broken(), writers=[])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "tables").exists()


def test_an_unknown_runner_is_refused(corpus, tmp_path):
    with pytest.raises(BuildError, match="Beam has no runner 'NoRunner'"):
        build_rules([corpus], tmp_path / "out", BuildOptions(runner="NoRunner"))


def test_a_folder_in_use_is_refused(corpus, tmp_path):
    with locked(tmp_path / "out"), pytest.raises(BuildError, match="another build"):
        build_rules([corpus], tmp_path / "out")


def test_links_through_redirects_meet_in_one_node(tmp_path):
    pages = [
        ("Ada Lovelace", "'''Ada Lovelace''' lived in the [[UK]] and met [[Charles Babbage|Babbage]] there."),
        ("Charles Babbage", "'''Charles Babbage''' was of the [[United Kingdom]] too."),
        ("UK", "#REDIRECT [[United Kingdom]]"),
        ("United Kingdom", "Many towns are in the '''United Kingdom''' today."),
    ]
    (tmp_path / "dump.xml").write_text(mediawiki(*pages))
    report = build_rules([tmp_path / "dump.xml"], tmp_path / "out")
    assert report.counts.read == {"documents": 3, "redirects": 1}
    rows = column(tmp_path / "out", "nodes", "name", "kb_ids", "aliases", "support")
    by_id = {kb_id: row for row in rows for kb_id in row["kb_ids"]}
    assert by_id["wiki:United Kingdom"]["support"] == 3
    assert {"UK", "United Kingdom"} <= set(by_id["wiki:United Kingdom"]["aliases"])
    assert by_id["wiki:Charles Babbage"]["support"] == 2
    assert by_id["wiki:Charles Babbage"]["name"] == "Charles Babbage"


def test_newer_versions_replace_and_deletions_remove(tmp_path):
    old = [(1, 1, "Ann is in Luton.", "Old text."), (2, 1, "Bob is in Luton.", "It stays.")]
    new = [(1, 2, "Ann is in Boston.", "New text."), (3, 1, "Carol is in Luton.", "It goes.")]
    (tmp_path / "a.xml").write_text(medline(new, deleted=[3]))
    (tmp_path / "b.xml").write_text(medline(old))
    report = build_rules([tmp_path / "a.xml", tmp_path / "b.xml"], tmp_path / "out")
    assert report.counts.read == {"documents": 4, "removals": 1}
    assert report.counts.skipped == {"superseded": 1, "removed": 1}
    documents = column(tmp_path / "out", "documents", "id", "title")
    assert [tuple(row.values()) for row in documents] == [
        ("pubmed:1", "Ann is in Boston."), ("pubmed:2", "Bob is in Luton.")]  # fmt: skip
    assert {row["name"] for row in column(tmp_path / "out", "nodes", "name")} >= {"Ann", "Boston", "Bob", "Luton"}
    assert "Carol" not in {row["name"] for row in column(tmp_path / "out", "nodes", "name")}

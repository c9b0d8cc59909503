import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from runners.arguments.build_config import default_config_text
from runners.cli.main import main
from tests.runners.conftest import TEXTS

ANNOTATED = Path(__file__).resolve().parents[3] / "examples" / "annotated" / "biomedicine.pubtator"


def build(*args):
    return CliRunner().invoke(main, ["build", *map(str, args)])


def test_a_build_leaves_tables_graph_and_report(built):
    out, _ = built
    assert sorted(path.name for path in out.iterdir()) == ["extractions", "graph.db", "graph.nq", "run.json", "tables"]
    report = json.loads((out / "run.json").read_text())
    assert report["counts"]["read"]["documents"] == len(TEXTS)
    assert report["inputs"] == sorted(TEXTS)
    assert [relation["id"] for relation in report["relation_schema"]["relations"]] == ["CID"]


def test_progress_goes_to_standard_error_in_lines(built):
    _, result = built
    stages = [line.split()[1] for line in result.stderr.splitlines() if "done in" in line]
    assert stages == ["read", "extract", "resolve", "merge", "write", "graph.nq", "graph.db"]


def test_the_summary_says_what_is_there_and_what_to_try(built):
    out, result = built
    assert f"{len(TEXTS)} from {len(TEXTS)} files" in result.stdout
    assert "dead letters  none" in result.stdout
    for name in ("tables", "graph.nq", "graph.db", "run.json"):
        assert str(out / name) in result.stdout
    for command in ("query", "show", "info"):
        assert f"  factmill {command} {out}" in result.stdout


def test_every_suggested_command_works(built):
    import shlex

    _, result = built
    commands = [line for line in result.stdout.splitlines() if line.startswith("  factmill ")]
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command, comments=True)
        again = CliRunner().invoke(main, words[1:])
        assert again.exit_code == 0, again.output


def test_options_from_a_file_and_the_command_line(checkpoint, texts, tmp_path):
    config = tmp_path / "my.yaml"
    config.write_text(f"inputs: ['{texts}']\nout: {tmp_path / 'a'}\nmodel: {checkpoint}\nlimit: 1\nrunner: memory\n")
    result = build("--config", config, "--out", tmp_path / "b", "--min-confidence", "1", "--debug")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "b" / "run.json").read_text())
    assert (report["options"]["limit"], report["options"]["min_confidence"]) == (1, 1.0)
    assert report["counts"]["read"]["documents"] == 1
    assert not (tmp_path / "a").exists()


def test_dead_letters_are_told_by_reason(checkpoint, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.txt").write_text("Ada Lovelace was born in London.")
    (tmp_path / "in" / "bad.json").write_text('[{"title": "x", "sents": [["a"]], "vertexSet": "no"}]')
    out = tmp_path / "out"
    result = build(tmp_path / "in", "--out", out, "--model", checkpoint, "--debug")
    assert result.exit_code == 0, result.output
    assert "dead letters  1: 1 read: " in result.stdout
    assert "# what failed and why" in result.stdout
    told = CliRunner().invoke(main, ["info", str(out)])
    assert "bad.json" in told.output


def test_the_default_file_is_printed():
    result = build("--print-config")
    assert (result.exit_code, result.output) == (0, default_config_text())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "nothing to read: name files, folders or patterns"),
        (["a.txt"], "the output folder is missing: add --out DIR"),
        (["a.txt", "--out", "{tmp}/o", "--model", "{model}"], "no file at 'a.txt'"),
        (["{texts}", "--out", "{tmp}/o", "--model", "nope"], "no checkpoint 'nope'"),
        (["{texts}", "--out", "{model}", "--model", "{model}"], "holds files that are not from a build"),
        (["{texts}", "--out", "{tmp}/o", "--workers", "0"], "--workers: expected `int` >= 1; it is 0"),
        (["{texts}", "--out", "{tmp}/o", "--workers", "x"], "'x' is not a valid integer"),
        (["{texts}", "--out", "{tmp}/o", "--min-confidence", "2"], "is not a number from 0 to 1"),
        (["{texts}", "--out", "{tmp}/o", "--config", "{tmp}/none.yaml"], "cannot read the options in"),
        (["{texts}", "--out", "{tmp}/o", "--modle", "x"], "no option '--modle'; did you mean '--model'?"),
    ],
)
def test_mistakes_end_with_a_message_and_code_2(args, message, checkpoint, texts, tmp_path):
    result = build(*(arg.format(tmp=tmp_path, texts=texts, model=checkpoint) for arg in args))
    assert message in result.stderr
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_runner_that_is_not_there_is_told(checkpoint, texts, tmp_path):
    result = build(texts, "--out", tmp_path / "o", "--model", checkpoint, "--runner", "Sprinter")
    assert result.exit_code == 2
    assert "Sprinter" in result.stderr
    assert "Traceback" not in result.output


def test_a_forced_format_that_does_not_fit_is_told_not_lost(checkpoint, texts, tmp_path):
    result = build(texts, "--out", tmp_path / "o", "--model", checkpoint, "--format", "pubmed")
    assert result.exit_code == 1
    assert "no document was read from 2 files (2 dead letters): beginning of the file: there is no <" in result.stderr
    assert list((tmp_path / "o").iterdir()) == []


def test_columns_and_prefixes_reach_the_reader(checkpoint, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f'pmid,abstract\n1,"Lithium, of {name}, caused tremor."\n')
    inputs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    columns = ("--columns", "id=pmid,text=abstract")
    result = build(*inputs, "--out", tmp_path / "o", "--model", checkpoint, *columns)
    assert result.exit_code == 0, result.output
    assert "skipped       1: 1 same id, other text" in result.stdout
    assert "'1' of 'b.csv' differs from that of 'a.csv'" in " ".join(result.stdout.split()).replace(
        "'1' of 'a.csv' differs from that of 'b.csv'", "'1' of 'b.csv' differs from that of 'a.csv'"
    )
    assert "--id-prefix file" in result.stdout
    result = build(*inputs, "--out", tmp_path / "o", "--model", checkpoint, *columns, "--id-prefix", "file")
    assert result.exit_code == 0, result.output
    assert "2 from 2 files" in result.stdout
    assert "same id" not in result.stdout


@pytest.mark.parametrize(
    ("columns", "message"), [("abstract", "takes ROLE=FIELD"), ("text=a,text=b", "'text' twice"), ("id=", "ROLE=FIELD")]
)
def test_columns_that_are_no_list_are_refused(tmp_path, columns, message):
    result = build(tmp_path, "--out", tmp_path / "o", "--columns", columns)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_extractor_of_relations_alone_refuses_bare_texts_before_any_work(relation_only, texts, tmp_path):
    result = build(texts, "--out", tmp_path / "graph", "--model", relation_only)
    assert result.exit_code == 2
    assert "relates given entities and finds none itself" in result.stderr
    assert "use a joint checkpoint" in result.stderr
    assert "read" not in result.stderr.split("Error:")[0]
    assert not (tmp_path / "graph").exists()


def test_a_bare_text_among_annotated_ones_becomes_a_dead_letter(relation_only, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "bare.txt").write_text("Nothing is annotated.")
    (folder / "told.pubtator").write_text(ANNOTATED.read_text())
    result = build(folder, "--out", tmp_path / "graph", "--model", relation_only, "--debug")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "graph" / "run.json").read_text())
    assert report["counts"]["dead_letters"] == {"prepare: document cannot be prepared": 1}
    assert report["counts"]["rows"]["documents"] == 5
    assert "only relates given ones" in CliRunner().invoke(main, ["info", str(tmp_path / "graph")]).stdout

"""Training, evaluation and a build, one after the other, as a user would."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from extractors.recipes.recipe import load_recipe
from runners.cli.main import main

ANNOTATED = Path(__file__).resolve().parents[3] / "examples" / "annotated" / "biomedicine.pubtator"


def run(*args):
    return CliRunner().invoke(main, [*map(str, args)])


@pytest.fixture(scope="module")
def recipe(checkpoint, tmp_path_factory) -> Path:
    """A recipe of one short epoch over a backbone with random weights."""
    folder = tmp_path_factory.mktemp("backbone")
    torch.manual_seed(1)
    config = BertConfig.from_dict(json.loads((checkpoint / "config.json").read_text())["backbone"])
    BertModel(config).save_pretrained(folder)
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    PreTrainedTokenizerFast(tokenizer_file=str(checkpoint / "tokenizer.json"), **special).save_pretrained(folder)
    path = folder / "recipe.yaml"
    learned, chosen, reported = ({"data": "train", "documents": part} for part in (":3", "3:4", "4:"))
    path.write_text(
        yaml.safe_dump(
            {
                "backbone": str(folder),
                "relations": "cdr",
                "head": "jerex-grc",
                "stages": [{"corpora": [learned], "epochs": 1}],
                "selection": chosen,
                "report": reported,
            }
        )
    )
    return path


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    result = run("train", recipe, "--data", f"train={ANNOTATED}", "--out", out, "--debug")
    assert result.exit_code == 0, result.output
    return out, result


def test_training_leaves_a_checkpoint_and_says_what_to_do_with_it(trained):
    out, result = trained
    assert (out / "checkpoint" / "model.safetensors").is_file()
    assert str(out / "checkpoint") in result.stdout
    assert "train     3  " in result.stderr
    assert "done in" in result.stderr
    assert "best epoch  1 of 1, F1 " in result.stdout
    assert "training.svg" in result.stdout
    assert run("info", out / "checkpoint").exit_code == 0


def test_the_same_command_again_does_not_train_again(trained, recipe, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(trained[0], out)
    result = run("train", recipe, "--data", f"train={ANNOTATED}", "--out", out)
    assert result.exit_code == 0, result.output
    assert "loss" not in result.stderr


def test_the_course_of_the_run_is_drawn_and_can_be_drawn_again(trained, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(trained[0], out)
    pictures = [out / "training.svg", out / "training.png"]
    before = [picture.read_bytes() for picture in pictures]
    for picture in pictures:
        picture.unlink()
    result = run("train", "--plot", out)
    assert result.stdout.splitlines() == list(map(str, pictures))
    assert [picture.read_bytes() for picture in pictures] == before
    result = run("train", "--plot", tmp_path)
    assert result.exit_code == 2
    assert "has no log.jsonl" in result.stderr


def test_flags_change_the_recipe_and_the_run_can_be_repeated_from_its_folder(recipe, tmp_path):
    flags = ("--head", "atlop", "--relation-only", "--epochs", 2, "--seed", 7, "--head-rate", "1e-3")
    settings = ("--set", "stages.0.batch=3", "--set", "objective.evidence_weight=0.5")
    first = run("train", recipe, "--data", ANNOTATED, "--out", tmp_path / "a", *flags, *settings, "--debug")
    assert first.exit_code == 0, first.output
    kept = load_recipe(tmp_path / "a" / "recipe.yaml")
    assert (kept.head, kept.loss, kept.joint, kept.seed) == ("atlop", "adaptive-threshold", False, 7)
    assert kept.entity_embeddings
    assert [(s.epochs, s.head_rate, s.batch) for s in kept.stages] == [(2, 1e-3, 3)]
    assert kept.objective.evidence_weight == 0.5
    assert "relation-only" in first.stdout
    run("train", tmp_path / "a" / "recipe.yaml", "--data", ANNOTATED, "--out", tmp_path / "b", "--debug")
    weights = [(tmp_path / name / "checkpoint" / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_another_recipe_does_not_overwrite_the_one_of_a_run(trained, recipe, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(trained[0], out)
    before = (out / "recipe.yaml").read_text()
    result = run("train", recipe, "--data", ANNOTATED, "--out", out, "--seed", 9)
    assert result.exit_code == 2
    assert "another recipe" in result.stderr
    assert (out / "recipe.yaml").read_text() == before


@pytest.mark.parametrize("joint", [True, False])
def test_a_head_can_be_trained_without_a_recipe(joint, recipe, tmp_path):
    kind = ["--joint"] if joint else []
    others = tmp_path / "others.pubtator"
    others.write_text(ANNOTATED.read_text("utf-8").replace(" the ", " The "), "utf-8")
    args = ("--head", "jerex-grc", "--encoder", recipe.parent, "--dev", ANNOTATED, *kind, "--epochs", 1)
    result = run("train", *args, "--data", ANNOTATED, "--out", tmp_path / "same")
    assert result.exit_code == 2
    assert "nothing is left to train on in train" in result.stderr
    result = run("train", *args, "--data", others, "--out", tmp_path, "--debug")
    assert result.exit_code == 0, result.output
    kept = load_recipe(tmp_path / "recipe.yaml")
    assert (kept.relations, kept.joint, kept.entity_embeddings) == ("cdr", joint, not joint)
    assert (kept.selection.documents, kept.report.documents) == (":3", "3:")
    assert "on dev[3:], which selected nothing" in result.stdout


def test_shipped_recipes_are_listed_with_a_sentence():
    listed = run("train", "--list").stdout.splitlines()
    assert "cdr-minilm" in [line.split()[0] for line in listed]
    assert all(len(line.split()) > 3 for line in listed)


def test_evaluation_reports_every_level(trained):
    result = run("evaluate", ANNOTATED, "--model", trained[0] / "checkpoint", "--json", "--debug")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["documents"] == 5
    assert list(report["strict"]) == ["mention", "coreference", "entity", "rel", "rel_nec"]
    assert not report["relations"]["entities_given"]


def test_given_entities_are_right_by_definition(trained):
    args = ("--model", trained[0] / "checkpoint", "--entities", "given", "--train", ANNOTATED, "--json")
    report = json.loads(run("evaluate", ANNOTATED, *args).stdout)
    assert report["relations"]["entities_given"]
    assert report["strict"]["entity"]["f1"] == 1.0
    assert report["relations"]["ign"]["gold"] == report["relations"]["overall"]["gold"]


def test_a_part_of_the_documents_can_be_taken(trained):
    model = ("--model", trained[0] / "checkpoint")
    result = run("evaluate", ANNOTATED, *model, "--documents", "1:3", "--json")
    assert json.loads(result.stdout)["documents"] == 2
    for part, message in (("3", "START:STOP"), ("a:b", "START:STOP"), ("7:9", "none of the 5 documents")):
        result = run("evaluate", ANNOTATED, *model, "--documents", part)
        assert result.exit_code == 2
        assert message in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["absent"], "no recipe 'absent'"),
        (["cdr-minilmm"], "did you mean 'cdr-minilm'?"),
        (["{recipe}"], "the recipe also needs --data train=FILE"),
        ([], "name a RECIPE"),
        (["{recipe}", "--data", "absent"], "no file 'absent' for --data train; --data takes FILE or NAME=FILE"),
        (["{recipe}", "--dev", "{annotated}"], "the recipe reads train, not 'dev'"),
        (["{recipe}", "--data", "{annotated}", "--data", "train={annotated}"], "two files for --data train"),
        (["{recipe}", "--data", "{annotated}", "--set", "head_options"], "--set takes KEY=VALUE"),
        (["{recipe}", "--data", "{annotated}", "--set", "sed=3"], "unknown field `sed`"),
        (["{recipe}", "--data", "{annotated}", "--set", "absent.key=3"], "the recipe has no 'absent' with keys"),
        (["{recipe}", "--data", "{annotated}", "--set", "stages.1=3"], "there is no 1 of 1 items"),
        (["{recipe}", "--data", "{annotated}", "--set", "seed={{"], "is not valid YAML"),
        (["{recipe}", "--data", "{annotated}", "--set", "head_options.absent=3"], "known options:"),
        (["{recipe}", "--data", "{annotated}", "--set", "loss=bec"], "no loss 'bec'; did you mean 'bce'?"),
        (["{recipe}", "--data", "{annotated}", "--set", "markers=true"], "a joint extractor finds the entities itself"),
        (["--head", "atlopp", "--data", "{annotated}"], "no relation head 'atlopp'; did you mean 'atlop'?"),
        (["--head", "atlop", "--data", "{annotated}"], "the recipe also needs --data dev=FILE"),
        (["{recipe}", "--data", "train=absent.txt"], "no file 'absent.txt' for --data train"),
        (["{recipe}", "--data", "train={plain}"], "no annotated entities in"),
        (["{broken}", "--data", "train={annotated}"], "broken.yaml"),
    ],
)
def test_mistakes_end_with_a_message_and_code_2(args, message, recipe, tmp_path):
    plain, broken = tmp_path / "plain.txt", tmp_path / "broken.yaml"
    plain.write_text("No entities here.")
    broken.write_text("backbone: 3\n")
    args = [arg.format(recipe=recipe, annotated=ANNOTATED, plain=plain, broken=broken) for arg in args]
    result = run("train", *args, "--out", tmp_path / "run")
    assert message in result.stderr
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_evaluating_plain_text_is_a_mistake(checkpoint, tmp_path):
    (tmp_path / "a.txt").write_text("Nothing is annotated.")
    result = run("evaluate", tmp_path / "a.txt", "--model", checkpoint)
    assert result.exit_code == 2
    assert "no annotated entities" in result.stderr


def test_what_cannot_be_read_is_told(checkpoint, tmp_path):
    damaged = tmp_path / "damaged.pubtator"
    damaged.write_text(ANNOTATED.read_text() + "\n5|t|Cut off\n5|a|here.\n5\t0\t999\tCut\tDisease\tD1\n")
    result = run("evaluate", damaged, "--model", checkpoint)
    assert result.exit_code == 0, result.output
    assert "damaged.pubtator: 1 × annotation does not fit" in result.stderr
    assert "damaged.pubtator: 1 × document without annotated entities" in result.stderr


def test_a_recipe_that_no_training_wrote_is_replaced_with_force_only(recipe, tmp_path):
    own = tmp_path / "recipe.yaml"
    own.write_text("# my own notes\n")
    command = ["train", recipe, "--data", f"train={ANNOTATED}", "--out", tmp_path]
    result = run(*command)
    assert result.exit_code == 2
    assert f"'{own}' was not written by a training: choose another --out, or replace it with --force" in result.stderr
    assert own.read_text() == "# my own notes\n"
    assert run(*command, "--force").exit_code == 0
    assert own.read_text().startswith("# factmill train ")


def test_an_encoder_that_is_not_installed_is_refused_before_the_hub_is_asked(recipe, tmp_path, monkeypatch):
    import transformers

    def asked(*_, **__):
        raise AssertionError("asked the hub")

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", asked)
    command = ["train", recipe, "--data", f"train={ANNOTATED}", "--out", tmp_path / "run"]
    result = run(*command, "--encoder", "no-such-encoder")
    assert result.exit_code == 2
    assert "no encoder 'no-such-encoder': " in result.stderr
    assert "pip install no-such-encoder" in result.stderr
    assert "OWNER/NAME" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_is_nested_too_deeply_is_named(tmp_path):
    path = tmp_path / "deep.yaml"
    path.write_text("head: " + "[" * 3000)
    result = run("train", path, "--data", f"train={ANNOTATED}", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert f"Error: {path}: " in result.stderr
    assert "nest" in result.stderr

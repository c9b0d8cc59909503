"""Training, evaluation and a build, one after the other, as a user would."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from runners.cli import main

ANNOTATED = Path(__file__).resolve().parents[2] / "examples" / "annotated" / "biomedicine.pubtator"


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
    corpus = {"data": "train"}
    path.write_text(
        yaml.safe_dump(
            {
                "backbone": str(folder),
                "relations": "cdr",
                "head": "jerex-grc",
                "stages": [{"corpora": [corpus], "epochs": 1}],
                "selection": corpus,
                "report": corpus,
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
    assert "step 2 of 2" in result.stderr
    assert run("info", out / "checkpoint").exit_code == 0


def test_the_same_command_again_does_not_train_again(trained, recipe, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(trained[0], out)
    result = run("train", recipe, "--data", f"train={ANNOTATED}", "--out", out)
    assert result.exit_code == 0, result.output
    assert "step" not in result.stderr


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
        (["{recipe}", "--data", "train"], "--data takes NAME=FILE with NAME one of train, not 'train'"),
        (["{recipe}", "--data", "dev={annotated}"], "not 'dev="),
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
    assert "Warning: 1 records of" in result.stderr

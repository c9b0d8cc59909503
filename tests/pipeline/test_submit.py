"""A build whose extraction was handed over goes on from there."""

import json

import msgspec
import pytest

from pipeline.build import build
from pipeline.build_options import BuildOptions
from pipeline.dead_letters import BuildError
from pipeline.submit import submit_build
from tests.pipeline.made import mediawiki
from tests.rule_extractor import RuleSource

ONE = BuildOptions(runner="memory", workers=1, batch_cost=100)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "pages.xml"
    path.write_text(mediawiki(*((f"Ada {number}", f"Ada {number} met Bob and Carla.") for number in range(9))))
    return path


def tables(folder):
    return {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}


def test_what_was_begun_is_merged_by_a_build_that_extracts_nothing(corpus, tmp_path):
    submit_build([corpus], tmp_path / "begun", ONE, RuleSource())
    assert not (tmp_path / "begun" / "tables").exists()
    report = build([corpus], tmp_path / "begun", ONE, source=RuleSource(), resume=True)
    assert report.counts.extracted == {"before": 9}
    build([corpus], tmp_path / "whole", ONE, source=RuleSource())
    assert tables(tmp_path / "begun") == tables(tmp_path / "whole")
    assert json.loads((tmp_path / "begun" / "run.json").read_text())["counts"]["rows"]["documents"] == 9


def test_what_was_begun_is_begun_again_only_for_other_input(corpus, tmp_path):
    out = tmp_path / "begun"
    submit_build([corpus], out, ONE, RuleSource())
    (shard,) = out.rglob("shard-*")
    written = shard.stat().st_mtime_ns
    submit_build([corpus], out, ONE, RuleSource())
    assert shard.stat().st_mtime_ns == written
    corpus.write_text(mediawiki(("Ada", "Ada met Bob.")))
    submit_build([corpus], out, ONE, RuleSource())
    assert shard.stat().st_mtime_ns != written


def test_an_unknown_runner_is_told(corpus, tmp_path):
    options = msgspec.structs.replace(ONE, runner="Sprinter")
    with pytest.raises(BuildError, match="Sprinter"):
        submit_build([corpus], tmp_path / "begun", options, RuleSource())

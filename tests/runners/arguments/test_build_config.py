import re

import pytest
import yaml

from pipeline.readers import FORMATS
from runners.arguments.build_config import (
    FIELDS,
    BuildConfig,
    default_config_text,
    load_config,
    make_config,
    override,
    parse_config,
)
from runners.errors import UserError


def test_the_file_names_every_option_with_its_default():
    assert make_config(parse_config(default_config_text(), "build.yaml")) == BuildConfig()
    assert tuple(yaml.safe_load(default_config_text())) == FIELDS
    assert set(FIELDS) == set(BuildConfig.__struct_fields__)


def test_every_key_of_the_file_is_explained_in_short_lines():
    lines = default_config_text().splitlines()
    assert max(map(len, lines)) <= 118
    for name in FIELDS:
        at = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
        assert lines[at - 1].startswith("# "), f"{name} has no comment above it"
        assert "None" not in lines[at - 1]


def test_the_file_names_every_format():
    text = " ".join(default_config_text().replace("# ", "").split())
    named = re.search(r"Otherwise one of (.*?)\. format:", text)[1]
    assert sorted(named.split(", ")) == sorted(FORMATS)


def test_values_are_read():
    given = parse_config("inputs: [a, b]\nout: graph\nworkers: 2\nmin_confidence: 1\nbeam: ['--x=1']\n", "f")
    config = BuildConfig(inputs=("a", "b"), out="graph", workers=2, min_confidence=1.0, beam=("--x=1",))
    assert make_config(given) == config


def test_an_empty_file_and_null_change_nothing():
    assert parse_config("# nothing\n", "f") == parse_config("model: null\nlink: null\n", "f") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers: 2\nmin-confidence: 0.5\n", "f.yaml, line 2: unknown key 'min-confidence'; did you mean 'min_conf"),
        ("shade: red\n", "f.yaml, line 1: unknown key 'shade'; known keys: inputs, out, model"),
        ("# a\nworkers: two\n", "f.yaml, line 2: workers: expected `int | null`, got `str`; it is 'two'"),
        ("workers: 0\n", "f.yaml, line 1: workers: expected `int` >= 1; it is 0"),
        ("min_confidence: 1.5\n", "f.yaml, line 1: min_confidence: expected `float` <= 1.0; it is 1.5"),
        ("inputs: articles\n", "f.yaml, line 1: inputs: expected `array`, got `str`; it is 'articles'"),
        ("inputs: [1]\n", "f.yaml, line 1: inputs: expected `str`, got `int`; it is [1]"),
        ("out: a\nout: b\n", "f.yaml, line 2: 'out' is already on line 1"),
        ("- a\n", "f.yaml, line 1: expected 'key: value' lines"),
        ("just words", "f.yaml, line 1: expected 'key: value' lines"),
        ("out: 'a\nworkers: 3", "f.yaml, line 2: not valid YAML"),
        ("out: " + "[" * 3000, "f.yaml: nested too deeply"),
        ("out: \x07", "f.yaml, line 1: not valid YAML"),
    ],
)
def test_a_wrong_file_is_told_by_line_value_and_remedy(text, message):
    with pytest.raises(UserError) as caught:
        parse_config(text, "f.yaml")
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code == 2


def test_a_missing_file_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match=r"cannot read the options in .*none\.yaml"):
        load_config(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_a_mistake(tmp_path):
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot read the options"):
        load_config(tmp_path / "b.yaml")


def test_the_command_line_takes_precedence_and_what_it_leaves_out_stays():
    given = {"inputs": ["a"], "out": "x", "workers": 2, "beam": ["--p=1"], "rules": {"types": "off"}}
    merged = override(
        given, {"inputs": (), "out": "y", "workers": None, "beam": ("--p=2",), "limit": 5, "rules": {"inverse": "warn"}}
    )
    assert make_config(merged) == BuildConfig(
        inputs=("a",), out="y", workers=2, limit=5, beam=("--p=1", "--p=2"), rules={"types": "off", "inverse": "warn"}
    )


def test_zero_and_false_are_values():
    merged = make_config(override({"min_confidence": 0.5, "link": True}, {"min_confidence": 0.0, "link": False}))
    assert (merged.min_confidence, merged.link) == (0.0, False)


def test_a_wrong_value_of_the_command_line_names_the_option():
    with pytest.raises(UserError, match=r"--min-confidence: expected `float` <= 1.0; it is 7.0"):
        make_config({"min_confidence": 7.0})

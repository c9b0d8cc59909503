import os
from pathlib import Path

import pytest

from pipeline.dead_letters import BuildError
from pipeline.input_files import input_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b.xml", "a.xml", "deep/c.xml", "deep/.hidden", ".git/d.xml", "out/tables/x.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name)
    return tmp_path


def names(folder, *inputs):
    return [path[len(str(folder)) + 1 :] for path in input_files(inputs, folder / "out")]


def test_folders_stand_for_everything_below_but_hidden_files_and_the_output(folder):
    assert names(folder, folder) == ["a.xml", "b.xml", "deep/c.xml"]


def test_files_and_patterns_come_once_and_sorted_however_they_are_named(folder):
    expected = ["a.xml", "b.xml", "deep/c.xml"]
    assert names(folder, folder / "**/*.xml", folder / "a.xml", folder / "deep/../a.xml") == expected
    assert names(folder, folder / "deep", folder / "b.xml", folder / "a.xml") == expected


@pytest.mark.parametrize("given", ["nothing.xml", "*.pdf"])
def test_an_input_without_files_is_a_mistake(folder, given):
    with pytest.raises(BuildError, match="no file at"):
        input_files([folder / given], folder / "out")


def test_nothing_at_all_is_a_mistake(folder):
    with pytest.raises(BuildError, match="nothing to read"):
        input_files([], folder / "out")


def test_a_name_that_is_no_unicode_is_a_mistake(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).touch()
    with pytest.raises(BuildError, match="not valid Unicode"):
        input_files([folder], folder / "out")

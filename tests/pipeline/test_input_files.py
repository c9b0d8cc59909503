import os
from pathlib import Path

import pytest

from pipeline.dead_letters import BuildError
from pipeline.input_files import input_files
from pipeline.read_documents import split
from pipeline.reading import Reading


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


def test_a_name_that_is_no_unicode_becomes_a_dead_letter(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).touch()
    assert names(folder, folder) == ["a.xml", "b.xml", "deep/c.xml", r"caf\xe9"]
    [letter] = split(str(folder / r"caf\xe9"), Reading())
    assert (letter.reason, letter.detail) == (
        "file cannot be read",
        "the name is not valid Unicode: rename the file",
    )


def test_a_folder_that_cannot_be_listed_becomes_a_dead_letter(folder, monkeypatch):
    listed = Path.iterdir
    closed = folder / "deep"

    def iterdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert names(folder, folder) == ["a.xml", "b.xml", "deep"]
    [letter] = split(str(closed), Reading())
    assert letter.reason == "file cannot be read"
    assert letter.source == "deep"


def test_what_is_no_file_is_named_for_what_it_is(folder):
    os.mkfifo(folder / "pipe")
    for path, kind in ((folder / "pipe", "pipe"), (Path("/dev/null"), "device")):
        with pytest.raises(BuildError, match=f"'{path}' is a {kind}: .*save it to a file"):
            input_files([path], folder / "out")
    assert names(folder, folder) == ["a.xml", "b.xml", "deep/c.xml"]


def test_standard_input_is_not_read(folder):
    with pytest.raises(BuildError, match="standard input, cannot be read"):
        input_files(["-"], folder / "out")


def test_links_are_followed_but_not_into_circles(folder):
    (folder / "more").mkdir()
    (folder / "more" / "link.xml").symlink_to(folder / "a.xml")
    (folder / "more" / "circle").symlink_to(folder)
    (folder / "more" / "nowhere").symlink_to(folder / "gone.xml")
    assert names(folder, folder / "more") == ["more/link.xml"]
    assert len(names(folder, folder)) == 3  # the link and its target are one file
    with pytest.raises(BuildError, match=r"'.*nowhere' is a link to '.*gone\.xml', which is not there"):
        input_files([folder / "more" / "nowhere"], folder / "out")


def test_the_folder_of_the_result_is_no_source(folder):
    with pytest.raises(BuildError, match="is in the folder of the result"):
        input_files([folder / "out"], folder / "out")
    with pytest.raises(BuildError, match="is in the folder of the result"):
        input_files([folder], folder)

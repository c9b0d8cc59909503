import os
import signal

import pytest

from schemas.atomic_files import replacing


def test_the_old_file_stands_until_the_block_ends(tmp_path):
    target = tmp_path / "new" / "file"
    with replacing(target) as draft:
        draft.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    with replacing(target) as draft:
        draft.write_text("two")
        assert target.read_text() == "one"
    assert target.read_text() == "two"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_an_error_leaves_no_trace(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(OSError, match="is a folder where a file is to be written"), replacing(tmp_path) as draft:
        draft.write_text("new")
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(IsADirectoryError, match="not one that an export made"), replacing(tmp_path):
        pytest.fail("nothing may be done for a target that cannot be written")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_folders_take_the_place_of_empty_ones_and_of_their_like_only(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    for text in ("one", "two"):
        with replacing(target) as draft:
            draft.mkdir()
            (draft / text).write_text(text)
        assert sorted(path.name for path in target.iterdir()) == [".factmill", text]
    with pytest.raises(ZeroDivisionError), replacing(target) as draft:
        draft.mkdir()
        raise ZeroDivisionError
    assert (target / "two").exists()
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(OSError, match="is a file where a folder is to be written"), replacing(file) as draft:
        draft.mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_killed_writer_leaves_the_old_file_and_the_next_one_ends_the_work(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    child = os.fork()
    if not child:
        with replacing(target) as draft:
            draft.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    with replacing(target) as draft:
        draft.write_text("new")
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_draft_that_is_still_written_is_left_alone(tmp_path):
    target = tmp_path / "file"
    with replacing(target) as first:
        first.write_text("first")
        with replacing(target) as second:
            second.write_text("second")
        assert target.read_text() == "second"
    assert target.read_text() == "first"

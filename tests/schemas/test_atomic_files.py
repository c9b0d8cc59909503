import os
import signal
import stat

import pytest

from schemas.atomic_files import check_replaceable, replacing


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


def write(target, text="new"):
    with replacing(target) as draft:
        draft.write_text(text)


def test_links_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real", tmp_path / "link"
    for _ in range(2):
        link.unlink(missing_ok=True)
        link.symlink_to(real)
        write(link)
        assert link.is_symlink()
        assert not real.is_symlink()
        assert real.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "link"]
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises((OSError, RuntimeError)):
        write(tmp_path / "round")


def test_pipes_and_devices_are_no_files(tmp_path):
    pipe, device, link = (tmp_path / name for name in ("pipe", "device", "link"))
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    places = [pipe, link]
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        places.append(device)
    except PermissionError:
        pass
    for place in places:
        for refuse in (write, check_replaceable, lambda place: check_replaceable(place, force=True)):
            with pytest.raises(OSError, match="is a device or a pipe, no file"):
                refuse(place)
        assert not place.is_file()
        assert place.is_symlink() == (place == link)


def test_only_our_files_are_replaced_unless_asked_for(tmp_path):
    ours, other, empty = (tmp_path / name for name in ("ours", "thesis.docx", "empty"))
    write(ours)
    other.write_text("years of work")
    empty.touch()
    try:
        os.setxattr(empty, "user.test", b"")
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    for target in (ours, empty, tmp_path / "missing", tmp_path / "missing" / "too"):
        check_replaceable(target)
    with pytest.raises(FileExistsError, match=r"thesis\.docx' is a file that factmill did not write.* --force"):
        check_replaceable(other)
    check_replaceable(other, force=True)
    ours.write_text("changed by hand")
    with pytest.raises(FileExistsError, match="or that was changed since"):
        check_replaceable(ours)
    write(ours)
    check_replaceable(ours)
    (tmp_path / "folder").mkdir()
    check_replaceable(tmp_path / "folder")
    (tmp_path / "folder" / "precious").touch()
    with pytest.raises(IsADirectoryError, match="not one that an export made"):
        check_replaceable(tmp_path / "folder", force=True)

import os
import resource
import signal

import pytest

from pipeline.beam import fork_server
from pipeline.build import BuildOptions, build
from pipeline.dead_letters import BuildFailed
from tests.rule_extractor import RuleSource


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: 0, b"0"),
        (lambda: 3, b"3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), b"-9"),
    ],
)
def test_how_a_worker_ended_is_told(end, told, monkeypatch):
    monkeypatch.setattr(fork_server, "_work", lambda environment: end())
    ours, theirs = os.pipe()
    assert fork_server._attend({}, theirs) == 0
    assert os.read(ours, 99) == told
    os.close(ours)
    os.close(theirs)


def serving(path):
    """The server in a process of its own; its workers write what they were told into a file."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pipeline.beam import fork_server\n"
        "fork_server._load = lambda: None\n"
        f"fork_server._work = lambda told: Path({str(path)!r}).write_text(told['name']) and 5\n"
        "fork_server.main()"
    )
    return ["-c", program]


def test_workers_are_forked_for_as_long_as_there_is_a_launcher(tmp_path, monkeypatch):
    start = fork_server.subprocess.Popen
    monkeypatch.setattr(
        fork_server.subprocess,
        "Popen",
        lambda command, **more: start([command[0], *serving(tmp_path / "told")], **more),
    )
    server = fork_server.ForkServer()
    for name in ("first", "second"):
        assert server.work({"name": name}) == 5
        assert (tmp_path / "told").read_text() == name
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    monkeypatch.setattr(fork_server, "_SECONDS_TO_END", 60)
    server.stop()
    assert server.ended
    assert server._process.returncode == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > before


def test_what_ended_the_server_is_reported(monkeypatch):
    start = fork_server.subprocess.Popen
    program = ["-c", "raise ImportError('no package of that name')"]
    monkeypatch.setattr(fork_server.subprocess, "Popen", lambda command, **more: start([command[0], *program], **more))
    monkeypatch.setattr(fork_server, "_SECONDS_TO_END", 60)
    server = fork_server.ForkServer()
    with pytest.raises(fork_server.ForkServerEnded, match=r"^ImportError: no package of that name$"):
        server.work({})
    server.stop()


def test_a_build_whose_fork_server_fails_says_why(tmp_path, monkeypatch):
    start = fork_server.subprocess.Popen
    program = ["-c", "raise ImportError('no package of that name')"]
    monkeypatch.setattr(fork_server.subprocess, "Popen", lambda command, **more: start([command[0], *program], **more))
    monkeypatch.setattr(fork_server, "_server", None)
    monkeypatch.setattr(fork_server, "_SECONDS_TO_END", 60)
    note = tmp_path / "note.txt"
    note.write_text("A note.")
    with pytest.raises(BuildFailed, match=r"worker processes cannot start: ImportError: no package of that name$"):
        build([note], tmp_path / "out", BuildOptions(runner="processes", workers=2), source=RuleSource(), writers=[])
    fork_server._server.stop()

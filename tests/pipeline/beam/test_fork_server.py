import os
import resource
import signal

import pytest

from pipeline.beam import fork_server


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

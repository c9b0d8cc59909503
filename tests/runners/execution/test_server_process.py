"""Servers of our own: how they are fetched, started, waited for and ended."""

import signal
import subprocess
import sys

import pytest

from runners.execution import maven_artifacts as maven
from runners.execution.server_process import ServerProcess, ServerUnavailable, free_port, listens
from tools.foreground import foreground

LISTEN = "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', {port})); s.listen(); time.sleep(60)"
FAIL = "print('one'); print('two'); raise SystemExit('no memory')"
FOREGROUND = """
import sys
from pathlib import Path
from runners.execution.server_process import ServerProcess, listens
from tools.foreground import foreground

folder, code = Path(sys.argv[1]), sys.argv[2]
server = ServerProcess("The server", [sys.executable, "-c", code], folder / "server.log")
port = int(code.partition("127.0.0.1', ")[2].partition(")")[0])
with foreground("The server", folder):
    try:
        server.start()
        server.wait_until(lambda: listens(port))
        print("It runs.", flush=True)
        server.wait()
    finally:
        server.stop()
"""


def server(folder, code):
    return ServerProcess("The server", [sys.executable, "-c", code], folder / "server.log")


def test_a_server_is_started_stopped_and_started_again(tmp_path):
    port = free_port()
    process = server(tmp_path, LISTEN.format(port=port))
    for end in (process.stop, process.kill):
        assert not listens(port)
        process.start()
        process.wait_until(lambda: listens(port))
        end()
        assert process.process is None
    process.stop()  # again, which changes nothing


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path):
    process = server(tmp_path, FAIL)
    process.start()
    with pytest.raises(ServerUnavailable, match=r"The server does not start: one \| two \| no memory"):
        process.wait_until(lambda: False)
    assert process.process is None


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_server_in_the_foreground_goes_when_its_program_is_ended(tmp_path, end):
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, tmp_path, LISTEN.format(port=port)], stdout=subprocess.PIPE, text=True
    ) as program:
        while program.stdout.readline() != "It runs.\n":
            assert program.poll() is None
        assert listens(port)
        program.send_signal(end)
        assert program.communicate(timeout=30)[0].endswith("Stopped.\n")
    assert program.returncode == 0
    assert not listens(port)


def test_a_server_in_the_foreground_that_cannot_be_had_is_told(tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="Error: there is no Java"), foreground("A thing", tmp_path):
        raise ServerUnavailable("there is no Java")
    assert capsys.readouterr().out.startswith(f"Starting A thing in {tmp_path}")
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_was_fetched_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "factmill" / "thing-1.0"
    folder.mkdir(parents=True)
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "java").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(commands))
    assert maven.fetched("thing-1.0", []) == folder
    with pytest.raises(ServerUnavailable, match="'mvn' is not on the PATH: install Maven"):
        maven.fetched("thing-2.0", [])


def test_what_maven_cannot_fetch_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "java").touch(mode=0o755)
    (commands / "mvn").write_text("#!/bin/sh\necho '[INFO] hm'\necho '[ERROR] there is no such thing'\nexit 1\n")
    (commands / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    with pytest.raises(ServerUnavailable, match=r"Maven cannot fetch 'thing-1.0': .ERROR. there is no such thing"):
        maven.fetched("thing-1.0", [("group", "thing", "1.0")])
    assert list((tmp_path / "cache" / "factmill").iterdir()) == []

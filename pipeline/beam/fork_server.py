"""A process that has loaded Beam and torch and forks workers, which start at once and share its memory.

Loading takes seconds. The command starts this process first, so it loads while the launcher does, on another core if
there is one; then the workers of all pipelines of the command start in a moment.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.beam.memory import set_memory_policy

_LONGEST_REQUEST = 1 << 17
_SECONDS_TO_END = 0.5


class ForkServerEnded(RuntimeError):
    """The fork server ended with an error, for example because a package could not be imported."""


class ForkServer:
    """The handle of the launcher; the server ends with the launcher, however that ends."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # For the server's own errors, which the launcher reports; workers write to the launcher's stderr.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the server runs
        stderr = os.dup(2)
        try:
            # -P: `python -m` would otherwise import whatever the working directory has before our own packages.
            command = [sys.executable, "-P", "-m", "pipeline.beam.fork_server", str(stderr)]
            environment = {**os.environ, "PYTHONPATH": _search_path()}
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stderr=self._errors, env=environment, pass_fds=(stderr,)
            )
        finally:
            theirs.close()
            os.close(stderr)
        atexit.register(self.stop)

    @property
    def ended(self) -> bool:
        """Whether the server has ended."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """End the server; the resources of its workers then count as those of children of this process."""
        self._requests.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def work(self, environment: Mapping[str, str]) -> int:
        """Run a worker to its end and return its exit status, negative for a signal, as `subprocess` does.

        Args:
            environment: variables for Beam's worker: the addresses of its runner, and the options of the pipeline.

        Raises:
            ForkServerEnded: the server failed; the message has the last line of its error.
            OSError: the server cannot be reached.
        """
        ours, theirs = os.pipe()
        with os.fdopen(ours) as answer:
            try:
                socket.send_fds(self._requests, [json.dumps(dict(environment)).encode()], [theirs])
            except OSError:
                self._raise_failure()
                raise
            finally:
                os.close(theirs)
            status = answer.read()
        if status:
            return int(status)
        self._raise_failure()
        return -signal.SIGKILL  # the process that reports the status was killed with the worker

    def _raise_failure(self) -> None:
        """Raise ForkServerEnded if the server has failed."""
        try:
            status = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        if status and lines:
            raise ForkServerEnded(lines[-1].strip())


_server: ForkServer | None = None


def fork_server() -> ForkServer:
    """Return the server of this process, and start it if there is none."""
    global _server
    if _server is None or _server.ended:
        _server = ForkServer()
    return _server


def _search_path() -> str:
    """Return the places from which this process imports, so that workers import the same modules."""
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)


def main() -> None:
    """Fork a worker for every request on the socket at standard input, until the launcher has ended."""
    set_memory_policy()  # before anything is loaded; workers inherit it
    requests = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the launcher; its end ends this process
    _load()
    signal.signal(signal.SIGCHLD, lambda *_: _forget_ended())
    while True:
        request, answers, *_ = socket.recv_fds(requests, _LONGEST_REQUEST, 1)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            os._exit(_attend(json.loads(request), answers[0]))
        os.close(answers[0])


def _load() -> None:
    import extractors.checkpoints.loading  # noqa: F401

    gc.collect()
    gc.freeze()  # otherwise the first collection of every worker would write to shared pages, and so copy them


def _forget_ended() -> None:
    """Reap child processes that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _attend(environment: Mapping[str, str], answer: int) -> int:
    """Fork a worker, wait for its end, and report its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    worker = os.fork()
    if worker == 0:
        os.close(answer)
        os._exit(_work(environment))
    _, status = os.waitpid(worker, 0)
    with suppress(BrokenPipeError):  # the launcher has ended
        os.write(answer, str(os.waitstatus_to_exitcode(status)).encode())
    return 0


def _work(environment: Mapping[str, str]) -> int:
    from apache_beam.runners.worker import sdk_worker_main

    if len(sys.argv) > 1:
        os.dup2(int(sys.argv[1]), 2)
    os.environ.update(environment)
    logging.disable(logging.ERROR)  # errors reach the runner, which reports them
    try:
        sdk_worker_main.main(sys.argv)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()

"""A process that has loaded what every worker needs and forks workers: they start at once and share what it loaded.

Loading Beam and torch takes seconds. Started first of all, this process loads them while the launcher does, on another
core where there is one; then every worker of every pipeline of the command is there in a moment.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping

# Each of Beam's many threads would otherwise keep a heap of its own as large as the largest batch it ever ran, and
# torch a compiled product for every shape that it ever met.
WORKER_MEMORY = {"MALLOC_ARENA_MAX": "2", "LRU_CACHE_CAPACITY": "32", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32"}
_LONGEST_REQUEST = 1 << 17


class ForkServer:
    """The process as seen from the launcher; it ends when the launcher does."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "pipeline.fork_server"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), env={**WORKER_MEMORY, **os.environ})

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def work(self, environment: Mapping[str, str]) -> int:
        """Run a worker to its end and return its exit status, negative for a signal, as `subprocess` does.

        Args:
            environment: what Beam's worker reads there: the addresses of its runner, and the options of the pipeline.

        Raises:
            OSError: the process is gone.
        """
        ours, theirs = os.pipe()
        with os.fdopen(ours) as answer:
            try:
                socket.send_fds(self._requests, [json.dumps(dict(environment)).encode()], [theirs])
            finally:
                os.close(theirs)
            told = answer.read()
        return int(told) if told else -signal.SIGKILL  # who should tell went with the worker


_server: ForkServer | None = None


def fork_server() -> ForkServer:
    """Return the one of this process; starts it when there is none."""
    global _server
    if _server is None or _server.ended:
        _server = ForkServer()
    return _server


def main() -> None:
    """Fork a worker for every request on the socket at the standard input, until the launcher is gone."""
    requests = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the launcher, with which all of this ends
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who attends to a worker is not waited for
    while True:
        request, answers, *_ = socket.recv_fds(requests, _LONGEST_REQUEST, 1)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            os._exit(_attend(json.loads(request), answers[0]))
        os.close(answers[0])


def _load() -> None:
    import extractors.extractor  # noqa: F401
    import pipeline.flow  # noqa: F401

    gc.collect()
    gc.freeze()  # else the first collection of every worker would write to, and so copy, what is shared


def _attend(environment: Mapping[str, str], answer: int) -> int:
    """Fork a worker, wait for its end, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    worker = os.fork()
    if worker == 0:
        os.close(answer)
        os._exit(_work(environment))
    _, status = os.waitpid(worker, 0)
    os.write(answer, str(os.waitstatus_to_exitcode(status)).encode())
    return 0


def _work(environment: Mapping[str, str]) -> int:
    from apache_beam.runners.worker import sdk_worker_main

    os.environ.update(environment)
    logging.disable(logging.ERROR)  # the runner is told anyway, and tells the user
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

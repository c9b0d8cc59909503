"""Kill -9 at any moment: a child process that ends itself when it touches the file system for the nth time."""

import os
import signal
import sys
from collections.abc import Callable

# What a process does to the file system, and reading files too, so that moments between two changes are among them.
_TOUCHES = {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree"}


def killed_at(moment: int, action: Callable[[], object]) -> bool:
    """Run an action in a child process that is killed at its file operation number `moment`; tell whether it was.

    Nothing is cleaned up in a process that ends so: no `finally`, no `with`.
    """
    child = os.fork()
    if child == 0:
        _die_at(moment)
        try:
            action()
        except BaseException as error:
            print(f"child: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the action failed by itself"
    return False


def _die_at(moment: int) -> None:
    touched = 0

    def hook(event: str, _: object) -> None:
        nonlocal touched
        if event in _TOUCHES:
            if touched == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            touched += 1

    sys.addaudithook(hook)

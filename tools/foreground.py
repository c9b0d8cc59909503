"""Run development servers in the foreground of a terminal, and stop them on Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.execution.server_process import ServerUnavailable


@contextmanager
def foreground(name: str, home: Path) -> Iterator[None]:
    """Run the block, which starts servers and waits for them, until Ctrl-C or SIGTERM lets it stop them.

    If they cannot be started, the program exits with the reason.
    """
    # Also if SIGINT was ignored before, as shells do for programs in the background.
    before = {end: signal.signal(end, signal.default_int_handler) for end in (signal.SIGINT, signal.SIGTERM)}
    print(f"Starting {name} in {home} (the first time it is downloaded, which takes minutes) ...", flush=True)
    try:
        yield
    except ServerUnavailable as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)

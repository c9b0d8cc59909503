"""Leave the process of the user as it was: a build imports Beam and, without worker processes, runs workers itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unchanged_process() -> Iterator[None]:
    """Give back the handlers of logging and the number of torch's threads as they were before the block.

    Beam warns through the root logger when it is imported where some of Google's packages are installed, and a warning
    gives a root logger without a handler one for good. Workers set the number of threads to what suits several of them.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    root.addHandler(logging.NullHandler())
    try:
        import apache_beam  # noqa: F401
        import torch

        threads = torch.get_num_threads()
        try:
            yield
        finally:
            torch.set_num_threads(threads)
    finally:
        root.handlers[:] = handlers

"""Environment variables of a process that runs models, set at its start; a library must not touch them."""

from __future__ import annotations

import os

# Read by the OpenMP runtime when torch loads it. Idle threads sleep instead of spinning, because spinning threads slow
# down the other processes of a build most of all; and they spin for a moment first, because two threads of one matrix
# product wait for each other for microseconds, which is less than waking one takes.
_OPENMP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}


def set_thread_waiting() -> None:
    """Set how idle threads of torch wait, unless the environment already says; call this before torch is imported."""
    for name, value in _OPENMP.items():
        os.environ.setdefault(name, value)

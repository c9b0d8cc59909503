"""Disks of their own, in memory, as small as a test wants them."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# The number of the capability CAP_SYS_ADMIN, which root has, but not in every container.
_MOUNT = 21


def may_mount() -> bool:
    """Tell whether disks can be mounted here; where they can, no test that wants one is skipped."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    return bool(int(re.search(r"^CapEff:\s*(\w+)", status, re.MULTILINE)[1], 16) >> _MOUNT & 1)


@contextmanager
def disk(folder: Path, room: str) -> Iterator[Path]:
    """Yield a new folder that is a disk with so much room."""
    if not may_mount():
        pytest.skip("no disk can be mounted here")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)

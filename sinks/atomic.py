"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write to, and put that file in the place of `target` when the block ends without an error.

    The draft lies in a hidden folder beside the target, so that the last step is one rename on one file system; a
    reader sees the old file or the new one. After an error the old file stands as it was and the draft is gone.

    Raises:
        OSError: the folder cannot be written, the disk is full, or a folder stands where the file should.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(
            f"'{target}' is a folder where a file is to be written: remove it or choose another place"
        )
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        draft = Path(folder) / target.name
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)

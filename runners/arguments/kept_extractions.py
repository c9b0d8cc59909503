"""What an interrupted build or update leaves in its output folder, and the command that continues it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

# Where pipeline keeps finished shards until the graph is complete. Its modules are not imported here, because a signal
# may come while they are being imported.
SHARDS = Path(".factmill.building", "extractions")
_SHARD = re.compile(r"shard-\d+-of-(\d+)\.parquet")


def kept_message(out: Path, command: Sequence[str]) -> str:
    """Return the message for a user whose build or update was stopped.

    Args:
        out: the output folder.
        command: the words of the command that continues the work.
    """
    shards = [match for path in (out / SHARDS).glob("shard-*") if (match := _SHARD.fullmatch(path.name))]
    if not shards:
        return f"Stopped before any document was extracted. '{out}' is as it was before."
    kept = f"The extractions of {len(shards):,} of {int(shards[0][1]):,} shards are kept."
    return f"Stopped. {kept} To continue: {shlex.join(command)}"

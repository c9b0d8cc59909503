"""How input files are read: their format, the fields of their records, and what makes ids of several files differ."""

from __future__ import annotations

import msgspec

from pipeline.dead_letters import BuildError
from pipeline.readers import ID_PREFIXES, registered


class Reading(msgspec.Struct, frozen=True):
    """How files are read.

    Attributes:
        format: their format, or None to find it in each.
        columns: which fields of records are `id`, `title` and `text`.
        id_prefix: what is put before ids that are not public: the name of the `file`, or of the `folder` and the file.
    """

    format: str | None = None
    columns: dict[str, str] = {}
    id_prefix: str | None = None

    def check(self) -> None:
        """Check that files can be read like this.

        Raises:
            BuildError: there is no such format or prefix.
        """
        names = list(registered())
        if self.format is not None and self.format not in names:
            raise BuildError(f"there is no format '{self.format}': use one of {', '.join(names)}")
        if self.id_prefix not in (None, *ID_PREFIXES):
            raise BuildError(f"there is no id prefix '{self.id_prefix}': use one of {', '.join(ID_PREFIXES)}")

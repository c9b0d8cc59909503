"""What a command that makes a graph can be told."""

from __future__ import annotations

import msgspec

from pipeline.reading import Reading


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a build can be told.

    Attributes:
        model: name or folder of the extractor's checkpoint.
        format: format of the input files; None finds it in the content of each.
        columns: which fields of records (JSON Lines, JSON, CSV, Parquet) are `id`, `title` and `text`, for example
            {"id": "pmid", "text": "abstract"}.
        id_prefix: what is put before the ids of documents, unless they are public as those of PubMed: the name of the
            `file`, or of the `folder` and the file. None leaves them as they are.
        workers: threads or processes that work side by side; None takes one per core. The result is the same.
        runner: `local` (the mode that is fastest for so many workers), `memory`, `threads`, `processes`, or the name
            of a Beam runner.
        min_confidence: edges below are left out, with their evidence; facts from it on are found, also where the
            extractor would cut higher.
        min_precision: the extractor cuts facts so that this share of them is right; not together with min_confidence.
        limit: read only so many documents, the first in the order of the file names.
        languages: read only documents in these languages (ISO 639 codes); none means any.
        batch_cost: word pieces and entity pairs that the model takes at once; None takes what suits where it runs.
        schema: name or file of a relation schema whose rules hold; None takes the extractor's, with the rules of the
            built-in schema of the same name.
        rules: levels of rules other than in the schema, for example {"types": "enforce"}.
        correlation: how far documents that state one edge depend on each other: 0 not at all, with 1 only the surest
            counts.
        link: whether entities without a knowledge-base id are linked to what links, headings or the dictionary name.
        dictionary: CSV or Parquet file of aliases (docs/explanation/linking.md); it is copied into the graph's folder.
        resolve: whether nodes without a knowledge-base id are joined with nodes that they are one with.
        beam: options for Beam as on its command line.
    """

    model: str = "docred-minilm"
    format: str | None = None
    columns: dict[str, str] = {}
    id_prefix: str | None = None
    workers: int | None = None
    runner: str = "local"
    min_confidence: float = 0.0
    min_precision: float | None = None
    limit: int | None = None
    languages: tuple[str, ...] = ()
    batch_cost: int | None = None
    schema: str | None = None
    rules: dict[str, str] = {}
    correlation: float = 0.0
    link: bool = True
    dictionary: str | None = None
    resolve: bool = True
    beam: tuple[str, ...] = ()

    def reading(self) -> Reading:
        """Return how the input files are read."""
        return Reading(self.format, self.columns, self.id_prefix)

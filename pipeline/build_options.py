"""The options of a command that makes a graph: one struct for the library, the command line and the YAML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from pipeline.reading import Reading

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1)]


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a build.

    Attributes:
        model: The extractor: a checkpoint that comes with factmill (`factmill info` lists them), a folder, or a model
            on the Hugging Face hub (owner/name). The default is for encyclopedic text and the 96 relations of DocRED.
        format: Format of the input; None finds it in the content of each file. Otherwise one of mediawiki, pubmed,
            wikiextractor, docred, json, jsonl, pubtator, gda, html, parquet, csv, text.
        columns: Which fields of records (JSON Lines, JSON, CSV, Parquet) are the id, the title and the text, where
            they have other names, for example {id: pmid, text: abstract}. A field inside another is written with a
            dot: article.abstract.
        id_prefix: A prefix of the ids of documents, so that files which all count their records from 0 go together:
            file (the name of the file) or folder (its folder and name). Ids of PubMed and of wikis have none. None
            adds no prefix.
        workers: Number of workers; None takes one per core. The result is the same for any number.
        runner: Where the pipeline runs: local (the fastest way on this machine), memory, threads, processes, flink,
            dataflow, or the name of another runner that Apache Beam knows (docs/how-to/run-on-a-cluster.md).
        min_confidence: Edges below this confidence (0 to 1) are left out with their evidence, and facts are extracted
            from this probability on. With 0 the extractor's calibrated thresholds decide, those with the best F1.
        min_precision: Or the precision that facts must have (0 to 1): the threshold is then the lowest one whose
            precision on the annotated documents of the calibration reaches this value with confidence. Not together
            with min_confidence.
        schema: The relation schema whose rules apply (docs/explanation/rules.md): a built-in one or a file. None takes
            that of the extractor.
        rules: The level of single rules in place of that in the schema: off, warn or enforce, for example
            {inverse: enforce, functional: warn}.
        correlation: Correlation of documents that state the same edge (docs/explanation/confidence.md): with 0 they
            count as independent, with 1 only the most probable one counts. Near duplicates count once in any case.
        link: Whether entities that the source does not link are linked to pages, headings or entries of the
            dictionary, by how the corpus uses their names (docs/explanation/linking.md).
        resolve: Whether nodes without a knowledge-base id are merged with nodes that denote the same thing, by their
            names and neighbours (docs/explanation/resolution.md).
        dictionary: A CSV or Parquet file of names and the entries they denote, with the columns alias and id, and
            optionally type and prior. It is copied into the graph's folder.
        limit: Stop after this number of documents, for a first try; None reads all of them.
        languages: Read only documents in these languages, for example [en, de]; codes are those of ISO 639. Documents
            whose language is not known are read. An empty list means any language.
        batch_cost: Word pieces and entity pairs of a batch at most; None takes what suits the device.
        beam: Options passed to Apache Beam unchanged, for example ["--job_endpoint=localhost:8099"].
    """

    model: str = "docred-minilm"
    format: str | None = None
    columns: dict[str, str] = {}
    id_prefix: str | None = None
    workers: PositiveInt | None = None
    runner: str = "local"
    min_confidence: Share = 0.0
    min_precision: Share | None = None
    schema: str | None = None
    rules: dict[str, str] = {}
    correlation: Share = 0.0
    link: bool = True
    resolve: bool = True
    dictionary: str | None = None
    limit: PositiveInt | None = None
    languages: tuple[str, ...] = ()
    batch_cost: PositiveInt | None = None
    beam: tuple[str, ...] = ()

    def reading(self) -> Reading:
        """Return how the input files are read."""
        from pipeline.reading import Reading

        return Reading(self.format, self.columns, self.id_prefix)

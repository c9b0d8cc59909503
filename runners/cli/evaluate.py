"""`factmill evaluate`: how good an extractor is on annotated documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.arguments.command import Command
from runners.arguments.value_types import FORMAT, SHARE
from runners.errors import UserError

if TYPE_CHECKING:
    from extractors import Extractor
    from schemas import Document, Extraction

# Documents per call of the extractor, which makes its own batches out of them.
_AT_ONCE = 64
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=Command, short_help="Measure an extractor on annotated documents.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--model", default="docred-minilm", show_default=True, metavar="NAME|DIR|ID", help="The extractor.")
@click.option("--documents", metavar="START:STOP", help="Only these documents, counted from 0.")
@click.option(
    "--entities",
    type=click.Choice(["predicted", "given"]),
    help="Whether the extractor sees the bare text, or the annotated entities and only relates them "
    "[predicted, but given for an extractor that only relates].",
)
@click.option("--min-confidence", type=SHARE, metavar="P", help="Cut facts at this probability.")
@click.option("--min-precision", type=SHARE, metavar="P", help="Cut facts for this precision.")
@click.option("--train", "train_files", multiple=True, type=_FILE, help="Training documents, for Ign F1.")
@click.option("--mesh-tree", type=_FILE, help="MeSH tree file, for the hypernym filter on chemical-disease pairs.")
@click.option("--format", type=FORMAT, metavar="FORMAT", help="Format of the files [found in their content].")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a reliability plot and a precision-recall curve there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(
    files: tuple[Path, ...],
    model: str,
    documents: str | None,
    entities: str | None,
    min_confidence: float | None,
    min_precision: float | None,
    train_files: tuple[Path, ...],
    mesh_tree: Path | None,
    format: str | None,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Compare what an extractor finds with annotated documents.

    Takes DocRED JSON, PubTator and GDA files. From the bare text the scores are strict: a fact counts when both its
    entities have exactly the annotated mentions (rel) and types (rel_nec). Facts are cut where the extractor was
    calibrated to, or as asked for. The calibration error of their probabilities is printed too. Every figure is
    explained in docs/reference/evaluation.md.

    \b
    Examples:
      factmill evaluate examples/annotated/encyclopedia.json
      factmill evaluate examples/annotated/biomedicine.pubtator --model cdr-minilm --json
      factmill evaluate dev.json --documents 250:500                   # only the part that nothing was chosen on
      factmill evaluate dev.json --entities given --train train.json   # relations alone, with Ign F1
      factmill evaluate dev.json --min-precision 0.9 --plots plots/    # does the cut keep its promise?
    """
    from extractors import load_extractor
    from extractors.calibration import FLOOR, candidates_found, measure_reliability, plot_probabilities
    from extractors.evaluation import MeshTree, TrainFacts
    from extractors.evaluation import evaluate as compare
    from runners.arguments.annotated_documents import check_known, part_of, read_annotated

    if min_confidence is not None and min_precision is not None:
        raise UserError("a cut follows from --min-confidence or from --min-precision: give one of them")
    gold = part_of(read_annotated(files, format), documents)
    seen = TrainFacts.collect(read_annotated(train_files, format)) if train_files else None
    tree = MeshTree.read(mesh_tree) if mesh_tree else None
    extractor = load_extractor(model)
    joint = extractor.model.config.joint
    if entities == "predicted" and not joint:
        raise UserError(f"'{model}' only relates given entities: leave --entities out, or choose a joint extractor")
    given = entities == "given" or not joint
    check_known(gold, extractor.schema, f"'{model}'", types=given)
    calibration = extractor.calibration
    part = calibration.relating(given)
    cut = part
    if min_confidence is not None:
        cut = part.with_threshold(min_confidence)
    elif min_precision is not None:
        cut = part.with_threshold(part.curve.threshold_for(min_precision))
    # All likely facts are looked for, so that probabilities can be judged beyond the cut.
    extractor.calibration = calibration.with_threshold(min(FLOOR, min_confidence or FLOOR))
    likely = _extract(extractor, gold, given)
    candidates = candidates_found(gold, likely, extractor.schema)
    report = compare(gold, [cut.keep(found) for found in likely], extractor.schema, train_facts=seen, mesh_tree=tree)
    trust = measure_reliability(candidates, part)
    if plots is not None:
        total = int(candidates.gold.sum())
        for path in plot_probabilities(candidates.score, candidates.correct, total, plots):
            click.echo(path, err=True)
    if as_json:
        click.echo(json.dumps({**report.to_dict(), "probabilities": trust.to_dict()}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{report}\n\n{trust}")


def _extract(extractor: Extractor, gold: list[Document], given: bool) -> list[Extraction]:
    """Return what the extractor finds, seeing the annotated entities or nothing but the text."""
    from msgspec.structs import replace

    from runners.display.progress import progress_on

    found: list[Extraction] = []
    with progress_on() as progress:
        progress("extract", 0, total=len(gold))
        for start in range(0, len(gold), _AT_ONCE):
            seen = [
                replace(document, facts=()) if given else replace(document, facts=(), entities=None, mentions=())
                for document in gold[start : start + _AT_ONCE]
            ]
            found += extractor.extract([extractor.featurize(document) for document in seen])
            progress("extract", len(found), total=len(gold), ended=len(found) == len(gold))
    return found

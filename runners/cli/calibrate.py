"""`factmill calibrate`: calibrate an extractor on annotated documents."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.arguments.command import Command
from runners.arguments.value_types import FORMAT
from runners.errors import UserError

if TYPE_CHECKING:
    from extractors.encoder.featurizer import Featurizer
    from extractors.inference.confidence import Calibration
    from extractors.network.network import Network
    from schemas import Document

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=Command, short_help="Calibrate an extractor on annotated documents.")
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--data", "files", multiple=True, required=True, type=_FILE, help="Annotated documents.")
@click.option("--documents", metavar="START:STOP", help="Calibrate on these documents only, counted from 0.")
@click.option("--report", metavar="START:STOP", help="Report figures on these documents.")
@click.option("--format", type=FORMAT, metavar="FORMAT", help="Format of the files [found in their content].")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a calibrated copy of the checkpoint [change the checkpoint].",
)
def calibrate(
    checkpoint: str,
    files: tuple[Path, ...],
    documents: str | None,
    report: str | None,
    format: str | None,
    out: Path | None,
) -> None:
    """Calibrate the probabilities and thresholds of an extractor on documents of the kind it will be used for.

    The documents must be annotated completely and must not have been used for training; a hundred are enough. The
    result is written to calibration.json, with a reliability plot and a precision-recall curve.

    \b
    Examples:
      factmill calibrate runs/mine/checkpoint --data dev.json
      factmill calibrate runs/mine/checkpoint --data dev.json --documents 0:100 --report 100:500
      factmill calibrate docred-minilm --data notes.json --out models/notes
    """
    from msgspec.structs import replace

    from extractors.calibration import calibrate as calibrate_on
    from extractors.calibration import figures_of
    from extractors.checkpoints.checkpoint import CARD, CHECKSUM, FILES, find_checkpoint, save_calibration
    from extractors.checkpoints.loading import load_featurizer
    from extractors.checkpoints.model_card import recalibrated
    from extractors.checkpoints.weights import load_model
    from runners.arguments.annotated_documents import check_known, part_of, read_annotated
    from runners.display.progress import progress_on

    source = find_checkpoint(checkpoint)
    if out is None and source != Path(checkpoint):
        raise UserError(f"'{checkpoint}' is a shared checkpoint: add --out DIR for a calibrated copy")
    everything = read_annotated(files, format)
    chosen = part_of(everything, documents)
    parts = {_name(files, documents): chosen}
    if report is not None:
        parts[_name(files, report)] = part_of(everything, report)
    model, featurizer = load_model(source), load_featurizer(str(source))
    for part in parts.values():
        check_known(part, model.config.schema, f"'{checkpoint}'")
    with progress_on() as progress:
        progress("calibrate", 0, note="passes over the documents")
        calibration = calibrate_on(
            model,
            featurizer,
            chosen,
            _name(files, documents),
            lambda done, total: progress("calibrate", done, total, ended=done == total),
        )
        progress("evaluate", 0, len(parts), note="parts of the documents")
        figures = {}
        for name, part in parts.items():
            figures[name] = figures_of(model, featurizer, calibration, part)
            progress("evaluate", len(figures), len(parts), ended=len(figures) == len(parts))
    calibration = replace(calibration, figures=figures)
    folder = out or source
    if folder != source:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*FILES, CHECKSUM):
            if (source / name).is_file():
                shutil.copy2(source / name, folder / name)
    save_calibration(folder, calibration)
    if (source / CARD).is_file():
        card = recalibrated((source / CARD).read_text("utf-8"), model.config, calibration)
        (folder / CARD).write_text(card, "utf-8")
    _plot(model, featurizer, calibration, chosen if report is None else parts[_name(files, report)], folder)
    click.echo(f"{folder}: calibrated by {calibration.method}, threshold {calibration.relation_threshold:g}")
    for name, values in figures.items():
        click.echo(f"\n{name}")
        width = max(map(len, values))
        for figure, value in values.items():
            click.echo(f"  {figure:{width}}  {value:.4f}")


def _name(files: tuple[Path, ...], documents: str | None) -> str:
    name = "+".join(file.stem for file in files)
    return f"{name}[{documents}]" if documents else name


def _plot(
    model: Network, featurizer: Featurizer, calibration: Calibration, documents: list[Document], folder: Path
) -> None:
    from extractors.calibration import PlotsNeedMatplotlib, plot_extractor

    try:
        plot_extractor(model, featurizer, calibration, documents, folder)
    except PlotsNeedMatplotlib as error:
        click.echo(f"Warning: no plots: {error}", err=True)

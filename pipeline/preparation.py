"""What a command that extracts checks before any work: its inputs, its options and its extractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.beam.run import choose_runner, default_workers
from pipeline.build_options import BuildOptions
from pipeline.build_report import versions
from pipeline.build_run import checkpoint_of
from pipeline.dead_letters import BuildError
from pipeline.extraction.entity_check import check_given_entities
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.input_files import input_files
from pipeline.languages import language_codes
from pipeline.plan import Plan


@dataclass(frozen=True)
class Preparation:
    """Checked inputs of a command that extracts.

    Attributes:
        paths: the input files.
        source: where workers get the extractor from.
        identity: what distinguishes the extractor from others.
        plan: what the result depends on.
    """

    paths: tuple[str, ...]
    source: ExtractorSource
    identity: dict[str, str]
    plan: Plan


def prepare(
    command: str, options: BuildOptions, inputs: Sequence[str | Path], out: Path, source: ExtractorSource | None
) -> Preparation:
    """Check what a command is given, and return it.

    Args:
        command: `build` or `update`.
        options: the options of the command.
        inputs: files, folders and patterns.
        out: the output folder, which is never read.
        source: an extractor other than the checkpoint that the options name.

    Raises:
        BuildError: the inputs or options cannot be used. Errors of the extractor's checkpoint come as they are.
    """
    if options.min_confidence and options.min_precision is not None:
        raise BuildError("min_confidence and min_precision both set the threshold: give one of them")
    language_codes(options.languages)
    paths = tuple(input_files(inputs, out))
    choose_runner(options.runner, options.workers or default_workers(), options.beam)
    source = source or checkpoint_of(options)
    identity = source.identity()
    reading = options.reading()
    reading.check()
    source.featurizer()  # fails where the checkpoint cannot be loaded
    if not source.finds_entities():
        check_given_entities(paths, reading, identity["model"])
    files = [*paths, options.dictionary] if options.dictionary and command == "build" else paths
    return Preparation(paths, source, identity, Plan.of(command, options, files, identity, versions()))

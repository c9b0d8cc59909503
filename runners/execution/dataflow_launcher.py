"""What Dataflow starts for a Flex Template: begins a build, and leaves its extraction to the service.

Every parameter of `dataflow_template.json` comes as `--name=value`; all others are Beam's options. The graph is made
from the extractions by `factmill build --out OUT --resume`, on any machine that sees the folder.
"""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from collections.abc import Sequence

from pipeline.build_options import BuildOptions
from pipeline.submit import submit_build
from runners.execution.dataflow import job_options


def main(arguments: Sequence[str] | None = None) -> None:
    """Describe the job."""
    logging.basicConfig(level=logging.INFO)
    parser = ArgumentParser(description="Begins a build on Dataflow; started by a Flex Template.", allow_abbrev=False)
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--model", default=BuildOptions().model)
    parser.add_argument("--format")
    parser.add_argument("--gpu")
    told, beam = parser.parse_known_args(arguments)
    # Dataflow names the runner itself, by Beam's name.
    beam = [option for option in beam if not option.startswith("--runner")]
    options = BuildOptions(
        model=told.model, format=told.format, runner="dataflow", beam=job_options(beam, None, told.gpu)
    )
    submit_build(told.inputs.split(","), told.out, options)


if __name__ == "__main__":
    main()

"""The program that Dataflow starts for a Flex Template: submits the extraction of a build to the service.

Every parameter of `dataflow_template.json` comes as `--name=value`; all others are options for Beam. Run
`factmill build --out OUT --resume` on any machine with access to the folder to make the graph from the extractions.
"""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from collections.abc import Sequence

from pipeline.build_options import BuildOptions
from pipeline.submit import submit_build
from runners.execution.dataflow import job_options


def main(arguments: Sequence[str] | None = None) -> None:
    """Submit the job."""
    logging.basicConfig(level=logging.INFO)
    parser = ArgumentParser(description="Begins a build on Dataflow; started by a Flex Template.", allow_abbrev=False)
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--model", default=BuildOptions().model)
    parser.add_argument("--format")
    parser.add_argument("--gpu")
    given, beam = parser.parse_known_args(arguments)
    # Dataflow adds the runner, by the name that Beam has for it.
    beam = [option for option in beam if not option.startswith("--runner")]
    options = BuildOptions(
        model=given.model,
        format=given.format,
        runner="dataflow",
        beam=job_options(beam, None, given.gpu),
    )
    submit_build(given.inputs.split(","), given.out, options)


if __name__ == "__main__":
    main()

"""Options of Dataflow jobs, checked before any work."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, WorkerOptions

from runners.errors import UserError

# For a model, and the batches of a shard.
_MIN_RAM = "8GB"
# Beam ignores an invalid location and creates a bucket of its own.
_PLACE = re.compile(r"gs://[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]/.+")


def job_options(beam: Sequence[str], workers: int | None, gpu: str | None) -> tuple[str, ...]:
    """Return the options for Beam that describe the job.

    Only the step that extracts asks for memory and GPU: other steps run on machines without (right fitting).

    Args:
        beam: the user's options for Beam, which override the others.
        workers: how many machines at most; None leaves it to Dataflow.
        gpu: type of the GPU of the machines that extract, or None.

    Raises:
        UserError: an option is missing or cannot be right, or the packages for Dataflow are not installed.
    """
    if importlib.util.find_spec("google.cloud") is None or importlib.util.find_spec("google.cloud.dataflow") is None:
        raise UserError("the packages for Dataflow are not installed: pip install 'factmill[dataflow]'")
    hints = [f"--extract_hints=min_ram={_MIN_RAM}"]
    if gpu is not None:
        hints.append(f"--extract_hints=accelerator=type:{gpu};count:1;install-nvidia-driver")
    limit = [f"--max_num_workers={workers}"] if workers else []
    # The worker image has factmill, its checkpoint and Beam's own worker program.
    options = (*hints, *limit, "--sdk_location=container", *beam)
    _check(PipelineOptions(list(options)))
    return options


def _check(options: PipelineOptions) -> None:
    cloud, worker = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    needed = {
        "project": (cloud.project, "the Google Cloud project"),
        "region": (cloud.region, "for example europe-west4"),
        "temp_location": (cloud.temp_location, "a folder of a bucket, for example gs://BUCKET/tmp"),
        "sdk_container_image": (
            worker.sdk_container_image,
            "the worker image, made of runners/execution/dataflow.Containerfile",
        ),
    }
    missing = [f"--{name}=... ({what})" for name, (value, what) in needed.items() if not value]
    if missing:
        raise UserError(f"Dataflow needs {', '.join(missing)}: add them after '--'")
    for name in ("temp_location", "staging_location"):
        place = getattr(cloud, name)
        if place and not _PLACE.fullmatch(place):
            raise UserError(f"--{name}={place}: Dataflow takes a folder of a bucket, gs://BUCKET/FOLDER")
    image = worker.sdk_container_image
    if not re.search(r":[^/]+$", image):
        raise UserError(f"--sdk_container_image={image}: add a tag or digest, so that all workers run the same version")

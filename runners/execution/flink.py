"""Submitting pipelines to Flink: checks the cluster before any work, and starts a job server for it."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions

from pipeline.beam.run import default_workers
from runners.errors import UserError
from runners.execution.flink_job_server import FLINK, LOCAL, job_server

_SECONDS_TO_ANSWER = 10


@contextmanager
def submission(master: str | None, workers: int | None, beam: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the options for Beam to run on Flink, until the block ends.

    A job server is started for the block, unless `beam` names one by `--job_endpoint`.

    Args:
        master: HOST:PORT of a cluster, or `[local]` for one inside the job server.
        workers: how many slots to use; None takes all.
        beam: the user's options for Beam, which override the others.

    Raises:
        UserError: there is no such cluster, it is of another version, or it has too few slots.
        ServerUnavailable: the job server cannot be fetched or does not start.
    """
    if master is None:
        raise UserError(
            f"the address of Flink is missing: add --flink-master HOST:PORT, or --flink-master '{LOCAL}' to try it"
        )
    endpoint = PipelineOptions(list(beam)).view_as(PortableOptions).job_endpoint
    if master == LOCAL:
        slots = workers or default_workers()
    else:
        found = _cluster(master, ours=endpoint is None)
        if workers is not None and workers > found:
            raise UserError(
                f"--workers {workers}: the Flink cluster at '{master}' has {found} slots: use at most {found} workers"
            )
        slots = workers or found
    ours = (f"--flink_master={master}", f"--parallelism={slots}")
    if endpoint is not None:
        yield (*ours, *beam)
        return
    with (
        tempfile.TemporaryDirectory(prefix="factmill-flink-") as home,
        job_server(master, Path(home)) as started,
    ):
        yield (f"--job_endpoint={started}", *ours, *beam)


def _cluster(master: str, ours: bool) -> int:
    """Return the number of slots of a cluster; `ours`: factmill starts the job server, which wants its version."""
    overview = _ask(master)
    version = str(overview.get("flink-version"))
    same = FLINK.rpartition(".")[0]
    if ours and not version.startswith(f"{same}."):
        raise UserError(
            f"the cluster at '{master}' runs Flink {version}, and the job server that factmill starts is for {same}: "
            "start Beam's job server for that version and name it, with '-- --job_endpoint=HOST:PORT'"
        )
    slots = int(overview["slots-total"])
    if not slots:
        raise UserError(f"the Flink cluster at '{master}' has no slot: start a TaskManager")
    return slots


def _ask(master: str) -> dict[str, Any]:
    host, _, port = master.rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f"--flink-master takes HOST:PORT or '{LOCAL}', not '{master}'")
    try:
        with urllib.request.urlopen(f"http://{master}/overview", timeout=_SECONDS_TO_ANSWER) as answer:
            overview = json.load(answer)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        raise UserError(f"Flink does not answer at '{master}' ({reason}): give the address of its REST API") from None
    if not isinstance(overview, dict) or "flink-version" not in overview:
        raise UserError(f"the server at '{master}' is not Flink: give the address of Flink's REST API")
    return overview

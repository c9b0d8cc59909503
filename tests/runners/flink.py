"""A real Flink cluster for tests."""

import os
from contextlib import contextmanager

import pytest

from runners.flink_cluster import running
from runners.flink_job_server import job_server
from runners.servers import ServerUnavailable


@contextmanager
def cluster_with_job_server(home):
    """A cluster and the address of its job server; where there is none the test is skipped, but not in CI."""
    try:
        with running(home) as flink, job_server(flink.master, home) as endpoint:
            yield flink, endpoint
    except ServerUnavailable as error:
        if os.environ.get("FACTMILL_REQUIRE_FLINK"):
            raise
        pytest.skip(f"no Flink cluster: {error}")

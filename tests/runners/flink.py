"""A real Flink cluster for tests."""

from contextlib import contextmanager

from runners.execution.flink_job_server import job_server
from tests.servers import required
from tools.flink_cluster import running


@contextmanager
def cluster_with_job_server(home):
    """A cluster and the address of its job server; where there is none the test is skipped, but not in CI."""
    with required("FACTMILL_REQUIRE_FLINK"), running(home) as flink, job_server(flink.master, home) as endpoint:
        yield flink, endpoint

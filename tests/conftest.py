"""Settings of every test: one thread per process, and no clock in property tests."""

import os
from contextlib import nullcontext

# Before torch is imported anywhere: threads that spin for work make a busy machine many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
from hypothesis import settings

from tests.disks import disk, may_mount
from tests.servers import required
from tools.neo4j_server import Neo4jServer

# Files that take longest, these first: begun last, one of them would keep one core busy while the others wait.
LONGEST = (
    "test_every_sink.py",
    "test_flink.py",
    "test_change.py",
    "neo4j/test_writer.py",
    "test_faults_flink.py",
    "test_faults.py",
    "test_every_head.py",
    "neo4j/test_import_files.py",
    "test_other_runners.py",
)

settings.register_profile("factmill", deadline=None)
settings.load_profile("factmill")


def pytest_collection_modifyitems(items):
    """Order the files of tests, as `make test` hands them out."""

    def place(item):
        return next((n for n, name in enumerate(LONGEST) if str(item.path).endswith(f"/{name}")), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def neo4j_process(tmp_path_factory):
    """A Neo4j server of our own; where there is none the tests that want it are skipped, but not in CI.

    Its folder is a disk of its own where there may be one, which a test can fill.
    """
    home = tmp_path_factory.mktemp("neo4j") / "server"
    with disk(home, "1g") if may_mount() else nullcontext():
        server = Neo4jServer(home)
        with required("FACTMILL_REQUIRE_NEO4J"):
            server.start()
        yield server
        server.stop()


@pytest.fixture
def neo4j_server(neo4j_process, monkeypatch):
    """The server, empty, and the environment that leads to it."""
    for name, value in neo4j_process.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NEO4J_DATABASE", raising=False)
    if neo4j_process.process is None:
        neo4j_process.start()
    with neo4j_process.connect() as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")
    return neo4j_process

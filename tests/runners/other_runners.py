"""Beam's Prism, and Spark with Beam's job server for it, for tests: what their makers publish, fetched once."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import apache_beam
from platformdirs import user_cache_path

from runners.execution import maven_artifacts as maven
from runners.execution.flink_job_server import BEAM, JAVA
from runners.execution.server_process import ServerProcess, ServerUnavailable, free_port, listens
from tests.servers import required

# Where this is set, as in CI, both have to be had.
_VARIABLE = "FACTMILL_REQUIRE_OTHER_RUNNERS"
_PRISM = "github.com/apache/beam/sdks/v2/go/cmd/prism"
_SPARK = "3.5.0"
_SPARK_JARS = (
    ("org.apache.beam", "beam-runners-spark-3", BEAM),
    *(("org.apache.spark", f"spark-{part}_2.12", _SPARK) for part in ("core", "sql", "streaming")),
)
_SPARK_MAIN = "org.apache.beam.runners.spark.SparkJobServerDriver"
_SPARK_OPENS = tuple(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("sun.nio.cs", "sun.util.calendar"))


@contextmanager
def prism(home):
    """What sends a command to Prism, of the same version as Beam here."""
    with required(_VARIABLE):
        maven.require("go", "Go")
        folder = user_cache_path("factmill") / f"prism-{apache_beam.__version__}"
        command = ("go", "install", f"{_PRISM}@v{apache_beam.__version__}")
        done = subprocess.run(command, env={**os.environ, "GOBIN": str(folder)}, capture_output=True, text=True)
        if done.returncode:
            raise ServerUnavailable(f"Go cannot build Prism: {done.stderr.strip()[-500:]}")
    yield "--runner", "PrismRunner", "--", f"--prism_location={folder / 'prism'}"


@contextmanager
def spark(home):
    """What sends a command to a job server with Spark in it, which has two threads and starts worker processes."""
    port = free_port()
    with required(_VARIABLE):
        jars = maven.fetched(f"spark-{_SPARK}-beam-{BEAM}", _SPARK_JARS)
        command = [
            *("java", "-Xmx1g", *JAVA, *_SPARK_OPENS, "-cp", f"{jars}/*", _SPARK_MAIN),
            *("--spark-master-url=local[2]", "--job-host=127.0.0.1", f"--job-port={port}"),
            *("--artifact-port=0", "--expansion-port=0", f"--artifacts-dir={Path(home) / 'artifacts'}"),
        ]
        server = ServerProcess("Beam's job server for Spark", command, Path(home) / "job-server.log")
        server.start()
        server.wait_until(lambda: listens(port))
    try:
        yield "--runner", "PortableRunner", "--", f"--job_endpoint=127.0.0.1:{port}"
    finally:
        server.stop()

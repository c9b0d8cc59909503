"""Beam's job server for Flink, which runs pipelines of Beam's Python SDK on a cluster or inside itself.

Maven downloads it once. Cluster and job server must have the same major and minor version of Flink.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runners.execution import maven_artifacts as maven
from runners.execution.server_process import ServerProcess, free_port, listens

# The newest Beam whose runner for this Flink is on Maven Central with all that it depends on. Beam's Python SDK speaks
# the same protocol with it.
BEAM = "2.62.0"
FLINK = "1.19.3"
# A cluster inside the job server.
LOCAL = "[local]"
_ARTIFACTS = (
    ("org.apache.flink", "flink-clients", FLINK),
    ("org.apache.beam", "beam-runners-flink-1.19", BEAM),
    ("org.slf4j", "slf4j-simple", "1.7.36"),
)
# What Flink needs of Java 17, as in the configuration of its distribution.
JAVA = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "sun.nio.ch",
            "java.text",
            "java.time",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "java.util.concurrent.locks",
        )
    ),
)
# The least number of buffers for each of the many shuffles of a build; Flink's default of 512 is too much memory.
SHUFFLES: dict[str, str | int] = {
    "taskmanager.network.sort-shuffle.min-buffers": 64,
    "taskmanager.memory.network.min": "256m",
    "taskmanager.memory.network.max": "256m",
}
# Beam's runner sends what one worker has for a key as one record, as large as the memory for it, and more than the
# receiver can sort: such records go to disk. Read where a job is made, so that it holds on any cluster.
_LARGE_RECORDS: dict[str, str | int] = {"taskmanager.runtime.large-record-handler": "true"}
_MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_HEAP = 768


def libraries() -> Path:
    """Return the folder of the jar files of Flink and of Beam's runner for it; see `maven.fetched`."""
    return maven.fetched(f"flink-{FLINK}-beam-{BEAM}", _ARTIFACTS)


def write_settings(folder: Path, settings: Mapping[str, str | int]) -> None:
    """Write Flink's configuration into a folder, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
    (folder / "config.yaml").write_text("".join(lines), "utf-8")


@contextmanager
def job_server(master: str, home: Path) -> Iterator[str]:
    """Yield the endpoint of a job server that submits to a master until the block ends.

    Args:
        master: host and port of a cluster, or `LOCAL`.
        home: folder for its log and for what it passes on; must be there.

    Raises:
        ServerUnavailable: it cannot be fetched or does not start.
    """
    port = free_port()
    write_settings(home / "job-server", {**SHUFFLES, **_LARGE_RECORDS})
    command = [
        *("java", f"-Xmx{_HEAP}m", *JAVA, "-cp", f"{libraries()}/*", _MAIN),
        *(f"--flink-master={master}", f"--flink-conf-dir={home / 'job-server'}", "--job-host=127.0.0.1"),
        f"--artifacts-dir={home / 'artifacts'}",
        *(f"--job-port={port}", "--artifact-port=0", "--expansion-port=0"),
    ]
    server = ServerProcess("Beam's job server", command, home / "job-server.log")
    try:
        server.start()
        server.wait_until(lambda: listens(port))
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()

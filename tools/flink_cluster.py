"""A Flink cluster of one's own on this machine, for tests, benchmarks and a first look; Docker is not needed.

`make flink` runs it in the foreground, with Beam's job server, and prints how to build a graph on it. JobManager and
TaskManagers are processes of their own, as on many machines. Maven fetches Flink once; it listens on the loopback
device only.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runners.execution.flink_job_server import FLINK, JAVA, SHUFFLES, job_server, libraries, write_settings
from runners.execution.server_process import ServerProcess, free_port
from tools.foreground import foreground

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_PORT = 8081
# Megabytes. The scripts of Flink's distribution would compute them.
_JOB_MANAGER_HEAP = 768
_TASK_MANAGER_HEAP = 512
_MANAGED = 192


@dataclass
class FlinkCluster:
    """A JobManager and some TaskManagers; each can be stopped, killed and started again.

    Attributes:
        home: folder for configuration, logs and what jobs spill; made when it is not there.
        task_managers: how many.
        slots: how many tasks of a pipeline each works on at a time.
        port: of its REST API; None takes a free one.
    """

    home: Path
    task_managers: int = 2
    slots: int = 1
    port: int | None = None
    job_manager: ServerProcess = field(init=False, repr=False)
    workers: list[ServerProcess] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self.port = self.port or free_port()
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)

    @property
    def master(self) -> str:
        """Host and port for `--flink-master`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until all its slots are available.

        Raises:
            ServerUnavailable: it cannot be downloaded or started.
        """
        write_settings(self.home / "conf", self._settings())
        command = [*JAVA, f"-Djava.io.tmpdir={self.home / 'tmp'}", "-cp", f"{libraries()}/*"]
        conf = f"--configDir={self.home / 'conf'}"
        self.job_manager = ServerProcess(
            "Flink's JobManager",
            ["java", f"-Xmx{_JOB_MANAGER_HEAP}m", *command, _JOB_MANAGER, conf],
            self.home / "jobmanager.log",
        )
        self.workers = [
            ServerProcess(
                "Flink's TaskManager",
                ["java", f"-Xmx{_TASK_MANAGER_HEAP}m", *command, _TASK_MANAGER, conf],
                self.home / f"taskmanager-{number}.log",
            )
            for number in range(1, self.task_managers + 1)
        ]
        try:
            for server in (self.job_manager, *self.workers):
                server.start()
            self.job_manager.wait_until(self._answers)
            for server in self.workers:
                server.wait_until(self._complete)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all of it."""
        for server in (*self.workers, self.job_manager):
            server.stop()

    def ask(self, path: str) -> Any:
        """Return the answer of the REST API to a path, for example `/overview`.

        Raises:
            OSError: it does not answer.
        """
        with urllib.request.urlopen(f"http://{self.master}{path}", timeout=5) as answer:
            return json.load(answer)

    def _settings(self) -> dict[str, str | int]:
        return {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.rpc.port": free_port(),
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": str(self.port),
            "io.tmp.dirs": str(self.home / "tmp"),
            "taskmanager.numberOfTaskSlots": self.slots,
            "taskmanager.cpu.cores": f"{self.slots}.0",
            "taskmanager.memory.framework.heap.size": "128m",
            "taskmanager.memory.framework.off-heap.size": "128m",
            "taskmanager.memory.task.heap.size": f"{_TASK_MANAGER_HEAP - 128}m",
            "taskmanager.memory.task.off-heap.size": "0m",
            "taskmanager.memory.managed.size": f"{_MANAGED}m",
            **SHUFFLES,
            "taskmanager.memory.jvm-metaspace.size": "256m",
            "taskmanager.memory.jvm-overhead.min": "192m",
            "taskmanager.memory.jvm-overhead.max": "192m",
            # Beam's runner is on the class path here. If it came with the pipeline, in a class loader of its own, it
            # would end the Python workers after every stage, and they would load Python and the model again.
            "classloader.resolve-order": "parent-first",
            # Jobs go on when a TaskManager is lost, with the slots that are left or come back. The attempts must last
            # until that is noticed, which takes two beats, and a shuffle that went with it may cost one more.
            "heartbeat.interval": 1000,  # milliseconds
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 30,
            "restart-strategy.fixed-delay.delay": "1 s",
        }

    def _answers(self) -> bool:
        try:
            self.ask("/overview")
        except OSError:
            return False
        return True

    def _complete(self) -> bool:
        return bool(self.ask("/overview")["slots-total"] == self.task_managers * self.slots)


@contextmanager
def running(home: Path, task_managers: int = 2, slots: int = 1, port: int | None = None) -> Iterator[FlinkCluster]:
    """Yield a running cluster that is stopped when the block ends.

    Raises:
        ServerUnavailable: it cannot be downloaded or started.
    """
    cluster = FlinkCluster(home, task_managers, slots, port)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def main() -> None:
    """Run a cluster with its files in the folder that is named, until Ctrl-C."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "flink-cluster")
    with (
        foreground(f"Flink {FLINK}", home),
        running(home, port=_PORT) as cluster,
        job_server(cluster.master, cluster.home) as endpoint,
    ):
        print("Flink is running. In another terminal:\n")
        print(f"factmill build INPUT --out graph --runner flink --flink-master {cluster.master}\n")
        print(f"Add '-- --job_endpoint={endpoint}' to use this job server instead of a new one.")
        print("Ctrl-C stops it.", flush=True)
        cluster.job_manager.wait()


if __name__ == "__main__":
    main()

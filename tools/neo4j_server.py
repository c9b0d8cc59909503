"""A Neo4j Community server on this machine, for tests, benchmarks and trying factmill; Docker is not needed.

`make neo4j` runs it in the foreground and prints the lines that point factmill to it. Maven fetches it once; it listens
on the loopback device only, asks for a password, and keeps its data in a folder.
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neo4j import GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import DriverError, Neo4jError

from runners.execution import maven_artifacts as maven
from runners.execution.server_process import ServerProcess, ServerUnavailable, free_port, listens
from tools.foreground import foreground

VERSION = "5.26.30"
USERNAME = "neo4j"
_MAIN = "org.neo4j.server.CommunityEntryPoint"
_ADMIN = "org.neo4j.cli.AdminTool"
# The server, what runs it, and the tool that imports files.
_ARTIFACTS = (
    ("org.neo4j", "neo4j", VERSION),
    ("org.neo4j.app", "neo4j-server", VERSION),
    ("org.neo4j", "neo4j-import-tool", VERSION),
    # What the reader of Parquet in the tool wants and does not name.
    ("com.fasterxml.woodstox", "woodstox-core", "6.7.0"),
    ("org.apache.commons", "commons-collections4", "4.4"),
    ("org.apache.hadoop.thirdparty", "hadoop-shaded-guava", "1.4.0"),
)
# The options for Java without which the server does not start.
_JAVA = (
    "-XX:+UseSerialGC",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent", "java.lang")
    ),
)


def libraries() -> Path:
    """Return the folder of the server's jar files; see `maven.fetched`."""
    return maven.fetched(f"neo4j-{VERSION}", _ARTIFACTS)


@dataclass
class Neo4jServer:
    """A server with its data in a folder; it can be stopped, killed and started again on the same port.

    Attributes:
        home: its folder; made when it is not there.
        heap: megabytes of its heap; half as many again are for pages.
        port: the port of Bolt; None takes a free one.
    """

    home: Path
    heap: int = 512
    port: int | None = None
    password: str = field(init=False, repr=False)
    _server: ServerProcess | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self.port = self.port or free_port()
        (self.home / "conf").mkdir(parents=True, exist_ok=True)
        secret = self.home / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))
        self.password = secret.read_text()

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process that runs, if it does."""
        return self._server.process if self._server else None

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point factmill to it."""
        return {"NEO4J_URI": self.uri, "NEO4J_USERNAME": USERNAME, "NEO4J_PASSWORD": self.password}

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ServerUnavailable: it cannot be downloaded or started.
        """
        jars = libraries()
        settings = {
            "server.default_listen_address": "127.0.0.1",
            "server.bolt.listen_address": f"127.0.0.1:{self.port}",
            "server.bolt.advertised_address": f"127.0.0.1:{self.port}",
            "server.http.enabled": "false",
            "server.https.enabled": "false",
            "server.memory.pagecache.size": f"{self.heap // 2}m",
            "db.tx_log.preallocate": "false",
            "dbms.usage_report.enabled": "false",
        }
        (self.home / "conf" / "neo4j.conf").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        arguments = f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}"
        command = _java(f"{self.home}/plugins/*:{jars}/*", self.heap, _MAIN, *arguments)
        self._server = ServerProcess("Neo4j", command, self.home / "console.log")
        self._server.start()
        self._server.wait_until(self._answers)

    def stop(self) -> None:
        """Let it end in good order."""
        if self._server is not None:
            self._server.stop()

    def kill(self) -> None:
        """End it at once, as a machine without power does."""
        if self._server is not None:
            self._server.kill()

    def wait(self) -> None:
        """Return when it has ended by itself."""
        if self._server is not None:
            self._server.wait()

    def run_admin_script(self, script: Path) -> str:
        """Run a shell script that calls neo4j-admin on the data of the stopped server, and return its output.

        Raises:
            ServerUnavailable: the script failed; the message is its output.
        """
        admin = self.home / "neo4j-admin"
        admin.write_text(f'#!/bin/sh\nexec {shlex.join(_java(f"{libraries()}/*", self.heap, _ADMIN))} "$@"\n')
        admin.chmod(0o755)
        where = {"NEO4J_ADMIN": str(admin), "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")}
        done = subprocess.run(
            ["sh", script], env={**os.environ, **where}, cwd=self.home, capture_output=True, text=True
        )
        if done.returncode:
            raise ServerUnavailable(f"'{script}' failed: {done.stdout}{done.stderr}")
        return done.stdout

    def connect(self) -> Any:
        """Return a driver for it."""
        return GraphDatabase.driver(
            self.uri, auth=(USERNAME, self.password), notifications_min_severity=NotificationMinimumSeverity.OFF
        )

    def _answers(self) -> bool:
        """Return whether the login succeeds; the first time, change the initial password."""
        if not listens(self.port or 0):
            return False
        try:
            with self.connect() as driver:
                driver.execute_query("RETURN 1")
                return True
        except (DriverError, Neo4jError):
            pass
        try:
            with (
                GraphDatabase.driver(self.uri, auth=(USERNAME, USERNAME)) as driver,
                driver.session(database="system") as session,
            ):
                change = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"
                session.run(change, old=USERNAME, new=self.password).consume()
        except (DriverError, Neo4jError):
            pass
        return False


@contextmanager
def running(home: Path, heap: int = 512) -> Iterator[Neo4jServer]:
    """Yield a running server that is stopped when the block ends.

    Raises:
        ServerUnavailable: it cannot be downloaded or started.
    """
    server = Neo4jServer(home, heap)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _java(classes: str, heap: int, main: str, *arguments: str) -> list[str]:
    return ["java", f"-Xmx{heap}m", *_JAVA, "-cp", classes, main, *arguments]


def main() -> None:
    """Run a server in the folder that is named, until Ctrl-C."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "neo4j-server")
    with foreground(f"Neo4j {VERSION}", home), running(home) as server:
        print("Neo4j is running. In another terminal:\n")
        for name, value in server.environment.items():
            print(f"export {name}='{value}'")
        print("\nCtrl-C stops it; the data stay.", flush=True)
        server.wait()


if __name__ == "__main__":
    main()

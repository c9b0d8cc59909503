"""Connects to a Neo4j server: credentials come from the environment, and problems are found before any work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    DatabaseError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from sinks.writer import ServerUriError, WriteError

_OLDEST = (5, 26)
# How long a transaction is retried, with growing pauses, while the server is busy, restarts or is unreachable.
RETRY_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """A server that responds, and the database to use; threads may share it."""

    driver: neo4j.Driver
    database: str

    def session(self) -> neo4j.Session:
        """Return a new session; the caller closes it."""
        return self.driver.session(database=self.database)


@contextmanager
def connected(uri: str, environment: Mapping[str, str] = os.environ) -> Iterator[Server]:
    """Yield the server at `uri`, logged in with the credentials in the environment.

    Args:
        uri: for example `neo4j://localhost:7687`.
        environment: has `NEO4J_PASSWORD`, and `NEO4J_USERNAME` and `NEO4J_DATABASE` unless they are `neo4j`.

    Raises:
        WriteError: the server cannot be reached, refuses the login or is too old; or it failed in the block.
    """
    server = server_at(uri, environment)
    with server.driver, explained(uri, environment):
        yield server


def server_at(uri: str, environment: Mapping[str, str] = os.environ) -> Server:
    """Return a server that responds; the caller closes its driver.

    Raises:
        WriteError: as `connected`.
    """
    if re.match(r"\w[\w+]*://[^/]*@", uri):
        raise ServerUriError(
            "a password has no place in a URI: set NEO4J_USERNAME and NEO4J_PASSWORD in the environment"
        )
    if not environment.get("NEO4J_PASSWORD"):
        raise WriteError("no password for Neo4j: set NEO4J_PASSWORD (and NEO4J_USERNAME, if it is not 'neo4j')")
    with explained(uri, environment):
        driver = neo4j.GraphDatabase.driver(
            uri,
            auth=(_user(environment), environment["NEO4J_PASSWORD"]),
            max_transaction_retry_time=RETRY_SECONDS,
            retry_delay_multiplier=1.5,
            notifications_min_severity=neo4j.NotificationMinimumSeverity.OFF,
            user_agent="factmill",
        )
        try:
            _check_version(driver, uri)
        except BaseException:
            driver.close()
            raise
    return Server(driver, environment.get("NEO4J_DATABASE") or "neo4j")


def _check_version(driver: neo4j.Driver, uri: str) -> None:
    agent = driver.get_server_info().agent
    found = re.match(r"Neo4j/(\d+)\.(\d+)", agent)
    if not found or (int(found[1]), int(found[2])) < _OLDEST:
        raise WriteError(f"'{uri}' is '{agent}', and this needs Neo4j {'.'.join(map(str, _OLDEST))} or newer")


@contextmanager
def explained(uri: str, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Turn exceptions of the driver into a `WriteError` that names the remedy."""
    try:
        yield
    except AuthError as error:
        raise WriteError(
            f"'{uri}' refuses the login of '{_user(environment)}': check NEO4J_USERNAME and NEO4J_PASSWORD "
            f"({_first_line(error)})"
        ) from error
    except (ServiceUnavailable, SessionExpired, TransientError, OSError) as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(
            f"no Neo4j server answers at '{uri}', or it went away: start it ('make neo4j' runs one) and give the same "
            f"command again, it goes on where it ended ({_first_line(error)})"
        ) from error
    except ConfigurationError as error:
        raise WriteError(f"'{uri}' is no address of a Neo4j server: {_first_line(error)}") from error
    except ClientError as error:
        raise WriteError(f"Neo4j at '{uri}' refuses: {error.message or _first_line(error)}") from error
    except DatabaseError as error:  # an error of the server itself, after which it may refuse everything
        raise WriteError(
            f"Neo4j at '{uri}' failed, as on a full disk: see its log, make room if there is none, restart it, and "
            f"give the same command again, it goes on where it ended ({error.message or _first_line(error)})"
        ) from error
    except (DriverError, Neo4jError) as error:
        raise WriteError(f"Neo4j at '{uri}' failed, give the same command again: {_first_line(error)}") from error


def _user(environment: Mapping[str, str]) -> str:
    return environment.get("NEO4J_USERNAME") or "neo4j"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]

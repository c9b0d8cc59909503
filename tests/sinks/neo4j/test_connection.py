"""What can be wrong before a server is reached."""

import socket
import threading

import pytest

from sinks import WriteError
from sinks.neo4j.connection import connected

LOGIN = {"NEO4J_PASSWORD": "secret-of-mine"}


def test_a_password_in_the_uri_is_refused_without_repeating_it():
    with pytest.raises(WriteError, match="a password has no place in a URI: set NEO4J_USERNAME") as caught:
        connected("neo4j://me:hush@localhost", LOGIN).__enter__()
    assert "hush" not in str(caught.value)


def test_no_password():
    with pytest.raises(WriteError, match="no password for Neo4j: set NEO4J_PASSWORD"):
        connected("neo4j://localhost", {}).__enter__()


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_nobody_there(scheme):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(WriteError, match=r"no Neo4j server answers at .*'make neo4j' runs one"):
        connected(f"{scheme}://127.0.0.1:{port}", LOGIN).__enter__()


def test_no_address():
    with pytest.raises(WriteError, match="'ftp://x' is no address of a Neo4j server"):
        connected("ftp://x", LOGIN).__enter__()


def test_something_else_answers():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(WriteError, match="Neo4j"):
            connected(f"bolt://127.0.0.1:{listener.getsockname()[1]}", LOGIN).__enter__()
        thread.join()

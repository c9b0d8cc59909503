import pytest

from runners.arguments.server_uri import check_server_uri
from runners.errors import UserError


@pytest.mark.parametrize(
    "uri", ["neo4j://localhost:7687", "bolt://127.0.0.1", "bolt://[::1]:7687", "neo4j+s://db.example"]
)
def test_a_local_or_encrypted_server_needs_no_warning(uri):
    assert check_server_uri(uri) is None


@pytest.mark.parametrize("uri", ["neo4j://db.example:7687", "bolt://10.0.0.7"])
def test_an_unencrypted_connection_to_another_machine_gets_a_warning(uri):
    scheme = uri.partition(":")[0]
    assert f"unencrypted; use {scheme}+s:// if" in check_server_uri(uri)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "neo4i://localhost",
            "is not the URI of a supported database server; did you mean 'neo4j'?",
        ),
        ("http://localhost", "is not the URI of a supported database server; use neo4j://"),
        ("neo4j://", "names no host: write neo4j://HOST:PORT"),
        ("neo4j://a:b", "'neo4j://a:b' is not a valid URI"),
        ("neo4j://[::1", "'neo4j://[::1' is not a valid URI"),
        ("neo4j://me:secret@db.example", "'neo4j://db.example' must not contain a user name or password"),
    ],
)
def test_a_wrong_uri_is_refused_with_the_remedy(uri, message):
    with pytest.raises(UserError) as caught:
        check_server_uri(uri)
    assert message in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.exit_code == 2

"""URIs of database servers on the command line: what is wrong with one is found before anything is read or sent."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from runners.errors import UserError, did_you_mean


def check_server_uri(uri: str) -> str | None:
    """Check the URI of a database server and return a warning about it, or None.

    Raises:
        UserError: its scheme is unknown, it has no host, or it holds a user name or password.
    """
    from sinks.writer import SERVERS

    scheme = uri.partition("://")[0].lower()
    known = ", ".join(f"{name}://" for name in SERVERS)
    if scheme not in SERVERS:
        hint = did_you_mean(scheme, SERVERS) or ";"
        raise UserError(f"'{_without_login(uri)}' is not the URI of a supported database server{hint} use {known}")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"'{_without_login(uri)}' is not a valid URI ({error}): write SCHEME://HOST:PORT") from None
    if parts.username is not None or parts.password is not None:
        raise UserError(
            f"'{_without_login(uri)}' must not contain a user name or password, which other users of this machine "
            "could see: set NEO4J_USERNAME and NEO4J_PASSWORD in the environment"
        )
    if not host:
        raise UserError(f"'{uri}' names no host: write {scheme}://HOST:PORT, for example {scheme}://localhost:7687")
    if "+" not in scheme and not _is_local(host):
        return (
            f"the password and the graph go to '{host}' unencrypted; use {scheme}+s:// if the server has a certificate"
        )
    return None


def _without_login(uri: str) -> str:
    return re.sub(r"//[^/]*@", "//", uri)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

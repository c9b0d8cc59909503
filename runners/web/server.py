"""The HTTP server: uvicorn with deadlines for slow clients, on IPv4 or IPv6."""

from __future__ import annotations

import asyncio
import socket

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from runners.errors import UserError

_BACKLOG = 512
_MOST_CONNECTIONS = 1000
# Bytes of the request line and the headers together.
_LARGEST_HEAD = 2**17
_SECONDS_FOR_HEAD = 30
_SECONDS_TO_TAKE_ANSWER = 60
_SECONDS_IDLE = 30
_SECONDS_TO_STOP = 2


class WebServer:
    """A server that listens from the start and answers while it runs.

    Args:
        app: the ASGI application.
        host: a name or an address, for example 127.0.0.1 or ::1.
        port: 0 takes a free one.

    Raises:
        UserError: the address cannot be used.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        config = uvicorn.Config(
            app,
            http=_DeadlineProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_keep_alive=_SECONDS_IDLE,
            timeout_graceful_shutdown=_SECONDS_TO_STOP,
        )
        self._server = uvicorn.Server(config)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        """The URL of its root, without a slash at the end."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Answer requests until `stop` is called or the process gets SIGINT or SIGTERM."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Let `run` return; may be called from another thread."""
        self._server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # The address of all interfaces in IPv6 takes IPv4 too, where the system can.
        both = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = "no valid name" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
        raise UserError(f"cannot listen on {host}, port {port} ({reason}): choose another --host or --port") from None


class _DeadlineProtocol(H11Protocol):
    """Closes connections whose client takes too long to send the head of a request or to read an answer."""

    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # Without this the kernel keeps the body of an answer back until the client has acknowledged its head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A timer runs from the first byte of a request to the end of its head.
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect_head()
        elif self.conn.their_state is not h11.IDLE:
            self._forget_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        self._forget_reading()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the time in which the client must take what is buffered."""
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(_SECONDS_TO_TAKE_ANSWER, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that time."""
        super().resume_writing()
        self._forget_reading()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(_SECONDS_FOR_HEAD, self.transport.abort)

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _forget_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

"""The web server, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable

import uvicorn

from stopline.runtime.closing import Closing
from stopline.runtime.sinks.view.app import app_of
from stopline.runtime.sinks.view.doorkeeper import Doorkeeper
from stopline.runtime.sinks.view.newsroom import Newsroom

UNREAD_MS = 5_000  # a client that takes nothing for so long is cut off, by the kernel
UNREAD_BYTES = 128 << 10  # of an answer wait in the kernel: what a client reads late is old
START_WITHIN_S = 10.0
CLOSE_WITHIN_S = 2.0


class Serving(Closing):
    """Serves on a bound socket until closed; connections are then cut, not waited for."""

    def __init__(
        self,
        listener: socket.socket,
        newsroom: Callable[[], Newsroom],
        token: str | None,
        cookie: str,
    ) -> None:
        """`newsroom` is called in the server's event loop; its site is put behind a door."""
        # Both are inherited by the connections.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
        self._listener = listener
        self._newsroom = newsroom
        self._token, self._cookie = token, cookie
        self._server: _Server | None = None
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._work, name="view", daemon=True)
        self._thread.start()
        self._started.wait(START_WITHIN_S)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Cut all connections and end the thread."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(CLOSE_WITHIN_S)

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # raised where the view is made
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        newsroom = self._newsroom()
        config = uvicorn.Config(
            Doorkeeper(app_of(newsroom), self._token, self._cookie),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # would hold the token
            proxy_headers=False,
            server_header=False,
            limit_concurrency=newsroom.settings.most_clients,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, newsroom, self._started)
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            newsroom.maker.shutdown()


class _Server(uvicorn.Server):
    """Says when it has started, and cuts its connections before it ends."""

    def __init__(
        self, config: uvicorn.Config, newsroom: Newsroom, running: threading.Event
    ) -> None:
        super().__init__(config)
        self._newsroom = newsroom
        self._running = running

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._running.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._newsroom.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

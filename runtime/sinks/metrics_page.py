"""The page that Prometheus scrapes, whoever else connects and says nothing."""

import threading
from http.server import ThreadingHTTPServer
from socket import socket
from typing import TYPE_CHECKING, Any

from stopline.runtime.closing import Closing
from stopline.runtime.sinks.address import Address

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

CLIENT_TIMEOUT_S = 5.0  # for one that asks nothing, or does not read the answer
MOST_CLIENTS = 16  # at a time; the next one is hung up on
LOOK_EVERY_S = 0.5  # for whether the page is to be closed


class MetricsPage(Closing):
    """Served in threads of its own, none of which outlives a client's silence for long."""

    def __init__(self, address: Address, registry: "CollectorRegistry") -> None:
        """Raise OSError for an address that is taken."""
        self._server = _Server(address, registry)
        host = f"[{address.host}]" if ":" in address.host else address.host
        self.url = f"http://{host}:{self._server.socket.getsockname()[1]}/metrics"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[LOOK_EVERY_S], name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # or a flood of clients makes the next one wait for seconds

    def __init__(self, address: Address, registry: "CollectorRegistry") -> None:
        from prometheus_client import MetricsHandler

        handler = type("Handler", (MetricsHandler,), _settings(registry))
        super().__init__((address.host, address.port), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = address.listen()
        self.server_activate()
        self._room = threading.BoundedSemaphore(MOST_CLIENTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: "socket | tuple[bytes, socket]", client_address: Any) -> None:
        """Of a client that went away, or fell silent: nobody needs to know."""


def _settings(registry: "CollectorRegistry") -> dict[str, object]:
    return {"registry": registry, "timeout": CLIENT_TIMEOUT_S}

"""The sink that is a web page."""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.events import Event
from stopline.runtime.frame import Result
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.scene import Scene
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.zones import Book

if TYPE_CHECKING:
    from stopline.runtime.sinks.view.newsroom import Newsroom
    from stopline.runtime.sinks.view.serving import Serving


class View(Closing):
    """Shows the newest result of each camera to whoever opens `url`.

    Writing swaps a reference: what those who look cost is done in the page's own threads, and
    nothing of it while nobody looks.
    """

    name = "view"
    wants_images = True

    def __init__(
        self,
        address: Address,
        settings: ViewSettings | None = None,
        book: Book | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """Serve from now on; raises OSError if the address cannot be had.

        With a `book` its zones are shown, and drawn. Whoever is not on this machine needs the
        token that is in `url`.
        """
        settings = settings or ViewSettings()
        self._scene = Scene(settings.cameras, clock)
        listener = address.listen()
        token = None if address.loopback else secrets.token_urlsafe(24)
        at = replace(address, port=listener.getsockname()[1])
        self.url = f"http://{at.for_links}/" + (f"?token={token}" if token else "")
        room = partial(_newsroom, self._scene, settings, book, clock)
        try:
            self._serving = _serving(listener, room, token)
        except BaseException:
            listener.close()
            raise

    def write(self, result: Result) -> None:
        """Show it instead of the one before."""
        self._scene.write(result)

    def tell(self, event: Event) -> None:
        """Put it on the page's list."""
        self._scene.tell(event)

    def close(self) -> None:
        """The page goes, and says so to those who look."""
        self._serving.close()


def _newsroom(scene: Scene, settings: ViewSettings, book: Book | None, clock: Clock) -> "Newsroom":
    from stopline.runtime.sinks.view.newsroom import Newsroom

    return Newsroom(scene, settings, book, clock)


def _serving(
    listener: socket.socket, newsroom: Callable[[], "Newsroom"], token: str | None
) -> "Serving":
    try:
        from stopline.runtime.sinks.view.serving import Serving
    except ImportError as error:
        raise ImportError(f"{error}: `pip install 'stopline[view]'` brings the web page") from error
    cookie = f"stopline-{listener.getsockname()[1]}"
    return Serving(listener, newsroom, token, cookie)

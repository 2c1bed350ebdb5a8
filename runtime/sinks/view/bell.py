"""Tells those who wait in the page's event loop that something is new."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Made in the loop. Rung by any thread, for a microsecond while nobody listens."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._listening = 0

    def ring(self) -> None:
        """Wake all who wait now, or listen and will wait next."""
        if self._listening:
            self._loop.call_soon_threadsafe(self._wake)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Look for what is new within it: what comes between looking and waiting is heard too."""
        self._listening += 1
        try:
            yield
        finally:
            self._listening -= 1

    async def wait(self, within_s: float) -> None:
        """Return when it rings, or after that time."""
        try:
            await asyncio.wait_for(self._rung.wait(), within_s)
        except asyncio.TimeoutError:
            return

    def _wake(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

"""Answers those who look: with what is new, when it is, and never with more than they can take."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.view.bell import Bell
from stopline.runtime.sinks.view.news import (
    Ask,
    News,
    camera_news,
    image_news,
    packed,
    wanted,
)
from stopline.runtime.sinks.view.pictures import (
    Draw,
    Picture,
    Pictures,
    Wish,
    boxed,
    jpeg_of,
    plain,
)
from stopline.runtime.sinks.view.scene import Scene
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.zones import Book

HOLD_S = 0.25  # without news an answer says so, and that somebody is there to say it
SLATE_EVERY_S = 1.0
LOOK_S = 0.02  # for those who watch a stream


@dataclass(slots=True)
class Newsroom:
    """Lives in the page's event loop; images are made in one thread beside it."""

    scene: Scene
    settings: ViewSettings
    book: Book | None
    clock: Clock = time.monotonic_ns
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    closing: bool = False
    bell: Bell = field(default_factory=Bell)
    maker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="view images")
    )
    _pictures: Pictures = field(init=False)
    _rules: object = None
    _rules_number: int = 0

    def __post_init__(self) -> None:
        self._pictures = Pictures(self.settings.most_fps, self.clock)
        self.scene.on_news = self.bell.ring

    def close(self) -> None:
        """Everybody goes; called in the loop."""
        self.closing = True
        self.bell.ring()

    async def answer(self, ask: Ask) -> bytes:
        """As soon as there is an image the page has not, but not before its time has come."""
        received_ns = self.clock()
        await self._turn(ask)
        news = await self._news(ask)
        return self._answer(ask, received_ns, await self._fitting(news, ask.most_bytes))

    async def watch(self, camera: str) -> AsyncIterator[bytes]:
        """JPEG after JPEG of one camera with its boxes; slates while it is not LIVE."""
        number, told_ns = 0, 0
        while not self.closing:
            with self.scene.lock:
                seen = self.scene.cameras[camera]
                newest, latest, state = seen.newest, seen.number, seen.state
            due = self.clock() - told_ns > SLATE_EVERY_S * 1e9
            if newest is not None and latest > number:
                picture = await self._made(Wish(newest, latest, number), boxed)
                number, told_ns = latest, self.clock()
                yield picture.jpeg
                await asyncio.sleep(1 / self.settings.most_fps)
            elif newest is None and due:
                told_ns = self.clock()
                yield jpeg_of(boxed(_slate(camera, state), self._width))
            else:
                await asyncio.sleep(LOOK_S)

    async def _news(self, ask: Ask) -> list[tuple[int, Wish]]:
        """Wait for it, but no longer than the page should wait for an answer."""
        until_ns = self.clock() + round(HOLD_S * 1e9)
        with self.bell.listening():
            while not (news := wanted(self.scene, ask)) and not self.closing:
                left_s = (until_ns - self.clock()) / 1e9
                if left_s <= 0:
                    break
                await self.bell.wait(left_s)
        return news

    @property
    def _width(self) -> int:
        return self.settings.width(len(self.scene.cameras))

    async def _turn(self, ask: Ask) -> None:
        """Nobody is answered more often than images are made."""
        early_s = (ask.since_ns - self.clock()) / 1e9 + 1 / self.settings.most_fps
        if 0 < early_s <= 1 / self.settings.most_fps:
            await asyncio.sleep(early_s)

    async def _fitting(
        self, news: list[tuple[int, Wish]], most_bytes: int
    ) -> list[tuple[int, Picture]]:
        """As many as fit, but one however large, in their order."""
        made: list[tuple[int, Picture]] = []
        for nth, wish in news:
            picture = await self._made(wish, plain)
            most_bytes -= len(picture.jpeg)
            if made and most_bytes < 0:
                break
            made.append((nth, picture))
        return made

    async def _made(self, wish: Wish, draw: Draw) -> Picture:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.maker, self._pictures.of, wish, self._width, draw)

    def _answer(self, ask: Ask, received_ns: int, pictures: list[tuple[int, Picture]]) -> bytes:
        scene = self.scene
        with scene.lock:
            now_ns = self.clock()
            cameras = list(scene.cameras.values())
            # A camera may have been lost while its image was made: then it is not shown any more.
            shown = [(nth, made) for nth, made in pictures if cameras[nth].newest is not None]
            news = News(
                run=self.run,
                received_ms=received_ns / 1e6,
                sent_ms=now_ns / 1e6,
                cameras=[camera_news(seen, ask.since_ns, now_ns) for seen in cameras],
                images=[image_news(nth, made) for nth, made in shown],
                events=[event for told_ns, event in scene.events if told_ns > ask.since_ns],
                step=scene.step,
                rules=self._number_of_rules(),
                deadline_ms=_ms(self.settings.deadline_s),
            )
        return packed(news, [made for _, made in shown])

    def _number_of_rules(self) -> int:
        rules = None if self.book is None else self.book.rules
        if rules is not self._rules:
            self._rules, self._rules_number = rules, self._rules_number + 1
        return self._rules_number


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _slate(camera: str, state: CameraState) -> Result:
    return Result(camera, state, None, Detections.none(()))

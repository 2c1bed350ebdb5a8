"""What is at which path. Only this module and `serving` need the web libraries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Rules
from stopline.runtime.sinks.clips.folder import clip_of
from stopline.runtime.sinks.view.news import MEDIA_TYPE, ask_of
from stopline.runtime.sinks.view.newsroom import Newsroom
from stopline.runtime.sinks.view.zones import Book, with_zone, without_zone

PAGE = Path(__file__).with_name("page")
MOST_POSTED = 64 << 10  # bytes; a zone takes a few hundred
BOUNDARY = "frame"


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers."""

    newsroom: Newsroom

    async def front(self, request: Request) -> Response:
        """The one page."""
        return FileResponse(PAGE / "page.html", media_type="text/html")

    async def news(self, request: Request) -> Response:
        """What changed since the page last asked."""
        try:
            ask = ask_of(dict(request.query_params))
        except (ValueError, OverflowError):
            return PlainTextResponse("that is not how the page asks for news", 400)
        return Response(await self.newsroom.answer(ask), media_type=MEDIA_TYPE)

    async def mjpeg(self, request: Request) -> Response:
        """One camera, by its number, for whatever shows MJPEG."""
        nth, cameras = int(request.path_params["nth"]), list(self.newsroom.scene.cameras)
        if nth >= len(cameras):
            return PlainTextResponse(f"there are {len(cameras)} cameras, counted from 0", 404)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(_parts(self.newsroom.watch(cameras[nth])), media_type=kind)

    async def rules(self, request: Request) -> Response:
        """The zones and rules in force, and what may be named in them."""
        book = self.newsroom.book
        rules = None if book is None else book.rules
        clips = self.newsroom.settings.clips is not None
        return _json({"rules": rules, "names": self.newsroom.scene.names, "clips": clips})

    async def add_zone(self, request: Request) -> Response:
        """What was drawn."""
        text = await _posted(request)
        if text is None:
            return PlainTextResponse(f"more than {MOST_POSTED} bytes for a zone", 413)
        return await self._changed(partial(with_zone, text=text))

    async def delete_zone(self, request: Request) -> Response:
        """With the rules that need it."""
        name = request.path_params["name"]
        try:
            return await self._changed(partial(without_zone, name=name))
        except KeyError:
            return PlainTextResponse(f"there is no zone {name!r}", 404)

    async def clip(self, request: Request) -> Response:
        """Of one alert."""
        folder, alert = self.newsroom.settings.clips, request.path_params["alert"]
        path = None if folder is None else clip_of(folder, alert)
        if path is None:
            return PlainTextResponse("no clip of that alert (yet)", 404)
        return FileResponse(path, media_type="video/webm")

    async def _changed(self, change: Callable[[Rules], Rules]) -> Response:
        book, loop = self.newsroom.book, asyncio.get_running_loop()
        if book is None:
            return PlainTextResponse(
                "this run watches for nothing: start it with --rules FILE", 409
            )
        try:
            # In the one thread that also makes the images: two changes at once would lose one.
            await loop.run_in_executor(self.newsroom.maker, _change, book, change)
        except RulesError as error:
            return PlainTextResponse(str(error), 422)
        except OSError as error:
            return PlainTextResponse(f"the rules could not be written: {error}", 500)
        return _json({"rules": book.rules})


def app_of(newsroom: Newsroom) -> Starlette:
    """The whole site."""
    pages = Pages(newsroom)
    return Starlette(
        routes=[
            Route("/", pages.front),
            Route("/news", pages.news),
            Route("/mjpeg/{nth:int}", pages.mjpeg),
            Route("/rules", pages.rules),
            Route("/zones", pages.add_zone, methods=["POST"]),
            Route("/zones/{name:path}", pages.delete_zone, methods=["DELETE"]),
            Route("/clips/{alert}", pages.clip),
            Mount("/page", StaticFiles(directory=PAGE)),
        ]
    )


def _change(book: Book, change: Callable[[Rules], Rules]) -> None:
    book.replace(change(book.rules))


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


async def _posted(request: Request) -> bytes | None:
    """None if it is too much."""
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > MOST_POSTED:
            return None
    return text


async def _parts(images: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # The boundary behind each image, too: a client shows an image when it sees that it is over.
    yield b"--%s\r\n" % BOUNDARY.encode()
    async for jpeg in images:
        head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        yield head + jpeg + b"\r\n--%s\r\n" % BOUNDARY.encode()

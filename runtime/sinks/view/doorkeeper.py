"""Who may look, and who may change something: asked before anything else of every request."""

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

Scope: TypeAlias = MutableMapping[str, Any]  # as ASGI defines them
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = ("GET", "HEAD")
HERE = ("localhost", "127.0.0.1", "::1")
# Nothing from elsewhere, nothing to elsewhere, and nothing kept: a page out of a cache would show
# what was seen some other time.
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the doorkeeper says itself."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request says of itself."""

    method: str
    path: str
    query: str
    host: str
    origin: str | None
    cookie: str
    authorization: str


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Without a token only this machine may ask, and only by one of its own names.

    The name is asked for because a page elsewhere can have its own name resolve to 127.0.0.1, and
    its scripts would then be of the same origin as this page (DNS rebinding).
    """

    app: App
    token: str | None
    cookie: str = "stopline"  # its name; cookies of one host are shared by all its ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        refusal = self.answer(_visitor(scope))
        if refusal is not None:
            await _say(refusal, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_raw(HEADERS.items())]}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def answer(self, visitor: Visitor) -> Answer | None:
        """None if the visitor may go on."""
        if self.token is None and _name_of(visitor.host) not in HERE:
            return Answer(403, f"this page is not at {visitor.host!r}: ask for http://localhost")
        if visitor.method not in READING and not _same_origin(visitor):
            return Answer(403, "only this page itself may change something")
        if self.token is None or self._known(visitor):
            return None
        if visitor.method in READING and self._is_token(_query_token(visitor.query)):
            # Others, such as a video player that keeps no cookies, go on with the token they said.
            return self._welcome() if visitor.path == "/" else None
        return Answer(401, "open the page with the whole URL that `stopline run --view` printed")

    def _known(self, visitor: Visitor) -> bool:
        bearer = visitor.authorization.removeprefix("Bearer ")
        return self._is_token(_cookie(visitor.cookie, self.cookie)) or self._is_token(bearer)

    def _is_token(self, said: str) -> bool:
        return self.token is not None and hmac.compare_digest(said.encode(), self.token.encode())

    def _welcome(self) -> Answer:
        """A cookie, and the same page by a URL that may be seen, copied and kept."""
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        return Answer(303, "", (("location", "/"), ("set-cookie", cookie)))


def _visitor(scope: Scope) -> Visitor:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Visitor(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        host=headers.get("host", ""),
        origin=headers.get("origin"),
        cookie=headers.get("cookie", ""),
        authorization=headers.get("authorization", ""),
    )


def _name_of(host: str) -> str:
    """Of a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(visitor: Visitor) -> bool:
    """Browsers state the origin of whatever may change something."""
    return visitor.origin is not None and urlsplit(visitor.origin).netloc == visitor.host


def _query_token(query: str) -> str:
    return dict(parse_qsl(query)).get("token", "")


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


async def _say(answer: Answer, send: Send) -> None:
    body = answer.text.encode()
    own = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    headers = _raw([*HEADERS.items(), *own.items(), *answer.headers])
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _raw(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]

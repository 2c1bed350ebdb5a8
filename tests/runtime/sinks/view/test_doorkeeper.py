"""Who may look, and who may change something."""

from dataclasses import replace

import pytest

from stopline.runtime.sinks.view.doorkeeper import (
    Doorkeeper,
    Receive,
    Scope,
    Send,
    Visitor,
)

TOKEN = "right"


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The site behind the door."""


HERE = Doorkeeper(nothing, None)
THERE = Doorkeeper(nothing, TOKEN)
LOCAL = Visitor("GET", "/", "", "127.0.0.1:8080", None, "", "")
REMOTE = replace(LOCAL, host="board:8080")


def status(door: Doorkeeper, visitor: Visitor) -> int | None:
    answer = door.answer(visitor)
    return None if answer is None else answer.status


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST"])
def test_this_machine_is_let_in_by_its_own_names(host: str) -> None:
    assert status(HERE, replace(LOCAL, host=host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:8080", "", "127.0.0.1.evil.example", "localhost.evil.example", "[", "x@y"],
)
def test_a_name_that_only_resolves_to_this_machine_is_not(host: str) -> None:
    assert status(HERE, replace(LOCAL, host=host)) == 403


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "OPTIONS", "anything"])
@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1:8080.x"],
)
def test_only_the_page_itself_may_change_something(method: str, origin: str | None) -> None:
    visitor = replace(LOCAL, method=method, origin=origin)
    assert status(HERE, visitor) == 403
    assert status(HERE, replace(visitor, origin="http://127.0.0.1:8080")) is None


def test_a_change_by_another_site_is_refused_even_with_the_cookie() -> None:
    visitor = replace(REMOTE, method="POST", cookie=f"stopline={TOKEN}")
    assert status(THERE, replace(visitor, origin="http://evil.example")) == 403
    assert status(THERE, replace(visitor, origin="http://board:8080")) is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("query", ""),
        ("query", "token="),
        ("query", "token=wrong"),
        ("query", "token=righ"),
        ("query", "token=rightt"),
        ("query", "token=%C3%BC"),
        ("cookie", "stopline=wrong"),
        ("cookie", "stopline"),
        ("cookie", "other=right"),
        ("cookie", "\x00;;=;"),
        ("authorization", "Bearer wrong"),
        ("authorization", "Bearer "),
        ("authorization", "\xfc"),
    ],
)
def test_without_the_token_nobody_is_let_in(field: str, said: str) -> None:
    assert status(THERE, replace(REMOTE, **{field: said})) == 401


def test_the_token_in_the_url_is_changed_for_a_cookie() -> None:
    answer = THERE.answer(replace(REMOTE, query=f"token={TOKEN}"))
    assert answer is not None
    assert (answer.status, dict(answer.headers)["location"]) == (303, "/")
    assert dict(answer.headers)["set-cookie"] == "stopline=right; HttpOnly; SameSite=Strict; Path=/"


@pytest.mark.parametrize(
    ("field", "said"),
    [("cookie", "a=b; stopline=right"), ("authorization", "Bearer right")],
)
def test_whoever_has_it_is_let_in(field: str, said: str) -> None:
    assert status(THERE, replace(REMOTE, **{field: said})) is None


def test_a_player_that_keeps_no_cookies_may_say_it_in_the_url() -> None:
    assert status(THERE, replace(REMOTE, path="/mjpeg/0", query=f"token={TOKEN}")) is None
    posted = replace(REMOTE, method="POST", origin="http://board:8080", path="/zones")
    assert status(THERE, replace(posted, query=f"token={TOKEN}")) == 401

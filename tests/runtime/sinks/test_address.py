"""Where a page is served, and what is too unclear to be an address."""

import socket

import pytest

from stopline.runtime.sinks.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8080", Address("127.0.0.1", 8080)),
        ("0", Address("127.0.0.1", 0)),
        ("0.0.0.0:80", Address("0.0.0.0", 80)),
        ("[::1]:8080", Address("::1", 8080)),
        ("board.local:8080", Address("board.local", 8080)),
    ],
)
def test_a_host_and_a_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", ":8080", "host", "host:", "65536", "-1", "1.5", "a:b"])
def test_what_is_none_is_refused_with_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match="wanted PORT, HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
    ],
)
def test_only_what_others_cannot_reach_is_loopback(host: str, loopback: bool) -> None:
    assert Address(host, 0).loopback is loopback


def test_a_link_names_a_host_that_can_be_asked() -> None:
    assert Address("::1", 80).for_links == "[::1]:80"
    assert Address("127.0.0.1", 80).for_links == "127.0.0.1:80"
    assert not Address("0.0.0.0", 80).for_links.startswith("0.0.0.0")


def test_a_port_that_is_taken_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="choose another port, or 0"):
            Address("127.0.0.1", other.getsockname()[1]).listen()

"""Where a page is served, and who can reach it."""

import ipaddress
import socket
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
SOMEWHERE = ("192.0.2.1", 9)  # RFC 5737: an address for examples; nothing is sent to it


@dataclass(frozen=True, slots=True)
class Address:
    """A host of this machine, and a TCP port: 0 is any that is free."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name: who can reach it is not known

    @property
    def for_links(self) -> str:
        """HOST:PORT as another machine may write it; of all addresses the one it likely knows."""
        host = _own_host() if self.host in ("0.0.0.0", "::") else self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def listen(self) -> socket.socket:
        """A socket that is bound there; raises OSError that says what to type."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError as error:
            listener.close()
            raise OSError(
                f"cannot serve on {self.host}:{self.port}: {error.strerror or error}; "
                "choose another port, or 0 for any that is free"
            ) from error
        return listener


def parse_address(text: str) -> Address:
    """`[HOST:]PORT`, the host in brackets if it has colons; raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535 or (colon and not host):
        raise ValueError(
            f"{text!r} is no address: wanted PORT, HOST:PORT or [IPv6]:PORT, such as 8080 for this "
            "machine alone or 0.0.0.0:8080 for all that can reach it"
        )
    return Address(host.strip("[]") or LOOPBACK, int(port))


def _own_host() -> str:
    """This machine's address on the network it would go out by, or its name if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(SOMEWHERE)
        except OSError:
            return socket.gethostname()
        return str(asking.getsockname()[0])

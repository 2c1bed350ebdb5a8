"""Which MQTT broker, as one URL says it."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from stopline.runtime.cameras.password import without_passwords

PASSWORD_VARIABLE = (
    "STOPLINE_MQTT_PASSWORD"  # a command line can be read by every user of a machine
)
PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX = "stopline"
LONGEST_CAMERA = 200  # characters; a topic may have 65535 bytes


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, who we are to it, and under which topic we speak."""

    host: str
    port: int = 1883
    prefix: str = PREFIX
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    encrypted: bool = False
    authorities: Path | None = None  # certificates to trust; without, those of the system


def parse_broker(url: str) -> Broker:
    """`mqtt[s]://[user[:password]@]host[:port][/prefix][?ca=FILE]`; raises ValueError.

    Without a password in it, the environment may have one in `STOPLINE_MQTT_PASSWORD`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        options = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if not parts.hostname or set(options) - {"ca"} or (options and parts.scheme == "mqtt"):
            raise ValueError
    except (ValueError, KeyError):
        raise ValueError(
            f"{without_passwords(url)!r} is no MQTT broker: wanted mqtt://HOST, or "
            "mqtts://USER:PASSWORD@HOST:PORT/PREFIX?ca=FILE"
        ) from None
    password = os.environ.get(PASSWORD_VARIABLE) if parts.password is None else parts.password
    return Broker(
        parts.hostname,
        port,
        _prefix(unquote(parts.path)),
        user=None if parts.username is None else unquote(parts.username),
        password=password if parts.password is None else unquote(parts.password),
        encrypted=parts.scheme == "mqtts",
        authorities=Path(options["ca"][0]) if options else None,
    )


def _prefix(path: str) -> str:
    prefix = path.strip("/") or PREFIX
    if any(sign in prefix for sign in "+#\0"):
        raise ValueError(f"{prefix!r} is no topic to publish under: + and # are for subscribers")
    return prefix


class Topics:
    """The level of a topic for each camera, no two the same, none with a sign MQTT gives meaning.

    A camera is often called by its address: `rtsp://front/main` is `rtsp:__front_main`.
    """

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def __getitem__(self, camera: str) -> str:
        if camera not in self._of:
            self._of[camera] = self._new(camera)
        return self._of[camera]

    def _new(self, camera: str) -> str:
        safe = "".join("_" if sign in "+#/" or sign < " " else sign for sign in camera)
        safe = safe[-LONGEST_CAMERA:] or "camera"
        taken = set(self._of.values())
        nth, name = 1, safe
        while name in taken:
            nth += 1
            name = f"{safe}-{nth}"
        return name

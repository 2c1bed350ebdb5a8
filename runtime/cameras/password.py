"""Sources as they may be shown and written: one with its password is neither."""

import re

HIDDEN = "…"
# rtsp://me:secret@front: up to the last @ before the path, for a password may hold one; if there is
# none, up to the last of all, for it may hold a slash that should be %2F. Digits alone are a port.
_IN_ADDRESS = re.compile(r"(://[^\s:/@\"']*):(?:[^\s/\"']*@|(?!\d*(?:[/?\s]|$))[^\s\"']*@)")
# http://front/video?user=me&pwd=secret, and GStreamer's own `user-pw=secret`.
_BY_NAME = re.compile(
    r"\b((?:[a-z]+[-_])?(?:password|passwd|passphrase|pass|pwd|pw|token|secret)\s*=\s*)"
    r"(?:\"[^\"]*\"|[^\s&;\"'!]+)",
    re.IGNORECASE,
)


def without_passwords(text: str) -> str:
    """The text, with whatever is a password in it replaced."""
    return _BY_NAME.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text))

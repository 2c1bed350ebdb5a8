"""What a camera reads from: the part of OpenCV's `VideoCapture` that is used."""

from typing import Any, Protocol


class Capture(Protocol):
    """An open device, connection or pipeline."""

    def grab(self) -> bool:
        """Wait for the next frame; False when none will come."""

    def retrieve(self) -> tuple[bool, Any]:
        """Whether the frame that was grabbed could be decoded, and its pixels."""

    def get(self, what: int, /) -> float:
        """A property by OpenCV's number for it."""

    def release(self) -> None:
        """Give it back."""

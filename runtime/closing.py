"""What has a `close`, made usable in a `with`."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

Self = TypeVar("Self", bound="Closing")  # typing has its own from Python 3.11 on


class Closing(ABC):
    """`with VideoFile(path) as video:` closes it at the end."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

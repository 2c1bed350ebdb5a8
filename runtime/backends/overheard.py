"""What a library writes to stderr by itself, where that alone says why something failed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


class Overheard:
    """`text` is what was written, once it is over."""

    text = ""


@contextmanager
def overheard() -> Iterator[Overheard]:
    """Send file descriptor 2 to a file for a moment. It is the whole process's descriptor."""
    heard = Overheard()
    try:
        kept = os.dup(2)
    except OSError:  # a daemon without a stderr has nothing to hear
        yield heard
        return
    with tempfile.TemporaryFile() as file:
        try:
            os.dup2(file.fileno(), 2)
            yield heard
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            heard.text = file.read().decode(errors="replace")

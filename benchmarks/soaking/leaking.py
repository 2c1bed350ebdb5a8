"""`stopline` with leaks planted in it, for the soak to catch: memory, descriptors and threads.

python leaking.py ARGUMENTS OF stopline…
"""

import os
import sys
import threading
import time
from typing import Any

from stopline.cli import main

HELD: list[Any] = []


def leak() -> None:
    """Hold a little more every half second: 10 KiB for each of 15 frames, a file and a thread."""
    while True:
        time.sleep(0.5)
        HELD.append(bytearray(b"x" * 150_000))
        HELD.append(os.open(os.devnull, os.O_RDONLY))
        threading.Thread(target=threading.Event().wait, daemon=True).start()


sys.argv[0] = "stopline"
threading.Thread(target=leak, daemon=True).start()
main()

"""End this process when its parent ends, however the parent ended."""

import os
import signal
import sys
import threading


def end_with_standard_input() -> None:
    """Send this process SIGTERM as soon as its standard input ends, which means that its parent ended."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # sys.stdin itself has a lock that must be free when we end
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()

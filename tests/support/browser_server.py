"""Debian's chromium for many connections: `python -m tests.support.browser_server` writes its address, a line.

It ends when its standard input does: with the process that started it, also where that is killed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        json.dump({"executablePath": CHROMIUM, "args": ARGUMENTS}, settings)
        settings.flush()
        command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium"]
        with subprocess.Popen(
            [*command, "--config", settings.name], stdin=subprocess.DEVNULL, start_new_session=True
        ) as server:
            sys.stdin.read()
            os.killpg(server.pid, signal.SIGTERM)  # the server's process is a child of Playwright's


if __name__ == "__main__":
    main()

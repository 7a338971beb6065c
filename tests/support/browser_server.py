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
_PLAYWRIGHTS_DISABLED_FEATURES = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)
"""Named once more, because chromium takes the last `--disable-features` only."""

_ADDRESS_BAR_PAGES = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI"
"""Hidden pages of the window that no test sees; to load them takes more CPU time than the page under test."""

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    f"--disable-features={_PLAYWRIGHTS_DISABLED_FEATURES},{_ADDRESS_BAR_PAGES}",
    "--renderer-process-limit=1",  # a profile's next page runs in its first one's process; profiles share none
]


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

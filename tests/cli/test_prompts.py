"""A question at a terminal ends at once when its reader interrupts it."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

QUESTION = """
from usufruct.cli import entry, root
from usufruct.cli.support import prompts, runner, server_process
import asyncio

async def work():
    prompts.confirm("Send this?", yes=False)

root.app.command("question")(lambda: {run})
root.app = lambda: {run}
entry.main()
"""
WAYS = ["runner.run(work)", "server_process.run_until_stopped(work)"]


def wait_for_reading(process: subprocess.Popen[str]) -> None:
    """Wait until a process sleeps: no signal wakes a read that begins a moment after it."""
    state = Path(f"/proc/{process.pid}/stat")
    while state.exists() and state.read_text().rpartition(") ")[2][0] == "R":
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", WAYS)
def test_an_interrupted_question_ends_at_once_and_nothing_was_sent(number, way):
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", QUESTION.replace("{run}", way)], stdin=terminal, stderr=subprocess.PIPE, text=True
    )
    try:
        shown = ""
        while "[y/N]" not in shown:
            shown += process.stderr.read(1)
        wait_for_reading(process)
        process.send_signal(number)
        _, said = process.communicate(timeout=180)
        assert process.returncode == 1
        assert "not_confirmed: nothing was sent" in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(terminal)

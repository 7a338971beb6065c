"""A question at a terminal ends at once when its reader interrupts it."""

import os
import pty
import signal
import subprocess
import sys

import pytest

QUESTION = """
from usufruct.cli import root
from usufruct.cli.support import prompts, runner, server_process
import asyncio

async def work():
    prompts.confirm("Send this?", yes=False)

root.app.command("question")(lambda: {run})
root.app = lambda: {run}
root.main()
"""
WAYS = ["runner.run(work)", "server_process.run_until_stopped(work)"]


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

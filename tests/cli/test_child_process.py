"""A process that is told to stop may finish its work within its bound; only then is it killed, and that is said."""

import os

import pytest

from usufruct.cli.support.child_process import Process

BUSY = """
import signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(time.monotonic()))
print("{}", flush=True)
while not asked or time.monotonic() - asked[0] < WORK:
    time.sleep(0.02)
"""


@pytest.fixture
def busy(tmp_path):
    """Start a process that still works for some seconds when it is told to stop."""

    def start(work: float, **bounds: float) -> Process:
        (tmp_path / "busy.py").write_text(BUSY.replace("WORK", str(work)))
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        return Process("busy", environment=environment, log=tmp_path / "log", **bounds)

    return start


def test_one_that_drains_ends_by_itself(busy):
    process = busy(0.5, drain_seconds=60, grace_seconds=0)
    assert process.stop() == ""
    assert process.exit_code == 0


def test_one_that_takes_longer_than_it_may_is_killed_and_that_is_said(busy, tmp_path):
    process = busy(600, drain_seconds=0.1, grace_seconds=0.1)
    assert process.stop() == f"did not end within 0.2 s and was killed; see {tmp_path / 'log'}"
    assert process.exit_code == -9

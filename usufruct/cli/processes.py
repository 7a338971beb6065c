"""Processes that the command line starts and ends: the built-in service and the gateway."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from usufruct.core import Unavailable

_STOP_SECONDS = 10.0
"""How long a process may take to end beyond what it drains for."""

_ERROR = re.compile(r"error [a-z_0-9]+: (.+)")


class ProcessFailed(Unavailable):
    """A process of ours did not start; the message holds its last words."""

    code = "process_failed"


class Process:
    """A Python module of ours as a process, known to be ready by the JSON line it prints.

    It has a session of its own, so that Ctrl-C at a terminal reaches us alone and we end things in order; and it reads
    from us, so that it sees us die: `--attached` has it end then.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        log: Path,
        drain_seconds: float = 0.0,
        grace_seconds: float = _STOP_SECONDS,
    ) -> None:
        """Start it; what it logs goes to `log`.

        Told to stop, it may finish its work for `drain_seconds`, and has `grace_seconds` more before it is killed.

        Raises:
            ProcessFailed: when it ends before it is ready.
        """
        self._log = log
        self._stop_seconds = drain_seconds + grace_seconds
        with log.open("ab") as errors:
            self._log_begins_at = errors.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, "--attached"],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        self.ready: Mapping[str, Any] = self._read_ready(module)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, a signal's number negated; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, nothing is tidied up."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._end()

    def stop(self) -> str:
        """Ask it to end, and wait until it does; one that takes too long is killed: returns that in words, or ""."""
        killed = ""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self._stop_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                killed = f"did not end within {self._stop_seconds:g} s and was killed; see {self._log}"
        self._end()
        return killed

    def hurry(self) -> None:
        """Ask one that was asked to end already to end now, whatever it still does."""
        if self._process.poll() is None:
            self._process.terminate()

    def _end(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read_ready(self, module: str) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise ProcessFailed(self._last_words(module))
        ready: Mapping[str, Any] = orjson.loads(line)
        return ready

    def _last_words(self, module: str) -> str:
        """Return the error that ended it, of this start alone: the log holds those before too."""
        with self._log.open("rb") as log:
            log.seek(self._log_begins_at)
            lines = log.read().decode(errors="replace").strip().splitlines()
        if lines and (error := _ERROR.fullmatch(lines[-1].strip())):
            return error[1]
        return f"{module} did not start: {' / '.join(lines[-3:]) or 'it said nothing'}"

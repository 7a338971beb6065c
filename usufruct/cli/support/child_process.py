"""Child processes: start one, wait until it is ready, stop it, and restart one that dies, with back-off."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from usufruct.core import Clock, Unavailable

Say = Callable[[str], None]

_STOP_SECONDS = 10.0
"""How long a process may take to end beyond what it drains for."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_HEALTHY_SECONDS = 60.0

_ERROR = re.compile(r"error [a-z_0-9]+: (.+)")


class ProcessFailed(Unavailable, code="process_failed"):
    """A process of ours did not start; the message holds its last words."""


class Process:
    """A Python module of ours as a process, known to be ready by the JSON line it prints.

    It runs in its own session, so that Ctrl-C at a terminal reaches only us and we stop things in order. It reads from
    us, and with `--attached` it exits when we die.
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
        self._process.kill()
        self._end()

    def stop(self) -> str:
        """Ask it to end, and wait until it does; one that takes too long is killed: returns that in words, or ""."""
        killed = ""
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


async def stop_process(process: Process) -> str:
    """Stop a process as `Process.stop` does; cancelled meanwhile, ask it to end now."""
    stopping = asyncio.ensure_future(asyncio.to_thread(process.stop))
    try:
        return await asyncio.shield(stopping)
    except asyncio.CancelledError:
        process.hurry()
        await stopping
        raise


class Child:
    """One process, under the name it is spoken of; `spawn` starts it and returns when it is ready."""

    def __init__(self, name: str, spawn: Callable[[], Process], clock: Clock | None = None) -> None:
        self.name = name
        self._spawn = spawn
        self._clock = clock or Clock()
        self._process: Process | None = None
        self._began_at = 0.0
        self._pause = _FIRST_PAUSE
        self._again_at: float | None = None

    @property
    def process(self) -> Process:
        """Return the process that runs, or ran last."""
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        """Start it and wait until it is ready; cancelled meanwhile, it is stopped again.

        Raises:
            ProcessFailed: when it ends before it is ready.
        """
        spawning = asyncio.ensure_future(asyncio.to_thread(self._spawn))
        try:
            self._process = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            self._process = await spawning
            await self.stop()
            raise
        self._began_at = self._clock.monotonic()

    async def stop(self) -> None:
        """Ask it to end, and wait for that; cancelled meanwhile, ask it to end now."""
        if self._process is not None:
            await stop_process(self._process)

    async def look(self, say: Say) -> bool:
        """Restart it after its pause if it ended, and report it; return whether it was restarted."""
        now = self._clock.monotonic()
        if self._again_at is None:
            if self.process.exit_code is not None:
                self._rest(say, f"ended with {self.process.exit_code}", healthy=now - self._began_at > _HEALTHY_SECONDS)
        elif now >= self._again_at:
            self._again_at = None
            try:
                await self.start()
            except ProcessFailed as failed:
                self._rest(say, f"does not start ({failed.message})", healthy=False)
            else:
                say(f"the {self.name} runs again")
                return True
        return False

    def _rest(self, say: Say, what: str, *, healthy: bool) -> None:
        self._pause = _FIRST_PAUSE if healthy else self._pause
        say(f"the {self.name} {what}; it is started again in {self._pause:g} s")
        self._again_at = self._clock.monotonic() + self._pause
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)

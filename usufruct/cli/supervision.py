"""Keeps processes of ours running: one that dies is started again, after a pause that grows while it keeps dying."""

import asyncio
from collections.abc import Callable

from usufruct.cli.processes import Process, ProcessFailed
from usufruct.core import Clock, SystemClock

Say = Callable[[str], None]

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_HEALTHY_SECONDS = 60.0


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
        self._clock = clock or SystemClock()
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
        """See whether it still runs; if not, say so, and start it when its pause is over. Tells whether it did."""
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

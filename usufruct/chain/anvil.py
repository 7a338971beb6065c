"""The embedded devnet: anvil as a process of ours.

A state file is held by one anvil at a time, and so is a port: the lock's file descriptor is handed to the process, so
that the lock lives exactly as long as the process that may write the file and listen. Between us and anvil runs a shell
that reads from us: when this process ends, by whatever cause, the shell's input ends and it stops anvil, which then
writes its state.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import orjson

from usufruct.chain.client import Client
from usufruct.chain.ports import HOST, PortInUse, free_port, reserve_port
from usufruct.chain.rpc_errors import RpcUnavailable
from usufruct.chain.toolchain import find
from usufruct.core import ChainId, Conflict, Unavailable
from usufruct.core.networks import DEVNET_CHAIN_ID

__all__ = ["HOST", "Anvil", "DevnetUnavailable", "PortInUse", "free_port", "reserve_port"]

if sys.platform != "win32":
    import fcntl

_WATCH = """
exec 3<&0
"$@" 3<&- </dev/null & node=$!
(read -r _ <&3; kill -TERM $node) 2>/dev/null & watch=$!
wait $node; ended=$?
kill $watch 2>/dev/null
wait $watch 2>/dev/null
exit $ended
"""
"""Runs anvil until standard input ends. It ends last: what it was handed, locks among it, is free then."""
_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_ATTEMPTS = 3


class DevnetUnavailable(Unavailable, code="devnet_unavailable"):
    """The embedded devnet did not start; the message holds anvil's last words."""


class Anvil:
    """One anvil process on a free port of this machine.

    ::

        async with Anvil(state=folder / "anvil.json") as anvil:
            client = Client(anvil.url)

    `state` is loaded when it exists, and written at the interval and at the end; without it nothing is kept. What was
    loaded is kept beside it as `<state>.good`: a process that is killed while it writes leaves half a file.
    `block_seconds` mines a block by the clock; without it each transaction is mined as it comes. On a `chain_id` other
    than the devnet's no account has coins at the start. `hardfork`: whose rules hold, such as `prague`. `starts_at`:
    the first block's time, Unix seconds; by default now.
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        state_interval_seconds: int = 10,
        block_seconds: int | None = None,
        port: int | None = None,
        data_folder: Path | None = None,
        chain_id: ChainId = DEVNET_CHAIN_ID,
        hardfork: str | None = None,
        starts_at: int | None = None,
    ) -> None:
        self._chain_id = chain_id
        self._starts_at = starts_at
        self._hardfork = hardfork
        self._state = state
        self._interval = state_interval_seconds
        self._block_seconds = block_seconds
        self._wanted_port = port
        self._data_folder = data_folder
        self._process: subprocess.Popen[bytes] | None = None
        self._state_lock: IO[bytes] | None = None
        self._port_lock: IO[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Return its RPC address."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Return the process id of anvil's shell, which lives as long as anvil; None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def _locks(self) -> list[IO[bytes]]:
        return [lock for lock in (self._state_lock, self._port_lock) if lock is not None]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ToolMissing: when anvil is not on this machine.
            Conflict: when another anvil holds the state file.
            Conflict: when the state file is not whole.
            PortInUse: when another program has the wanted port.
            DevnetUnavailable: when it does not come up.
        """
        if sys.platform == "win32":
            raise DevnetUnavailable("the embedded devnet needs Linux or macOS; use WSL, or set chain.rpc_url")
        binary = find("anvil", self._data_folder)
        try:
            self._state_lock = _locked(self._state) if self._state else None
            await asyncio.to_thread(_check_state, self._state)
            await self._launch(binary)
            await asyncio.to_thread(_keep_good, self._state)
        except BaseException:
            await self.stop()
            raise

    async def jump_to(self, time: int) -> None:
        """Mine a block at a later time, Unix seconds; the chain's clock goes on from there."""
        async with Client(self.url) as client:
            await client.ask("evm_setNextBlockTimestamp", time)
            await client.ask("anvil_mine", "0x1")

    async def _launch(self, binary: Path) -> None:
        words = ""
        for _ in range(1 if self._wanted_port else _ATTEMPTS):
            self.port, self._port_lock = reserve_port(self._wanted_port)
            with tempfile.TemporaryFile() as output:
                self._process = self._spawn(binary, output)
                if await self._answers():
                    return
                await self._terminate()
                self._port_lock.close()
                output.seek(0)
                words = " ".join(output.read().decode(errors="replace").split())[-300:]
        kept = f" with the state {self._state}" if self._state else ""
        raise DevnetUnavailable(f"anvil did not start on port {self.port}{kept}: {words or 'no words'}", port=self.port)

    async def stop(self) -> None:
        """Stop it, wait until its state is written, and release the state file."""
        await self._terminate()
        for lock in self._locks:
            lock.close()
        self._state_lock = self._port_lock = None

    async def _terminate(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait)

    def _command(self, binary: Path) -> list[str]:
        command = ["/bin/sh", "-c", _WATCH, "anvil", str(binary)]
        command += ["--silent", "--host", HOST, "--port", str(self.port), "--chain-id", str(self._chain_id)]
        if self._chain_id != DEVNET_CHAIN_ID:
            command += ["--accounts", "0"]
        if self._state:
            command += ["--state", str(self._state), "--state-interval", str(self._interval)]
        if self._hardfork:
            command += ["--hardfork", self._hardfork]
        if self._starts_at is not None:
            command += ["--timestamp", str(self._starts_at)]
        if self._block_seconds:
            command += ["--block-time", str(self._block_seconds)]
        return command

    def _spawn(self, binary: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(binary),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[lock.fileno() for lock in self._locks],
            start_new_session=True,
        )

    async def _answers(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS), Client(self.url, timeout_seconds=5.0) as client:
                while self.pid is not None:
                    with suppress(RpcUnavailable):
                        return await client.chain_id() == self._chain_id
                    await asyncio.sleep(0.02)
        return False


def _beside(state: Path, ending: str) -> Path:
    return state.with_name(state.name + ending)


def _check_state(state: Path | None) -> None:
    """Check that a state file is whole, before anvil reads it, and copy it for `_keep_good`."""
    if state is None or not state.exists():
        return
    content = state.read_bytes()
    try:
        whole = isinstance(orjson.loads(content), dict)
    except orjson.JSONDecodeError:
        whole = False
    if whole:
        _beside(state, ".part").write_bytes(content)
        return
    good = _beside(state, ".good")
    remedy = f"Go on with the state of the last start: cp {good} {state}"
    if not good.exists():
        remedy = f"Begin a new chain with a new data.folder, or put a backup of {state.name} there"
    message = f"the devnet's state {state} is not whole: it was cut short while it was written. {remedy}"
    raise Conflict(message, code="devnet_state_damaged", state=str(state))


def _keep_good(state: Path | None) -> None:
    """Keep what was loaded under another name, in one step."""
    if state is not None and _beside(state, ".part").exists():
        _beside(state, ".part").replace(_beside(state, ".good"))


def _locked(state: Path) -> IO[bytes]:
    """Take the state file's lock, in a file beside it."""
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = state.with_name(state.name + ".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        message = f"another devnet runs on {state}; stop it, or choose another data folder"
        raise Conflict(message, code="devnet_state_busy", state=str(state)) from None
    return lock

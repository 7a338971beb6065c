"""Tunnels that make a gateway reachable from the internet: programs of other makers that are installed already."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from usufruct.core import Invalid, Unavailable

_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LAST_LINES = 5
_TIED = """
exec 3<&0
"$@" 3<&- </dev/null & tunnel=$!
(read -r _ <&3; kill -TERM $tunnel) 2>/dev/null & watch=$!
wait $tunnel; ended=$?
kill $watch 2>/dev/null
exit $ended
"""
"""Runs a command that ends when our end of its standard input closes: when we end, however we end."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A program, its arguments (`{port}` is the gateway's), and the public address in what it prints."""

    name: str
    maker: str
    arguments: Sequence[str]
    address: str


TUNNELS = (
    Tunnel(
        "cloudflared",
        "Cloudflare",
        ("tunnel", "--no-autoupdate", "--url", "http://127.0.0.1:{port}"),
        r"https://[a-z0-9-]+\.trycloudflare\.com",
    ),
    Tunnel("tailscale", "Tailscale", ("funnel", "{port}"), r"https://[a-z0-9.-]+\.ts\.net"),
    Tunnel(
        "ssh",
        "localhost.run",
        ("-o", "ExitOnForwardFailure=yes", "-R", "80:127.0.0.1:{port}", "nokey@localhost.run"),
        r"https://[a-z0-9-]+\.lhr\.life",
    ),
)
"""In the order in which they are preferred."""


def find_tunnel(name: str = "") -> Tunnel:
    """Return the tunnel of that name, or the first whose program is installed."""
    wanted = [tunnel for tunnel in TUNNELS if name in ("", tunnel.name)]
    for tunnel in wanted:
        if shutil.which(tunnel.name):
            return tunnel
    names = ", ".join(tunnel.name for tunnel in wanted or TUNNELS)
    raise Invalid(
        f"none of {names} is installed. Install one, or serve the gateway at a domain of yours: `usufruct init --caddy "
        "Caddyfile --domain NAME` writes what Caddy needs",
        code="no_tunnel",
    )


@asynccontextmanager
async def open_tunnel(tunnel: Tunnel, port: int, seconds: float = _SECONDS) -> AsyncIterator[str]:
    """Run a tunnel to a port of this machine while the block does; gives the public address."""
    arguments = [argument.format(port=port) for argument in tunnel.arguments]
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _TIED, tunnel.name, tunnel.name, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    reading: asyncio.Task[None] | None = None
    try:
        url = await _address(process, tunnel, seconds)
        reading = asyncio.create_task(_discard(process))  # a full pipe would stop it
        yield url
    finally:
        await _stop(process)
        if reading is not None:
            await reading


async def _address(process: asyncio.subprocess.Process, tunnel: Tunnel, seconds: float) -> str:
    assert process.stdout is not None
    words: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            async for line in process.stdout:
                words.append(line.decode(errors="replace").strip())
                if found := re.search(tunnel.address, words[-1]):
                    return found[0]
    except TimeoutError:
        words.append(f"(no address in {seconds:g} s)")
    raise Unavailable(f"{tunnel.name} opened no tunnel: {' '.join(words[-_LAST_LINES:])[-500:]}", code="tunnel_failed")


async def _discard(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(65_536):
        pass


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

"""Tunnels: stand-ins for other makers' programs, on PATH under their names, run as the real ones are."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.command_line import running_cli
from tests.support.waiting import until
from usufruct.cli.support.tunnels import TUNNELS, find_tunnel, open_tunnel
from usufruct.core import Invalid, Unavailable

PAYEE = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"
ADDRESSES = {
    "cloudflared": "https://quiet-river-42.trycloudflare.com",
    "tailscale": "https://box.tail1234.ts.net",
    "ssh": "https://3f9a2b.lhr.life",
}


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Path:
    """An empty folder that is all there is on PATH, but for the shell's own programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, body: str) -> None:
    script = folder / name
    script.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    script.chmod(0o755)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("tunnel", TUNNELS, ids=lambda tunnel: tunnel.name)
async def test_its_public_address_is_found_and_it_ends_with_the_block(tunnel, programs, tmp_path):
    noted = tmp_path / "noted"
    install(
        programs,
        tunnel.name,
        f"open({str(noted)!r}, 'w').write(' '.join([str(os.getpid()), *sys.argv[1:]]))\n"
        f"print('starting', flush=True); print('| {ADDRESSES[tunnel.name]} |', file=sys.stderr, flush=True)\n"
        "while True: print('x' * 70_000, flush=True); time.sleep(0.1)",
    )
    assert find_tunnel() is tunnel
    async with open_tunnel(tunnel, 8402) as url:
        assert url == ADDRESSES[tunnel.name]
        pid, *arguments = noted.read_text().split()
        assert runs(int(pid))
        assert any("8402" in argument for argument in arguments)
        assert "{port}" not in " ".join(arguments)
    for _ in range(200):
        if not runs(int(pid)):
            break
        await asyncio.sleep(0.05)
    assert not runs(int(pid))


async def test_one_that_ends_is_reported_with_its_last_words(programs):
    install(programs, "ssh", "print('Permission denied (publickey).'); sys.exit(255)")
    with pytest.raises(Unavailable, match="Permission denied"):
        async with open_tunnel(find_tunnel("ssh"), 8402):
            pass


async def test_one_that_names_no_address_is_given_up(programs):
    install(programs, "ssh", "print('hello', flush=True); time.sleep(600)")
    with pytest.raises(Unavailable, match=r"no address in 0\.5 s"):
        async with open_tunnel(find_tunnel("ssh"), 8402, seconds=0.5):
            pass


def test_without_any_the_remedy_is_named(programs):
    with pytest.raises(Invalid, match=r"cloudflared, tailscale, ssh.*Caddyfile"):
        find_tunnel()
    install(programs, "ssh", "")
    with pytest.raises(Invalid, match="cloudflared"):
        find_tunnel("cloudflared")


def test_it_ends_when_we_are_killed(programs, tmp_path):
    noted = tmp_path / "noted"
    install(
        programs,
        "ssh",
        f"open({str(noted)!r}, 'w').write(str(os.getpid())); print({ADDRESSES['ssh']!r}, flush=True); time.sleep(600)",
    )
    program = (
        "import asyncio\nfrom usufruct.cli.support.tunnels import find_tunnel, open_tunnel\n"
        "async def main():\n async with open_tunnel(find_tunnel('ssh'), 8402) as url:\n"
        "  print(url, flush=True)\n  await asyncio.sleep(600)\nasyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == ADDRESSES["ssh"]
        process.kill()
        process.communicate()

    asyncio.run(until(lambda: not runs(int(noted.read_text()))))


@pytest.mark.anvil
def test_sell_public_shows_the_address_and_takes_the_tunnel_down(commands, librarian_url, tmp_path):
    noted, folder = tmp_path / "noted", tmp_path / "bin"
    folder.mkdir()
    install(
        folder,
        "ssh",
        f"open({str(noted)!r}, 'w').write(' '.join([str(os.getpid()), *sys.argv[1:]]))\n"
        f"print({ADDRESSES['ssh']!r}, flush=True); time.sleep(600)",
    )
    sale = ["--upstream", librarian_url, "--model", "librarian", "--name", "reached", "--pay-to", PAYEE]
    own = commands.own | {"PATH": f"{folder}:{os.environ['PATH']}"}
    with running_cli("sell", "--public", "--tunnel", "ssh", *sale, "--json", own=own, log=tmp_path / "log") as selling:
        port = urlsplit(selling.ready["url"]).port
        assert eventually(lambda: f"public   {ADDRESSES['ssh']}/v1" in selling.words())
        page = f"http://127.0.0.1:{port}/s/reached"  # the gateway reads of a new service a moment after it is offered
        assert eventually(lambda: ADDRESSES["ssh"] in httpx.get(page, timeout=120).text), "its own page names it so"
        pid, *arguments = noted.read_text().split()
        assert f"80:127.0.0.1:{port}" in arguments
        assert selling.stop(signal.SIGINT) == 0
    assert eventually(lambda: not runs(int(pid)))


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(1200):
        if holds():
            return True
        time.sleep(0.05)
    return False

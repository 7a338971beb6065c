"""The embedded devnet keeps its state, guards it, and never outlives us."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import Client
from usufruct.chain.anvil import HOST, Anvil, DevnetUnavailable, PortInUse, reserve_port
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Conflict
from usufruct.core.networks import DEVNET_CHAIN_ID

pytestmark = pytest.mark.anvil

PARENT = """
import asyncio, sys
from pathlib import Path
from usufruct.chain import Client
from usufruct.chain.anvil import Anvil
from tests.support.devnet import Devnet, devnet_client

async def main():
    async with Anvil(state=Path(sys.argv[1]), state_interval_seconds=3600) as anvil, devnet_client(anvil.url) as client:
        await Devnet(client).mine(7)
        print(anvil.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def started(state: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that runs a devnet, and that devnet's process id."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(state)], stdout=subprocess.PIPE, text=True)
    return parent, int(parent.stdout.readline())


def ended(pid: int, seconds: float = 60.0) -> bool:
    for _ in range(int(seconds / 0.05)):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


async def test_it_listens_here_on_a_free_port_as_chain_31337(anvil: Anvil, client: Client):
    assert anvil.url == f"http://{HOST}:{anvil.port}"
    assert await client.chain_id() == DEVNET_CHAIN_ID
    assert await client.balance(DEVNET_ADDRESSES[0]) > 0


async def test_state_is_kept_between_runs(tmp_path: Path):
    state = tmp_path / "chain" / "anvil.json"
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        await Devnet(client).set_balance(DEVNET_ADDRESSES[0], 5)
        await Devnet(client).mine(3)
        pid = anvil.pid
    assert ended(pid)
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        assert await client.balance(DEVNET_ADDRESSES[0]) == 5
        assert await client.block_number() == 3
        assert await client.header(2) is not None


@pytest.mark.parametrize("kept", [0, 1, 500])
async def test_half_a_state_file_is_named_with_the_way_on(tmp_path: Path, kept: int):
    state = tmp_path / "anvil.json"
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        await Devnet(client).mine(7)
    async with Anvil(state=state):
        pass
    state.write_bytes(state.read_bytes()[:kept])
    with pytest.raises(Conflict) as caught:
        await Anvil(state=state).start()
    assert caught.value.code == "devnet_state_damaged"
    assert str(state) in caught.value.message
    copied, to = caught.value.message.partition(": cp ")[2].split()
    shutil.copyfile(copied, to)
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        assert await client.block_number() == 7


async def test_half_a_state_file_without_another_is_named_too(tmp_path: Path):
    state = tmp_path / "anvil.json"
    state.write_text('{"block": {')
    with pytest.raises(Conflict, match=r"data\.folder"):
        await Anvil(state=state).start()


async def test_without_a_state_file_nothing_is_kept(anvil: Anvil, client: Client):
    await Devnet(client).mine(3)
    async with Anvil() as fresh, devnet_client(fresh.url) as other:
        assert await other.block_number() == 0
        assert fresh.port != anvil.port


async def test_one_state_file_has_one_devnet(tmp_path: Path):
    state = tmp_path / "anvil.json"
    async with Anvil(state=state):
        with pytest.raises(Conflict, match="another devnet runs on"):
            await Anvil(state=state).start()
    async with Anvil(state=state) as anvil:
        assert anvil.pid


async def test_it_dies_with_its_parent_and_its_state_is_written(tmp_path: Path):
    state = tmp_path / "anvil.json"
    parent, pid = started(state)
    with parent:
        with pytest.raises(Conflict, match="another devnet runs on"):
            await Anvil(state=state).start()
        parent.send_signal(signal.SIGKILL)
    assert ended(pid)
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        assert await client.block_number() == 7


async def test_a_state_file_is_guarded_as_long_as_anybody_may_write_it(tmp_path: Path):
    state = tmp_path / "anvil.json"
    parent, pid = started(state)
    with parent:
        os.killpg(pid, signal.SIGSTOP)
        parent.send_signal(signal.SIGKILL)
    try:
        with pytest.raises(Conflict, match="another devnet runs on"):
            async with Anvil(state=state):
                pass
    finally:
        os.killpg(pid, signal.SIGCONT)
    assert ended(pid)
    async with Anvil(state=state) as anvil, devnet_client(anvil.url) as client:
        assert await client.block_number() == 7


async def test_a_port_that_another_program_listens_on_is_named():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use"):
            await Anvil(port=port).start()


async def test_a_broken_state_file_is_reported_and_released(tmp_path: Path):
    state = tmp_path / "anvil.json"
    for content, error in (("{", Conflict), ('{"block": 7}', DevnetUnavailable)):
        state.write_text(content)
        for _ in range(5):  # at once: who ends holds no lock
            with pytest.raises(error, match=re.escape(str(state))) as refused:
                await Anvil(state=state).start()
            assert refused.value.code != "devnet_state_busy"


async def test_levers(anvil: Anvil, client: Client):
    devnet = Devnet(client)
    remembered = await devnet.snapshot()
    await devnet.set_code(DEVNET_ADDRESSES[5], b"\x60\x00")
    before = (await client.head()).timestamp
    await devnet.pass_time(3600)
    assert (await client.head()).timestamp >= before + 3600
    assert await client.code_at(DEVNET_ADDRESSES[5]) == b"\x60\x00"
    await devnet.revert(remembered)
    assert await client.code_at(DEVNET_ADDRESSES[5]) == b""


async def test_blocks_may_come_by_the_clock():
    async with Anvil(block_seconds=1) as anvil, devnet_client(anvil.url) as client:
        for _ in range(1200):
            if await client.block_number() >= 1:
                return
            time.sleep(0.05)  # noqa: ASYNC251
    pytest.fail("no block came")


async def test_another_devnet_on_its_port_is_not_taken_for_its_own(anvil: Anvil):
    with pytest.raises(PortInUse, match=f"port {anvil.port} is in use"):
        await Anvil(port=anvil.port).start()


async def test_a_port_that_another_process_is_about_to_listen_on_is_not_taken():
    port, lock = reserve_port()
    with pytest.raises(PortInUse, match=f"port {port} is in use"):
        await Anvil(port=port).start()
    lock.close()
    async with Anvil(port=port) as anvil, devnet_client(anvil.url) as client:
        assert await client.chain_id() == DEVNET_CHAIN_ID


async def test_a_port_is_kept_while_the_devnet_runs_and_free_again_after_it():
    async with Anvil() as anvil:
        with pytest.raises(PortInUse):
            reserve_port(anvil.port)
    reserve_port(anvil.port)[1].close()

"""What `compose.yml` describes, as processes: two gateways and a worker on one PostgreSQL and one chain."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import openai
import pytest
import yaml

from usufruct.app import Installation
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId, Hash32
from usufruct.gateway import Operator
from usufruct.payments.ledger import Ledger

pytestmark = [pytest.mark.anvil, pytest.mark.postgres]

ROOT = Path(__file__).parents[2]
PAYEE = "0x" + "66" * 20
ASK = [{"role": "user", "content": "Who pays whom?"}]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yml").read_text())["services"]


def command(services: dict[str, Any], name: str) -> list[str]:
    """What a service of `compose.yml` runs, without the program's name."""
    program, *arguments = services[name]["command"].split()
    assert program == "usufruct"
    return arguments


@pytest.fixture
def own(cli_world: ModuleType, databases: Any, tmp_path: Path) -> Iterator[dict[str, str]]:
    anvil = Anvil()
    url = databases.empty("postgresql")
    asyncio.run(anvil.start())
    yield cli_world.settings(tmp_path, anvil.url, database_url=url, data_secret="s" * 32, claims_threshold="0.000001")
    asyncio.run(anvil.stop())


@contextmanager
def started(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed if it still runs in the end."""
    full = [sys.executable, "-m", "usufruct.cli", *arguments]
    with subprocess.Popen(full, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    return json.loads(process.stdout.readline())


async def paid_out(installation: Installation, channel: Hash32, amount: int) -> dict[str, int]:
    """Wait until the owners were paid so much out of a channel; what the chain and the books then say."""
    async with asyncio.timeout(60):
        while (await installation.get(Ledger).account(channel)).total_split < amount:
            await asyncio.sleep(0.1)
    dollar = TestDollar(installation.get(Operator).token, installation.client)
    holders = {"payee": PAYEE, "till": installation.get(Operator).till, "deposits": SETTLEMENT}
    assert await installation.get(Ledger).audit() == []
    return {name: await dollar.balance_of(holder) for name, holder in holders.items()}


def keys_without_claim(folder: Path) -> dict[str, str]:
    """The settings of a machine that has no claim key: its file there cannot be opened."""
    keys = folder / "gateway-keys"
    keys.mkdir()
    (keys / "claim.json").write_text("whoever opens this as a key fails")
    address = devnet_signer(1, ChainId(31337)).address
    return {"USUFRUCT_KEYS_FOLDER": str(keys), "USUFRUCT_CLAIMS_ADDRESS": address}


def test_two_gateways_and_a_worker_share_one_installation(services, own, cli_world, librarian_url, tmp_path):
    for once in ("migrate", "deploy"):
        done = cli_world.run_cli(*command(services, once), own=own)
        assert done.returncode == 0, done.stderr
    commands, environment = cli_world.Commands(own), cli_world.process_environment(own)
    assert not set(services["gateway"]["volumes"]) & {each for each in services["worker"]["volumes"] if "keys" in each}
    gateways = environment | keys_without_claim(tmp_path)
    with ExitStack() as stack:
        first, second, worker = (
            stack.enter_context(started(command(services, name), gateways if name == "gateway" else environment))
            for name in ("gateway", "gateway", "worker")
        )
        commands.json("sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--pay-to", PAYEE)
        key = commands.inside(cli_world.paying_key)
        urls = [first_line(gateway)["url"] for gateway in (first, second)]
        assert {"watch", "claim", "deposit", "refund"} <= set(first_line(worker)["jobs"])

        charges = []
        for url in urls * 2:
            with openai.OpenAI(base_url=url, api_key=key.text, max_retries=0, timeout=120) as client:
                answer = client.chat.completions.create(model="librarian", messages=ASK, max_tokens=20)
            charges.append(int(answer.usage.cost_details["charge"]))
        assert min(charges) > 0

        commands.json("claim", "run", "--everything")  # the worker is asked
        money = commands.inside(lambda installation: paid_out(installation, key.key.channel, sum(charges)))
        deposits = 5 * cli_world.DOLLAR - sum(charges)
        assert money == {"payee": sum(charges), "till": 0, "deposits": deposits}

        worker.terminate()
        assert worker.wait(20) == 0
        note = commands.json("claim", "run", "--everything")["note"]
        assert note.startswith("nothing is due"), "the worker gave the claimer's lease back"

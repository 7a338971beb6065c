"""Ours: an anvil, one `usufruct serve` with the models on sale, a bearer key and an x402 wallet that pay for calls."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.gateway.postgres import server_processes
from bench.gateway.processes import started
from bench.gateway.subjects import Subject
from bench.gateway.upstream import PACES
from usufruct.chain.anvil import Anvil, free_port
from usufruct.core import Clock
from usufruct_client.signing import channel_id, random_salt
from usufruct_client.wallet import Wallet
from usufruct_client.wire import ChannelConfig
from usufruct_client.x402 import REQUIRED_HEADER, SIGNATURE_HEADER, PaymentPayload, Requirements, read_required

PAYEE = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"
DEPOSIT = 100_000
"""Dollars: more than any run can spend, so that no call is refused for want of money."""

DOLLAR = 10**6
JSON = {"content-type": "application/json"}
PAYER_KEY = "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""Account 4 of every anvil, rich on devnets and known to everyone."""

VOUCHERS = 2_000
"""Signed before a run and sent in turn: the signing is the client's work, and is not measured."""


class Commands:
    """The command line of one installation, each command a process."""

    def __init__(self, folder: Path, rpc_url: str, database_url: str = "") -> None:
        """Keep everything in `folder`; SQLite unless a database is named."""
        self.metrics_port = free_port()
        own = {
            "USUFRUCT_DATA_FOLDER": str(folder / "data"),
            "USUFRUCT_KEYS_FOLDER": str(folder / "keys"),
            "USUFRUCT_CHAIN_RPC_URL": rpc_url,
            "USUFRUCT_GATEWAY_PORT": "0",
            "USUFRUCT_METRICS_GATEWAY_PORT": str(self.metrics_port),
        }
        if database_url:
            own |= {"USUFRUCT_DATABASE_URL": database_url, "USUFRUCT_DATA_SECRET": secrets.token_hex(32)}
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("USUFRUCT_")}  # noqa: TID251
        self.environment: Mapping[str, str] = inherited | own

    def run(self, *arguments: str) -> Any:
        """Run a command with --json and return what it prints.

        Raises:
            RuntimeError: when it fails, with its own words.
        """
        command = [sys.executable, "-m", "usufruct.cli", *arguments, "--json"]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"usufruct {' '.join(arguments)}: {done.stderr[-2000:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None


@contextmanager
def chain(starts_at: int | None = None) -> Iterator[str]:
    """Run an anvil while the block runs; yields its URL. `starts_at`: its first block's time, by default now."""
    with asyncio.Runner() as runner:
        anvil = Anvil(starts_at=starts_at)
        runner.run(anvil.start())
        try:
            yield anvil.url
        finally:
            runner.run(anvil.stop())


@contextmanager
def installation(
    name: str,
    folder: Path,
    upstream: str,
    database_url: str = "",
    cpu: int | None = None,
    serve: Sequence[str] = (sys.executable, "-m", "usufruct.cli", "serve"),
) -> Iterator[list[Subject]]:
    """Serve the mock upstream's models; yields the gateway as paid by a bearer key, and as paid by x402."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        commands = Commands(folder, stack.enter_context(chain()), database_url)
        for step in (["migrate"], ["deploy", "--yes"]):
            commands.run(*step)
        process, ready = stack.enter_context(started(serve, folder / "gateway.log", commands.environment, cpu))
        url = str(ready["url"])
        for model in PACES:
            sell = ["sell", "--no-up", "--upstream", upstream, "--model", model, "--pay-to", PAYEE]
            commands.run(*sell, "--context", "4096", "--max-output", "256")
        commands.run("wallet", "fund", "4", str(2 * DEPOSIT))
        gateway = ["--gateway", url]
        key = commands.run(
            "key", "create", "--wallet", "4", "--limit", str(DEPOSIT), "--deposit", str(DEPOSIT), *gateway
        )
        bearer = [{"authorization": f"Bearer {key['key']}"}]
        database = partial(server_processes, database_url) if database_url else tuple
        commits = partial(ledger_commits, commands.metrics_port)
        yield [
            Subject(name, url, (process,), lambda _: bearer, database, commits),
            Subject(f"{name}+x402", url, (process,), X402Wallet(url).headers, database, commits),
        ]


def ledger_commits(port: int) -> int:
    """Return how many transactions the gateway whose metrics are at `port` has made durable."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    [line] = [line for line in text.splitlines() if line.startswith("usufruct_ledger_commits_total ")]
    return int(float(line.split()[1]))


class X402Wallet:
    """A wallet with a channel on which vouchers are signed ahead of the calls they pay for."""

    def __init__(self, url: str) -> None:
        """Pay the gateway at `url` (its base URL) from the devnet's fourth account."""
        self._url = f"{url}/chat/completions"
        self._wallet = Wallet.from_key(PAYER_KEY)
        self._config: ChannelConfig | None = None
        self._signed = 0

    def headers(self, body: str) -> list[dict[str, str]]:
        """Sign vouchers for `body`, each higher than all before; the first time a channel is opened."""
        accepted = self._price(body)
        if self._config is None:
            self._config = self._open(body, accepted)
        channel = channel_id(self._config, accepted.chain_id)
        first = DEPOSIT * DOLLAR // 2 + self._signed
        self._signed += VOUCHERS
        vouchers = [self._wallet.voucher(channel, first + more, accepted.chain_id) for more in range(VOUCHERS)]
        paid = [PaymentPayload("voucher", self._config, voucher) for voucher in vouchers]
        return [{SIGNATURE_HEADER: each.header(accepted)} for each in paid]

    def _price(self, body: str) -> Requirements:
        asked = httpx.post(self._url, content=body, headers=JSON)
        return read_required(asked.headers[REQUIRED_HEADER]).requirements

    def _open(self, body: str, accepted: Requirements) -> ChannelConfig:
        config = self._wallet.config(accepted, random_salt())
        channel = channel_id(config, accepted.chain_id)
        until = Clock().now() + min(600, accepted.timeout_seconds)
        deposit = self._wallet.deposit(channel, accepted, DEPOSIT * DOLLAR, until)
        voucher = self._wallet.voucher(channel, accepted.amount, accepted.chain_id)
        payment = PaymentPayload("deposit", config, voucher, deposit.document()).header(accepted)
        answer = httpx.post(self._url, content=body, headers={**JSON, SIGNATURE_HEADER: payment}, timeout=60)
        if answer.status_code != 200:
            raise RuntimeError(f"the x402 deposit was refused: {answer.status_code} {answer.text[:500]}")
        return config

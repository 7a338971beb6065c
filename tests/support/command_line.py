"""The command line in tests: as a process and in this one, on an installation of its own; and a payer who pays."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner, Result

from tests.support.bills import lines_of
from tests.support.deposit_documents import receive_authorization
from tests.support.typed_data import sign_document
from usufruct.accounts import KeyDomain, Keys, KeyTerms, NewKey, key_digest
from usufruct.app import Installation, open_installation
from usufruct.assets import PricePeriod, plain_listing_id
from usufruct.chain import TokenFacts, anvil
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import KeySigner, devnet_signer
from usufruct.cli.root import app
from usufruct.config import Config, load_config
from usufruct.core import Address, AssetId, ChainId, Clock, UsufructError, checksum
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Endpoint, Operator, ServedListing, Upstream
from usufruct.payments.ledger import Ledger
from usufruct.payments.ledger.records import Bill, Lease, Opened, Reservation
from usufruct.payments.ledger.service import new_id
from usufruct.payments.pricing.receipts import sign_receipt
from usufruct.payments.pricing.vouchers import sign_voucher
from usufruct.payments.settlement import ChannelRegistry, DepositAuthorization, Deposits
from usufruct_client import ClientError

T = TypeVar("T")

CHAIN = ChainId(31337)
PAYER, OWNER_OF_SHARES, SOMEBODY = (devnet_signer(index, CHAIN) for index in (4, 5, 6))
DOLLAR = 1_000_000

_FREE = "DROP TRIGGER calls_final; "
ALTERED = {
    "charge": (_FREE + f"UPDATE calls SET charge = x'{40:064x}' WHERE charge = x'{50:064x}'", "uncovered"),
    "cumulative": (_FREE + f"UPDATE calls SET cumulative = x'{301:064x}' WHERE cumulative = x'{300:064x}'", "receipt"),
    "response": (_FREE + f"UPDATE calls SET response_hash = x'{'ab' * 32}'", "differs from its receipt"),
    "signature": (_FREE + "UPDATE calls SET receipt_signature = NULL", "has no signed receipt"),
    "voucher": (f"UPDATE accounts SET voucher_amount = x'{9_999:064x}'", "its best voucher, over 9999"),
    "claimed": (
        f"UPDATE accounts SET total_claimed = x'{350:064x}' WHERE total_claimed = x'{300:064x}'",
        "claimed is 350, 300 on the chain",
    ),
    "limit": (f"UPDATE bearer_keys SET spending_limit = x'{10**30:064x}'", "its terms are not those"),
    "root": (f"UPDATE claim_batches SET root = x'{'cd' * 32}' WHERE root IS NOT NULL", "was anchored"),
}
"""Changes of rows that `trade` made, as SQL, and words of what names them."""


free_port = anvil.free_port


def settings(folder: Path, rpc_url: str, **more: object) -> dict[str, str]:
    """What makes an installation its own, as environment variables."""
    base = {"data_folder": folder, "chain_rpc_url": rpc_url, "gateway_port": 0, "chain_poll_milliseconds": 30}
    base |= {"chain_node_seconds": 60}  # a busy machine's devnet takes its time
    base |= {"keys_folder": folder / "keys", "keys_scrypt_n": 4_096}
    return {f"USUFRUCT_{name.upper()}": str(value) for name, value in (base | more).items()}


def process_environment(own: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("USUFRUCT_")} | own


def run_cli(*arguments: str, own: dict[str, str], timeout: float = 180) -> subprocess.CompletedProcess[str]:
    """Run a command as a process, to its end."""
    command = [sys.executable, "-m", "usufruct.cli", *arguments]
    environment = process_environment(own)
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout, check=False)


@dataclass
class Running:
    """A command that runs on: what it said in its first line, and its words for people so far."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    log: Path

    def words(self) -> str:
        return self.log.read_text()

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(120)


@contextmanager
def running_cli(*arguments: str, own: dict[str, str], log: Path) -> Iterator[Running]:
    """Start a command that runs on, and wait for its first line; it is killed if it still runs in the end."""
    command = [sys.executable, "-m", "usufruct.cli", *arguments]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=process_environment(own)
        )
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Running(process, json.loads(line), log)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass
class Commands:
    """Commands run in this process, on one installation; `token` is the dollar of a public chain."""

    own: dict[str, str]
    token: str = ""

    @property
    def config(self) -> Config:
        return load_config(self.own)

    def run(self, *arguments: str, typed: str = "") -> Result:
        cleared = {name: None for name in os.environ if name.startswith("USUFRUCT_")}
        return CliRunner().invoke(app, arguments, input=typed, env=cleared | self.own)

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, with --json."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, (done.stderr, done.exception)
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> UsufructError | ClientError:
        """Run a command that must fail with an error of ours."""
        done = self.run(*arguments)
        assert isinstance(done.exception, UsufructError | ClientError), (done.stdout, done.stderr, done.exception)
        return done.exception

    def inside(self, work: Callable[[Installation], Awaitable[T]]) -> T:
        """Do something with the installation opened, as a command would."""

        async def opened() -> T:
            async with open_installation(self.config) as installation:
                return await work(installation)

        return asyncio.run(opened())


async def paying_key(installation: Installation, deposit: int = 5 * DOLLAR) -> NewKey:
    """Make a key whose channel holds a deposit, as a payer does with a wallet."""
    terms = KeyTerms(PAYER.address, deposit, Clock().now() + 86_400)
    nonce = secrets.randbits(128)
    new = await installation.get(Keys).create(
        terms, nonce, PAYER.sign(key_digest(installation.get(KeyDomain), terms, nonce))
    )
    dollar = TestDollar(installation.get(Operator).token, installation.client)
    await installation.sender(PAYER).execute(dollar.mint(PAYER.address, deposit), f"mint/{new.key.id}")
    config = await installation.get(ChannelRegistry).config(new.key.channel)
    head = await installation.client.head()
    unsigned = DepositAuthorization(config, deposit, 0, head.timestamp + 3_600, secrets.randbits(128), b"")
    document = receive_authorization(CHAIN, unsigned, new.key.channel, installation.get(TokenFacts))
    await installation.get(Deposits).submit(replace(unsigned, signature=sign_document(PAYER, document)))
    return new


async def reserve(installation: Installation, key: NewKey, asset: AssetId, ceiling: int) -> Lease:
    """Begin a call of a key without a gateway."""
    signer, channel = KeySigner(await installation.get(Keys).session_key(key.key)), key.key.channel
    opened = await installation.get(Ledger).open(
        Reservation(
            call=new_id(),
            account=channel,
            asset=asset,
            ceiling=ceiling,
            price_card_version=1,
            request_hash=new_id(),
            sign=lambda needed: sign_voucher(installation.get(Operator).escrow, channel, needed, signer),
        )
    )
    assert isinstance(opened, Opened)
    await opened.durable()
    return opened.lease


async def charge(installation: Installation, key: NewKey, asset: AssetId, amount: int) -> None:
    """Serve one call of a key for `amount` atomic units, without a gateway."""
    lease = await reserve(installation, key, asset, amount)
    bill, operator = Bill(amount, lines_of(amount), False, new_id(), new_id()), installation.get(Operator)
    chain_id, till, signer = operator.escrow.chain_id, operator.till, operator.receipts
    await installation.get(Ledger).meter(
        lease, bill, sign=lambda receipt: sign_receipt(receipt, chain_id, till, signer)
    )


def asset(name: str, url: str, pay_to: Address) -> ServedListing:
    """A service for an address, as `sell` makes it, without asking the upstream."""
    card = PriceCard(500_000, 1_500_000, 0, 8_192, 1)
    return ServedListing(
        name=name,
        operation=Endpoint.CHAT,
        pay_to=pay_to,
        id=plain_listing_id(name, pay_to),
        upstreams=(Upstream(url, "m"),),
        prices=(PricePeriod(card, 0),),
    )


def trade(commands: Commands, upstream: str, name: str) -> None:
    """Sell a service and charge a key for it three times: 300 that are claimed, and twice 50 that are not."""
    sale = ["sell", "--no-up", "--upstream", upstream, "--model", "librarian", "--name", name]
    asset = int(commands.json(*sale, "--pay-to", checksum(OWNER_OF_SHARES.address))["asset"], 16)
    key = commands.inside(lambda each: paying_key(each, 1_000))
    commands.inside(lambda each: charge(each, key, asset, 300))
    commands.json("claim", "run", "--everything")
    for _ in range(2):
        commands.inside(lambda each: charge(each, key, asset, 50))

"""The payers of the demo: a person with a key, an agent with a wallet; both ask by clients that we did not write."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import httpx
from eth_account import Account
from openai import AsyncOpenAI
from rich.live import Live
from rich.table import Table
from rich.text import Text

from usufruct.app import Installation
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import Role, devnet_signer, signer_of
from usufruct.cli.demo.outcome import DEPOSIT, PAYER, SPENDING_LIMIT, DemoFailed, dollars
from usufruct.cli.support.gateway_client import WalletSigner
from usufruct.cli.support.output import plain
from usufruct.cli.support.progress import Progress
from usufruct.core import Address, Clock, address
from usufruct.gateway import Operator
from usufruct.payments.ledger import Account as LedgerAccount
from usufruct.payments.ledger import Ledger
from usufruct_client import Gateway, NewKey

_METER_COLUMNS = 30


async def ask(
    progress: Progress,
    client: AsyncOpenAI,
    model: str,
    question: str,
    *,
    key: str = "",
    each: Callable[[int], None] = lambda pieces: None,
) -> dict[str, Any]:
    """Ask, show the answer as it comes with the meter beside it, and return its receipt.

    `each` gets the number of pieces so far.
    """
    stream = await client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=160,
        extra_headers={"Idempotency-Key": key} if key else None,
    )
    receipt: dict[str, Any] = {}
    bill, pieces = "", 0
    limit = stream.response.headers.get("x-usufruct-ceiling", "")
    with _answer(progress, limit) as show:
        async for chunk in stream:
            for choice in chunk.choices:
                pieces += 1
                show(choice.delta.content or "", f"{pieces} pieces so far")
                each(pieces)
            if chunk.usage and (found := (chunk.model_extra or {}).get("usufruct")):
                receipt, details = found, (chunk.usage.model_extra or {})["cost_details"]
                bill = (
                    f"{chunk.usage.prompt_tokens} in, {chunk.usage.completion_tokens} out, "
                    f"${dollars(int(details['charge']))}, limit ${dollars(int(details['ceiling']))}"
                )
                show("", bill)
    if bill and not progress.live:
        progress.say(bill)
    return receipt


@contextmanager
def _answer(progress: Progress, limit: str) -> Iterator[Callable[[str, str], None]]:
    """Show text on the left and the meter on the right while both grow; plain lines where nothing can be redrawn."""
    if not progress.live:
        progress.piece("   ")
        try:
            yield lambda text, meter: progress.piece(text)
        finally:
            progress.piece("\n")
        return
    said, told = Text(style="cyan"), Text(style="dim")
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(ratio=1)
    table.add_column(width=_METER_COLUMNS)
    table.add_row(said, told)

    def show(text: str, meter: str) -> None:
        said.append(plain(text))
        told.plain = plain(meter).replace(", ", "\n") + (
            f"\nlimit ${dollars(int(limit))}" if limit and "limit" not in meter else ""
        )

    with Live(table, console=progress.console, refresh_per_second=12):
        yield show


_DAY = 86_400


class KeyHolder:
    """A person who makes a key at the gateway and puts money behind it; asks with the stock `openai` client."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._payer = devnet_signer(PAYER, installation.chain_id)
        self.address = self._payer.address
        self.key: NewKey

    async def make_key(self, url: str, limit: int = SPENDING_LIMIT) -> None:
        """Mint dollars, and make a key that may spend `limit`, by the payer's signature; nothing is deposited yet."""
        await mint(self._installation, self.address, 10 * DEPOSIT)

        def make() -> NewKey:
            with Gateway(url) as gateway:
                until = Clock().now() + _DAY
                return gateway.create_key(WalletSigner(self._payer), gateway.terms(), limit, until, label="demo")

        self.key = await asyncio.to_thread(make)

    async def deposit(self, url: str, amount: int) -> None:
        """Put money behind the key, by signature: the payer needs no gas."""
        until = (await self._installation.client.head()).timestamp + 3_600

        def pay() -> None:
            with Gateway(url) as gateway:
                terms = gateway.terms()
                gateway.submit_deposit(WalletSigner(self._payer), terms, terms.token, self.key.config, amount, until)

        await asyncio.to_thread(pay)

    async def channel(self) -> LedgerAccount:
        """Return the ledger's numbers for the key."""
        return await self._installation.get(Ledger).account(self.key.key.channel)

    def client(self, url: str) -> AsyncOpenAI:
        """Return OpenAI's client with the key."""
        return AsyncOpenAI(base_url=url, api_key=self.key.text, max_retries=0)


class Agent:
    """A program with a wallet made this moment: dollars, no gas, no account; x402's own client under OpenAI's."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._account = Account.create()
        self.address = address(self._account.address)

    def client(self, url: str, most: int) -> AsyncOpenAI:
        """Return OpenAI's client over x402's transport, which never pays more than `most` for a call."""
        x402, transport = import_module("x402"), import_module("x402.http.clients.httpx")
        signers = import_module("x402.mechanisms.evm.signers")
        scheme = import_module("x402.mechanisms.evm.batch_settlement.client").BatchSettlementEvmScheme
        network = f"eip155:{self._installation.chain_id}"
        client = x402.x402Client()
        client.register(network, scheme(signers.EthAccountSigner(self._account)))
        allowed = {
            "network": network,
            "asset": self._installation.get(Operator).token,
            "max_amount_per_payment": str(most),
        }
        client.set_spend_controls({"allowed_assets": [allowed]})
        http: Any = httpx.AsyncClient(transport=transport.x402AsyncTransport(client), timeout=60)
        return AsyncOpenAI(base_url=url, api_key="x402", http_client=http, max_retries=0)

    async def channel(self) -> LedgerAccount:
        """Return the ledger's numbers for the agent's channel."""
        for channel in await self._installation.get(Ledger).account_list():
            if channel.owner == self.address:
                return channel
        raise DemoFailed("the agent paid, and the ledger knows no channel of it")


async def mint(installation: Installation, to: Address, amount: int) -> None:
    """Give an account test dollars."""
    dollar = TestDollar(installation.get(Operator).token, installation.client)
    minter = installation.sender(signer_of(Role.OWNER, installation.config))
    await minter.execute(dollar.mint(to, amount), f"demo/mint/{to}")

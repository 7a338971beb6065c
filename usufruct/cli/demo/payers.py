"""The payers of the demo: a person with a key, and an agent with a wallet. Both use clients that we did not write."""

from dataclasses import replace
from importlib import import_module
from secrets import randbits
from typing import Any

import httpx
from eth_account import Account
from openai import AsyncOpenAI

from usufruct.accounts import KeyDomain, Keys, KeyTerms, NewKey, key_digest
from usufruct.app import Installation
from usufruct.chain import TokenFacts
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import Role, devnet_signer, signer_of
from usufruct.cli.demo.outcome import DEPOSIT, PAYER, SPENDING_LIMIT, DemoFailed
from usufruct.core import Address, SystemClock, address
from usufruct.gateway import Operator
from usufruct.payments.ledger import Account as LedgerAccount
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import ChannelRegistry, DepositAuthorization, Deposits, deposit_typed_data

_DAY = 86_400


class KeyHolder:
    """A person who made a key and put money behind it; asks with the stock `openai` client."""

    def __init__(self, installation: Installation, key: NewKey) -> None:
        self._installation = installation
        self.key = key

    @classmethod
    async def make(cls, installation: Installation) -> "KeyHolder":
        """Mint dollars, and make a key by the payer's signature; nothing is deposited yet."""
        payer = devnet_signer(PAYER, installation.chain_id)
        await mint(installation, payer.address, 10 * DEPOSIT)
        terms = KeyTerms(payer.address, SPENDING_LIMIT, SystemClock().now() + _DAY, label="demo")
        nonce = randbits(128)
        signature = payer.sign(key_digest(installation.get(KeyDomain), terms, nonce))
        return cls(installation, await installation.get(Keys).create(terms, nonce, signature))

    async def deposit(self, amount: int) -> None:
        """Put money behind the key, by signature: the payer needs no gas."""
        installation = self._installation
        head = await installation.client.header("latest")
        until = (head.timestamp if head else 0) + 3_600
        config = await installation.get(ChannelRegistry).config(self.key.key.channel)
        deposit = DepositAuthorization(installation.chain_id, config, amount, 0, until, randbits(128), b"")
        payer = devnet_signer(PAYER, installation.chain_id)
        document = deposit_typed_data(deposit, self.key.key.channel, installation.get(TokenFacts))
        await installation.get(Deposits).submit(replace(deposit, signature=await payer.sign_typed_data(document)))

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

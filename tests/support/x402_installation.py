"""An installation on a real devnet, served over HTTP, with wallets that hold test dollars, for x402's own clients."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import orjson
from eth_account import Account
from x402 import x402Client, x402ClientSync
from x402.mechanisms.evm.batch_settlement.client import BatchSettlementEvmScheme
from x402.mechanisms.evm.batch_settlement.client.config import BatchSettlementEvmSchemeOptions
from x402.mechanisms.evm.signers import EthAccountSigner, EthAccountSignerWithRPC

from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.gateway_server import served
from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.app import Installation, open_installation, set_up_devnet
from usufruct.assets import Caps, PricePeriod, plain_listing_id
from usufruct.chain import FEE_SINK, RpcUnavailable
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import (
    ChainConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    GovernanceConfig,
    KeysConfig,
    LedgerConfig,
    MarketsConfig,
    PlatformTokenConfig,
    RefundsConfig,
)
from usufruct.core import address
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Catalogue, CountingRule, Endpoint, Operator, ServedListing, Upstream
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import Refunds

NETWORK = "eip155:31337"
DOLLAR = 1_000_000
CARD = PriceCard(input_per_million=1_000_000, output_per_million=3_000_000, per_call=5, context_window=4_096, version=1)
CAPS = Caps(usual_output=100, largest_output=1_000)
PAYEE = DEVNET_ADDRESSES[5]


@dataclass
class X402Installation:
    """Everything a test needs to hand; `url` is the gateway's base URL for OpenAI's client.

    `installation` is the worker's, `gateway` the gateway's, which has no claim key.
    """

    installation: Installation
    gateway: Installation
    upstream: object
    anvil: Anvil
    url: str = ""
    wallets: int = 0

    @property
    def ledger(self):
        return self.installation.get(Ledger)

    @property
    def devnet(self) -> Devnet:
        return Devnet(self.installation.client)

    @property
    def dollar(self) -> TestDollar:
        return TestDollar(self.installation.get(Operator).token, self.installation.client)

    async def sell(
        self, name: str, mode: str = "ok", *, endpoint: Endpoint = Endpoint.CHAT, card=CARD, caps=CAPS, **more
    ) -> ServedListing:
        """Offer an asset answered by the misbehaving server; its payee is one that the till knows."""
        usual = {"pay_to": FEE_SINK, "id": plain_listing_id(name, FEE_SINK)}
        return await self.gateway.get(Catalogue).add(
            ServedListing(
                name=name,
                operation=endpoint,
                upstreams=tuple(Upstream(self.upstream.url(each), "m") for each in mode.split()),
                prices=(PricePeriod(card, 0),),
                counting=CountingRule(per_message=4, per_request=8),
                caps=caps,
                **usual | more,
            )
        )

    async def account(self, dollars: int = 1000):
        """Make a wallet that holds test dollars and nothing else: no gas."""
        account = Account.create()
        self.wallets += 1
        sender = self.installation.sender(signer_of(Role.OWNER, self.installation.config))
        await sender.execute(self.dollar.mint(address(account.address), dollars * DOLLAR), f"mint/{self.wallets}")
        return account

    async def balance(self, account) -> int:
        return await self.dollar.balance_of(address(account.address))

    def scheme(self, account, *, rpc: bool, **options) -> BatchSettlementEvmScheme:
        rpc_url = self.installation.config.chain.rpc_url
        signer = EthAccountSignerWithRPC(account, rpc_url) if rpc else EthAccountSigner(account)
        return BatchSettlementEvmScheme(signer, BatchSettlementEvmSchemeOptions(**options))

    def payer(self, scheme, kind=x402Client, *, most: int = DOLLAR):
        """Return x402's client, unmodified: it is told the devnet's dollar, as its users would tell it."""
        client = kind()
        client.register(NETWORK, scheme)
        token = self.installation.get(Operator).token
        client.set_spend_controls(
            {"allowed_assets": [{"network": NETWORK, "asset": token, "max_amount_per_payment": str(most)}]}
        )
        return client

    def payer_sync(self, scheme, **options):
        return self.payer(scheme, x402ClientSync, **options)

    async def channels(self):
        return await self.ledger.account_list()

    async def channel_of(self, account):
        """Return the one channel of a wallet."""
        found = [c for c in await self.channels() if c.owner == account.address.lower()]
        assert len(found) == 1
        return found[0]

    async def bills(self, account) -> list:
        return await self.ledger.metered((await self.channel_of(account)).reading.id)

    async def ask(self, http: httpx.AsyncClient, model: str = "chat", **more) -> httpx.Response:
        return await http.post(f"{self.url}/chat/completions", json=request(model, **more))

    async def check_books(self) -> None:
        """Nothing is lost or invented, in the books and between them and the chain."""
        assert await self.ledger.audit() == []
        for channel in await self.channels():
            calls = await self.ledger.metered(channel.reading.id, limit=10_000)
            assert sum(call.bill.charge for call in calls) == channel.charged
            assert channel.charged + channel.reserved <= channel.usable
            if channel.charged:
                assert channel.voucher.max_claimable >= channel.charged


def request(model: str = "chat", **more) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": "What is the question?"}], "max_tokens": 50} | more


def decoded(header: str) -> dict:
    return orjson.loads(base64.b64decode(header))


def without_claim_key(config: Config) -> Config:
    """Return the configuration of a machine that knows the claim key's address, and cannot open its file."""
    folder = config.data.folder / "gateway-keys"
    folder.mkdir()
    (folder / "claim.json").write_text("whoever opens this as a key fails")
    (folder / "claim.json").chmod(0o600)
    claims = replace(config.claims, address=signer_of(Role.CLAIM, config).address)
    return replace(config, keys=KeysConfig(folder), claims=claims)


async def send_refunds(installation: Installation) -> None:
    """Send what gateways were asked to give back, as a worker does."""
    while True:
        with suppress(RpcUnavailable):  # tests stop the node
            await installation.get(Refunds).serve()
        await asyncio.sleep(0.05)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def x402_installation(
    template: DevnetTemplate,
    folder: Path,
    *,
    lease_seconds: int = 30,
    port: int = 0,
    cooling_seconds: int = 0,
    hardfork: str | None = None,
    platform_token: PlatformTokenConfig | None = None,
    governance: GovernanceConfig | None = None,
    markets: MarketsConfig | None = None,
) -> AsyncIterator[X402Installation]:
    """Open everything: devnet, contracts, installation, a server behind it, HTTP in front of it unless at `port`."""
    async with AsyncExitStack() as stack:
        anvil = await stack.enter_async_context(template.running(folder, hardfork))
        config = Config(
            data=DataConfig(folder),
            database=DatabaseConfig(f"sqlite:///{folder / 'usufruct.db'}"),
            chain=ChainConfig(anvil.url, poll_milliseconds=20, node_seconds=60),
            ledger=LedgerConfig(lease_seconds=lease_seconds),
            gateway=GatewayConfig(port=port),
            refunds=RefundsConfig(cooling_seconds=cooling_seconds),
            platform_token=platform_token or PlatformTokenConfig(),
            governance=governance or GovernanceConfig(),
            markets=markets or MarketsConfig(),
        )
        if platform_token is not None:
            await set_up_devnet(config)
        installation = await stack.enter_async_context(open_installation(config))
        gateway = await stack.enter_async_context(open_installation(without_claim_key(config)))
        refunding = asyncio.create_task(send_refunds(installation))
        stack.push_async_callback(stop, refunding)
        upstream = await stack.enter_async_context(misbehaving_server())
        world = X402Installation(installation, gateway, upstream, anvil)
        if not port:  # otherwise a process of its own serves there
            _, world.url, _ = await stack.enter_async_context(served(gateway.router()))
        yield world
        await world.check_books()

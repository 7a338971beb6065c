"""One devnet for each module, everything deployed; each test starts from that state, with a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.support.devnet import Devnet, devnet_client
from tests.support.devnet_template import DevnetTemplate
from usufruct.assets import (
    AssetIndexer,
    Assets,
    Listing,
    Listings,
    NewAsset,
    Passes,
    PricePeriod,
    RegistryClient,
    ShareHolders,
)
from usufruct.assets.service import Registered
from usufruct.chain import Call, ChainAccess, Sender
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.config import Config, load_config
from usufruct.core import Address, Clock
from usufruct.core.price_cards import PriceCard
from usufruct.store import open_database


@pytest.fixture(scope="module")
def devnet_config(devnet_template: DevnetTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    folder = tmp_path_factory.mktemp("installation")
    with devnet_template.copy(folder) as anvil:
        own = {"USUFRUCT_DATA_FOLDER": str(folder), "USUFRUCT_CHAIN_NODE_SECONDS": "60"}
        yield load_config(own | {"USUFRUCT_CHAIN_RPC_URL": anvil.url})


class Town:
    """One registry with people around it, by the numbers of their devnet accounts."""

    OWNER, BUYER, ANN, BOB, METER = 4, 5, 6, 7, 8
    CARD = PriceCard(500_000, 2_000_000, 100, 8_192, 1, cached_input_bps=1_000)

    def __init__(self, chain: ChainAccess) -> None:
        client, deployments, database = chain.client, chain.deployments, chain.database
        self.chain, self.client, self.deployments, self.database = chain, client, deployments, database
        self.devnet = Devnet(client)
        self.registry = RegistryClient(chain)
        self.assets = Assets(self.registry)
        self.dollar = TestDollar(deployments.address(TestDollar), client)
        self.listings = Listings(database, Clock())
        self.indexer = AssetIndexer(chain, listings=self.listings)
        self.holders = ShareHolders(self.registry, self.indexer)
        self.passes = Passes(self.registry, self.indexer)

    def who(self, index: int) -> Address:
        return devnet_signer(index, self.deployments.chain_id).address

    def sender(self, index: int) -> Sender:
        signer = devnet_signer(index, self.deployments.chain_id)
        return Sender(self.client, signer, self.database, self.deployments.chain_id, poll_seconds=0.02)

    def terms(self, name: str = "my-model", **changes: Any) -> NewAsset:
        terms = {"symbol": "MINE", "currency": self.dollar.address, "card": self.CARD, "meter": self.who(self.METER)}
        return NewAsset(name, **terms | changes)

    async def act(self, sender: Address, call: Call) -> None:
        """Send a call as anybody, past our outbox, and wait until it is mined."""
        sent = await self.devnet.send_as(sender, call)
        for _ in range(6_000):
            if receipt := await self.client.receipt(sent):
                assert receipt.succeeded
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{sent} is not mined")

    async def sell(self, made: Registered, **changes: Any) -> Listing:
        """Sell a registered asset here."""
        prices = (PricePeriod(self.CARD, 0),)
        fields = {"name": "my-model", "operation": "chat", "pay_to": made.shares, "id": made.id, "prices": prices}
        return await self.listings.add(Listing(**fields | {"registered": True} | changes))

    async def fund(self, index: int, amount: int) -> None:
        await self.act(self.who(0), self.dollar.mint(self.who(index), amount))

    async def earn(self, shares: Address, amount: int) -> None:
        await self.act(self.who(0), self.dollar.mint(shares, amount))


@pytest.fixture
def two_files(databases: Any) -> tuple[str, str]:
    """The URLs of two migrated databases: this installation's, and another one's."""
    return databases.migrated("sqlite"), databases.migrated("sqlite")


@pytest.fixture
async def town(devnet_config: Config, two_files: tuple[str, str]) -> AsyncIterator[Town]:
    deployments = Deployments.read(devnet_config.data.folder, 31337)
    database = open_database(two_files[0])
    async with devnet_client(devnet_config.chain.rpc_url) as client:
        before = await Devnet(client).snapshot()
        yield Town(ChainAccess(devnet_config, database, client, deployments))
        await Devnet(client).revert(before)
    await database.close()

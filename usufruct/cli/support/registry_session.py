"""What the commands about assets, shares and passes have in common: the way to the registry, and words for values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from typer import Argument, Option

from usufruct.assets import AssetIndexer, Assets, Passes, RegistryClient, RevenueToken, ShareHolders, price_facts
from usufruct.chain import ChainAccess, Sender, open_chain
from usufruct.cli.support.command import ADDRESS
from usufruct.cli.support.wallet_option import open_wallet
from usufruct.config import Config
from usufruct.core import Address
from usufruct.core.price_cards import PriceCard

AssetArgument = Annotated[str, Argument(metavar="ASSET", help="The asset's id (0x... or decimal), or its name here.")]

Holder = Annotated[str, Option(help="Whose: an address, a wallet's name, or a devnet account (0 to 9).")]

Receiver = Annotated[Address | None, Option("--to", **ADDRESS, help="Address that receives it instead of the wallet.")]


@dataclass(frozen=True)
class RegistrySession:
    """A registry, opened, with what people do there."""

    chain: ChainAccess
    registry: RegistryClient
    indexer: AssetIndexer
    assets: Assets
    holders: ShareHolders
    passes: Passes

    def sender(self, wallet: str) -> Sender:
        """Open the wallet's key, and return what sends its calls."""
        return self.chain.sender(open_wallet(wallet, self.chain.config))


@asynccontextmanager
async def open_registry(config: Config) -> AsyncIterator[RegistrySession]:
    """Open the chain and its registry."""
    async with open_chain(config) as chain:
        registry, indexer = RegistryClient(chain), AssetIndexer(chain)
        yield RegistrySession(
            chain, registry, indexer, Assets(registry), ShareHolders(registry, indexer), Passes(registry, indexer)
        )


def card_facts(card: PriceCard, currency: RevenueToken) -> dict[str, object]:
    """Return a price card in whole units of its currency."""
    return {"version": card.version, **price_facts(card, currency.show), "currency": currency.symbol}

"""What the commands about assets, shares and passes have in common: the way to the registry, and words for values."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from usufruct.assets import AssetIndexer, Assets, Passes, RegistryClient, RevenueToken, ShareHolders
from usufruct.chain import ChainAccess, open_chain
from usufruct.config import Config
from usufruct.core import Invalid, format_units
from usufruct.core.price_cards import PriceCard, PriceUnit

AssetArgument = Annotated[
    str, typer.Argument(metavar="ASSET", help="The asset's id (0x... or decimal), or the name it was registered under.")
]

Holder = Annotated[
    str,
    typer.Option(
        help="Whose: an address, the name of a wallet, or, on a devnet, the number of a rich account (0 to 9)."
    ),
]


CachedInput = Annotated[
    str | None,
    typer.Option(
        "--cached-input",
        help="What input costs that the server had in its cache, in per cent of the input price; 100 at first.",
    ),
]

PricedIn = Annotated[
    PriceUnit | None, typer.Option("--unit", help="What input and output are counted in; text_token at first.")
]


@dataclass(frozen=True)
class RegistrySession:
    """A registry, opened, with what people do there."""

    chain: ChainAccess
    registry: RegistryClient
    indexer: AssetIndexer
    assets: Assets
    holders: ShareHolders
    passes: Passes


@asynccontextmanager
async def open_registry(config: Config) -> AsyncIterator[RegistrySession]:
    """Open the chain and its registry."""
    async with open_chain(config) as chain:
        registry, indexer = RegistryClient(chain), AssetIndexer(chain)
        yield RegistrySession(
            chain, registry, indexer, Assets(registry), ShareHolders(registry, indexer), Passes(registry, indexer)
        )


def part(text: str, field: str) -> tuple[str, str]:
    """Split WHO:PERCENT."""
    who, _, percent = text.rpartition(":")
    if not who or not percent:
        raise Invalid(f"{field} must be WHO:PERCENT, such as 0x...:12.5, not {text!r}", code="invalid_part")
    return who, percent


def percent(bps: int) -> str:
    """Write hundredths of a per cent as per cent."""
    return format_units(bps, 2)


def card_facts(card: PriceCard, currency: RevenueToken) -> Mapping[str, object]:
    """Return a price card in whole units of its currency."""
    return {
        "version": card.version,
        "input_per_million": currency.show(card.input_per_million),
        "output_per_million": currency.show(card.output_per_million),
        "per_call": currency.show(card.per_call),
        "cached_input_percent": percent(card.cached_input_bps),
        "unit": card.unit.value,
        "context_window": card.context_window,
        "currency": currency.symbol,
    }

"""The registry as the package's services ask it: which asset is meant, who may manage it, what tokens there are."""

import asyncio
from collections.abc import Awaitable
from secrets import token_hex

from usufruct.assets.errors import InvalidAsset, UnknownAsset
from usufruct.assets.model import Income, RevenueToken, number_in
from usufruct.assets.price_cards import from_registry
from usufruct.assets.store import asset_named
from usufruct.chain import Call, ChainAccess, Receipt, Sender, UnreadableAnswer
from usufruct.chain.contracts import asset_registry
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import Creation, Setup
from usufruct.core import Address, AssetId, Denied, asset_id, format_asset
from usufruct.core.price_cards import PriceCard

_MOST_BOOKED = (1 << 112) - 1
"""Shares count no more than this, atomic units of a token."""

UNREADABLE = "\ufffd"
_LONGEST_TEXT = 200


class RegistryClient:
    """Reads one registry on one chain. Questions about an asset raise `UnknownAsset` where it does not exist."""

    def __init__(self, chain: ChainAccess) -> None:
        """Ask a chain's node, and its database for the names that were given here."""
        self.client = chain.client
        self.database = chain.database
        self.chain_id = chain.chain_id
        self.contract = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
        self.passes = AccessPass(chain.deployments.address(AccessPass), chain.client)
        self._tokens: dict[Address, RevenueToken] = {}

    async def find(self, text: str) -> AssetId:
        """Return the asset that an id (decimal or 0x-hexadecimal) or a name given by this installation stands for.

        Whether the registry knows an id is not asked here, but by what is done with it.

        Raises:
            UnknownAsset: when no asset was given the name here.
            Invalid: for a number that is not an id.
        """
        if number_in(text) is not None:
            return asset_id(text)
        async with self.database.snapshot() as unit:
            found = await asset_named(unit, self.contract.address, text)
        if found is None:
            raise UnknownAsset(
                f"there is no asset {text!r}: give an id, or a name that was registered with this installation; "
                "`usufruct asset list` shows them",
                asset=text,
            )
        return found

    async def on_chain(self, asset: AssetId, block: int | None = None) -> asset_registry.Asset | None:
        """Return what the registry knows of an asset, now or as of a block; None when it knows none."""
        contract = self.contract if block is None else self.contract.at_block(block)
        try:
            return await contract.asset(asset)
        except asset_registry.UnknownAsset:
            return None

    async def asset(self, asset: AssetId, block: int | None = None) -> asset_registry.Asset:
        """Return what the registry knows of an asset, now or as of a block."""
        if (found := await self.on_chain(asset, block)) is None:
            raise UnknownAsset(f"there is no asset {format_asset(asset)}; `usufruct asset list` shows those there are")
        return found

    async def price_card(self, asset: AssetId) -> PriceCard:
        """Return the price card that is in force; its context window is 0 where there is none."""
        return from_registry(await self.contract.price_card(asset))

    async def shares(self, asset: AssetId) -> Shares:
        """Return an asset's shares."""
        return Shares((await self.asset(asset)).shares, self.client)

    async def managed(self, account: Address, asset: AssetId) -> asset_registry.Asset:
        """Return what the registry knows of an asset, if `account` may act for its title holder.

        Raises:
            Denied: names who may.
        """
        known = await self.asset(asset)
        if not await self.contract.may_manage(account, asset):
            holder = await self.contract.owner_of(asset)
            raise Denied(
                f"{account} may not do this: {holder} holds the title of {format_asset(asset)}; sign with their wallet",
                account=account,
                holder=holder,
                code="not_title_holder",
            )
        return known

    async def tokens(self) -> list[RevenueToken]:
        """Return the tokens that revenue may be in."""
        return [await self.token(address) for address in await self.contract.revenue_tokens()]

    async def token(self, address: Address) -> RevenueToken:
        """Return what a token calls itself and how many decimals it has."""
        if address not in self._tokens:
            contract = Erc20(address, self.client)
            self._tokens[address] = RevenueToken(address, await read_text(contract.symbol()), await contract.decimals())
        return self._tokens[address]

    async def find_token(self, text: str, field: str = "currency") -> RevenueToken:
        """Return the revenue token of this symbol or address; for no text the only one beside wrapped native coin.

        Raises:
            InvalidAsset: when there is none, or more than one; names those there are.
        """
        tokens = await self.tokens()
        if text:
            fitting = [token for token in tokens if text.lower() in (token.symbol.lower(), token.address)]
        else:
            implementation = Shares(await self.contract.shares_implementation(), self.client)
            native = await implementation.wrapped_native()
            fitting = [token for token in tokens if token.address != native]
        if len(fitting) != 1:
            known = ", ".join(f"{token.symbol} ({token.address})" for token in tokens)
            raise InvalidAsset(f"{field} must be one of {known}, not {text!r}", field=field, value=text)
        return fitting[0]

    async def income(self, shares: Shares, block: int) -> list[Income]:
        """Return what came in for `shares`, as of `block`, in every revenue token, and what of it is not accrued."""
        found = []
        for token in await self.tokens():
            contract = Erc20(token.address, self.client, block=block)
            revenue, balance = await asyncio.gather(shares.revenue(token.address), contract.balance_of(shares.address))
            received = min(balance + revenue.paid_out, _MOST_BOOKED)
            found.append(Income(token, revenue.gross, max(0, received - revenue.gross)))
        return found

    async def now(self) -> int:
        """Return the chain's time, seconds since 1970."""
        return (await self.client.head()).timestamp


async def execute_once(sender: Sender, call: Call, intent: str) -> Receipt:
    """Send a call, and wait until it is final; `intent` names it in the outbox.

    The very same call that an earlier try left unfinished is waited for, and not sent a second time.
    """
    unfinished = await sender.unfinished(call)
    return await sender.execute(call, unfinished.key if unfinished else f"{intent}/{token_hex(16)}")


# Anyone may register an asset, under any bytes as its name: control characters, a megabyte, no UTF-8 at all. None of it
# may stop those who read the register, or reach a terminal as it is.


def readable(text: str) -> str:
    """Return the beginning of a text, with every unprintable character replaced."""
    return "".join(character if character.isprintable() else UNREADABLE for character in text[:_LONGEST_TEXT])


async def read_text(question: Awaitable[str]) -> str:
    """Return a contract's answer, readable; one that is not UTF-8 is a single replacement character."""
    try:
        return readable(await question)
    except UnreadableAnswer:
        return UNREADABLE


def registry_creation(setup: Setup) -> Creation:
    """Return how the registry is made; contracts that name it are made with the address that follows."""
    return AssetRegistry.deploy(
        setup.owner, setup.guardian, setup.fee_sink, setup.fee_bps, setup.wrapped_native, setup.contract_uri
    )

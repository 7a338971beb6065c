"""A registered service on sale, and wallets that hold and trade its shares, its title and credits of its plans."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from eth_account.messages import encode_typed_data

from tests.support import x402_installation
from tests.support.waiting import until
from usufruct.assets import Assets, NewAsset, RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shared import Parent
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer
from usufruct.core import Address, AssetId, address, format_asset
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Catalogue, CountingRule, Operator, ServedListing, Upstream, registered_listing

SHARE = 10**6
NAME = "shared"
DAY = 86_400
METER = DEVNET_ADDRESSES[1]
ROYALTY_BPS = 400
_REGISTRANT = 4
_CARD = PriceCard(500_000, 1_500_000, 0, 8_192, 1)


def signed(account: Any, document: dict[str, Any]) -> str:
    """Sign a document as a wallet does."""
    signature = account.sign_message(encode_typed_data(full_message=document)).signature.hex()
    return "0x" + signature.removeprefix("0x")


def fill(request: dict[str, Any], account: Any) -> dict[str, Any]:
    """Put a wallet's signature where a request has room for it; return its body."""
    at = request["body"]
    for name in request["place"][:-1]:
        at = at[name]
    at[request["place"][-1]] = signed(account, request["document"])
    return request["body"]


def code(answer: httpx.Response) -> str:
    """The code of a refusal."""
    return str(answer.json()["error"]["code"])


def call_of(transaction: Mapping[str, Any]) -> Call:
    """The call of a transaction that a wallet sends itself."""
    return Call(transaction["to"], bytes.fromhex(transaction["data"][2:]))


def plan_text(plan: int) -> str:
    """A plan's id as it travels."""
    return f"0x{plan:064x}"


@dataclass
class Trader:
    """A wallet's owner who is signed in."""

    http: httpx.AsyncClient
    account: Any
    asset: str
    act: Callable[[Address, Call], Awaitable[None]]

    @property
    def address(self) -> Address:
        return address(self.account.address)

    async def ask_to_offer(self, amount: int, price: int, days: int = 7, plan: int | None = None) -> httpx.Response:
        """Ask for what is signed to offer shares, or credits of a plan."""
        wish = {"amount": str(amount), "price": str(price)} | ({"plan": plan_text(plan)} if plan else {})
        return await self._ask_to_sell(wish, days)

    async def ask_to_offer_title(
        self, price: int, more: Sequence[Mapping[str, str]] = (), days: int = 7
    ) -> httpx.Response:
        """Ask for what is signed to offer the title, and more with it."""
        return await self._ask_to_sell({"amount": "1", "price": str(price), "title": True, "more": list(more)}, days)

    async def _ask_to_sell(self, wish: Mapping[str, Any], days: int) -> httpx.Response:
        return await self.http.post("/offers/requests", json={"asset": self.asset, "days": days, **wish})

    async def offer(
        self,
        amount: int,
        price: int,
        days: int = 7,
        changes: Mapping[str, Any] | None = None,
        plan: int | None = None,
    ) -> httpx.Response:
        """Offer shares, or credits of a plan; `changes` are made to what was signed, after it was signed."""
        return await self._publish(await self.ask_to_offer(amount, price, days, plan), changes)

    async def offer_title(
        self,
        price: int,
        more: Sequence[Mapping[str, str]] = (),
        changes: Mapping[str, Any] | None = None,
        days: int = 7,
    ) -> httpx.Response:
        """Offer the title, and more with it; `changes` are made to what was signed, after it was signed."""
        return await self._publish(await self.ask_to_offer_title(price, more, days), changes)

    async def _publish(self, asked: httpx.Response, changes: Mapping[str, Any] | None) -> httpx.Response:
        if asked.status_code != 200:
            return asked
        found = asked.json()
        body = fill(found["offer"], self.account)
        if found["permit"]:
            body["permit"] = fill(found["permit"], self.account)
        else:
            for each in found["approvals"]:
                await self.act(self.address, call_of(each))
        return await self.http.post("/offers", json=body | dict(changes or {}))

    async def ask(self, offer: str, amount: int, most: int = 10**30, bought: int = 0) -> httpx.Response:
        """Ask for what is signed to buy."""
        wish = {"offer": offer, "amount": str(amount), "maxPrice": str(most), "bought": str(bought)}
        return await self.http.post("/purchases/requests", json=wish)

    async def buy(self, offer: str, amount: int, most: int = 10**30, bought: int = 0) -> httpx.Response:
        """Buy a part of an offer; 0: all that is sold with a title."""
        asked = await self.ask(offer, amount, most, bought)
        if asked.status_code != 200:
            return asked
        body = fill(asked.json()["request"], self.account)
        return await self.http.post("/purchases", json=body)

    async def offer_facts(self, offer: str) -> dict[str, Any]:
        """An offer as it stands now."""
        return (await self.http.get(f"/offers/{offer}")).json()


@dataclass
class TradeTown:
    """A service with revenue shares and a meter for prepaid credits, and everything around it."""

    world: x402_installation.X402Installation
    asset: AssetId
    shares: Shares
    passes: AccessPass
    titles: AssetRegistry
    exchange: Exchange
    enter: Any
    _opened: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def asset_text(self) -> str:
        return format_asset(self.asset)

    async def trader(self, shares: int = 0, dollars: int = 1_000) -> Trader:
        """A signed-in wallet that holds shares and dollars, and no coins."""
        account = await self.world.account(dollars)
        http = httpx.AsyncClient(base_url=self.world.url, timeout=60)
        self._opened.append(http)
        await self.enter(http, account)
        if shares:
            await self.give(address(account.address), shares)
        return Trader(http, account, self.asset_text, self.act)

    async def give(self, to: Address, shares: int) -> None:
        """Transfer shares of the registrant's."""
        await self.act(DEVNET_ADDRESSES[_REGISTRANT], self.shares.transfer(to, shares))

    async def give_title(self, to: Address) -> None:
        """Transfer the registrant's title."""
        holder = DEVNET_ADDRESSES[_REGISTRANT]
        await self.act(holder, self.titles.transfer_from(holder, to, self.asset))

    async def plan(self, price: int, credits_: int, days: int = 0) -> int:
        """Put a plan on sale; it expires after so many days, 0: never."""
        head = await self.world.installation.client.head()
        terms = (self.asset, self.world.dollar.address, head.timestamp + days * DAY if days else 0, price, credits_)
        await self.act(DEVNET_ADDRESSES[_REGISTRANT], self.passes.create_plan(*terms))
        return await self.passes.plan_id_of(*terms)

    async def give_credits(self, to: Address, plan: int, packages: int = 1) -> None:
        """Buy packages of a plan for an account."""
        payer, price = DEVNET_ADDRESSES[0], (await self.passes.plan(plan)).price * packages
        await self.act(payer, self.world.dollar.mint(payer, price))
        await self.act(payer, self.world.dollar.approve(self.passes.address, price))
        await self.act(payer, self.passes.buy(plan, packages, to))

    async def activate(self, holder: Address, plan: int, amount: int) -> None:
        """Activate an account's credits for the service's meter."""
        await self.act(holder, self.passes.activate(plan, amount, METER))

    async def act(self, sender: Address, call: Call) -> None:
        """Send a call from an address, which gets coins for it."""
        client = self.world.installation.client
        await self.world.devnet.set_balance(sender, 10**18)
        sent = await self.world.devnet.send_as(sender, call)

        async def mined() -> bool:
            return await client.receipt(sent) is not None

        await until(mined)
        receipt = await client.receipt(sent)
        assert receipt is not None
        assert receipt.succeeded

    async def earn(self, amount: int) -> None:
        """Have dollars reach the shares by a plain transfer, which books nothing."""
        await self.act(DEVNET_ADDRESSES[0], self.world.dollar.mint(self.shares.address, amount))

    async def close(self) -> None:
        for each in self._opened:
            await each.aclose()


@asynccontextmanager
async def trade_town(
    world: x402_installation.X402Installation, enter: Any, name: str = NAME, parents: Sequence[Parent] = ()
) -> AsyncIterator[TradeTown]:
    """Register a service and put it on sale; `enter` signs a wallet in."""
    installation = world.installation
    registry, operator = installation.get(RegistryClient), installation.get(Operator)
    sender = installation.sender(devnet_signer(_REGISTRANT, installation.chain_id))
    terms = NewAsset(
        name,
        "SHARED",
        currency=operator.token,
        card=_CARD,
        resale_royalty_bps=ROYALTY_BPS,
        meter=METER,
        parents=tuple(parents),
    )
    made = await Assets(registry).register(sender, terms, ())
    listing = await registered_listing(registry, operator, name, "chat", made.id, _CARD.context_window)
    upstream = Upstream(world.upstream.url("ok"), "m")
    served = ServedListing.of(listing, (upstream,), CountingRule(per_message=4, per_request=8))
    await world.gateway.get(Catalogue).add(served)
    exchange = Exchange(installation.get(Deployments).address(Exchange), installation.client)
    passes = AccessPass(installation.get(Deployments).address(AccessPass), installation.client)
    shares = Shares(made.shares, installation.client)
    opened = TradeTown(world, made.id, shares, passes, registry.contract, exchange, enter)
    yield opened
    await opened.close()

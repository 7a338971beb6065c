"""Prepaid use: a title holder's plans, and what buyers do with the credits."""

import asyncio
from collections.abc import Iterator, Sequence

from usufruct.assets.errors import UnknownPlan, demand
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.model import Credits, PassPlan, RevenueToken, number_in
from usufruct.assets.price_cards import about_calls
from usufruct.assets.registry_client import RegistryClient, execute_once
from usufruct.assets.store import meters_of, plans_of
from usufruct.chain import Call, Sender
from usufruct.chain.contracts import access_pass
from usufruct.chain.contracts.access_pass import Bought, Refunded
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.core import (
    UINT128_MAX,
    ZERO_ADDRESS,
    Address,
    AssetId,
    Conflict,
    Hash32,
    PaymentRequired,
    format_asset,
    moment,
)

_PLANS_FROM = 1 << 128
"""A plan's id is its asset's id in the upper half of 256 bits."""

_MIN_PLAN_SECONDS = 30 * 86_400
"""Credits live for so long at least, and for the asset's notice period on top."""

_LAST_SECOND = (1 << 40) - 1


class Passes:
    """The passes of one registry's assets. Methods raise `UnknownAsset` where the asset does not exist."""

    def __init__(self, registry: RegistryClient, indexer: AssetIndexer) -> None:
        """Keep to one registry, of which `indexer` knows the plans."""
        self._registry = registry
        self._indexer = indexer
        self._contract = registry.passes

    async def find(self, text: str) -> PassPlan:
        """Return the plan that its id stands for, or an asset that has exactly one on sale.

        Raises:
            UnknownPlan: when there is none, or several; names them.
        """
        number = number_in(text)
        if number is not None and number >= _PLANS_FROM:
            return await self.show(number)
        asset = await self._registry.find(text)
        on_sale = [plan for plan in await self.plans(asset) if plan.open]
        if len(on_sale) != 1:
            which = ", ".join(hex(plan.id) for plan in on_sale) or "none"
            raise UnknownPlan(
                f"{text} has not one plan on sale but {len(on_sale)}: {which}; give a plan's id", plan=text
            )
        return on_sale[0]

    async def show(self, plan: int) -> PassPlan:
        """Return a plan as it stands now.

        Raises:
            UnknownPlan: when there is none of this id.
        """
        if (found := await self._on_chain(plan)) is None:
            raise UnknownPlan(f"there is no plan {plan:#x}; `usufruct pass plan ASSET` lists them")
        asset = AssetId(plan >> 128)
        known, retired, now, token = await asyncio.gather(
            self._registry.asset(asset),
            self._registry.contract.is_retired(asset),
            self._registry.now(),
            self._registry.token(found.token),
        )
        return PassPlan(
            id=plan,
            asset=asset,
            currency=await self._registry.token(known.currency),
            token=token,
            price=found.price,
            credits=found.credits,
            expiry=found.expiry,
            open=found.selling and not 0 < found.expiry <= now and not retired,
        )

    async def plans(self, asset: AssetId | None = None) -> list[PassPlan]:
        """Return an asset's plans, or all, in the order they were made."""
        if asset is not None:
            await self._registry.asset(asset)
        await self._indexer.poll()
        async with self._registry.database.snapshot() as unit:
            ids = await plans_of(unit, self._registry.contract.address, asset)
        return list(await asyncio.gather(*(self.show(plan) for plan in ids)))

    async def plan(
        self, sender: Sender, asset: AssetId, token: RevenueToken, price: int, amount: int, expiry: int = 0
    ) -> tuple[PassPlan, Hash32]:
        """Offer packages of `amount` credits for `price` atomic units of `token`; return the plan and the transaction.

        Raises:
            InvalidAsset: for what no plan can sell.
            Conflict: when the asset has this very plan.
            Denied: when the sender may not.
        """
        notice_period = (await self._registry.managed(sender.address, asset)).notice_period
        check_plan(price, amount, expiry, await self._registry.now(), notice_period)
        terms = (asset, token.address, expiry, price, amount)
        plan = await self._contract.plan_id_of(*terms)
        if await self._on_chain(plan) is not None:
            raise Conflict(
                f"{format_asset(asset)} has this plan already: {plan:#x}; its sale can go on",
                plan=hex(plan),
                code="plan_exists",
            )
        receipt = await execute_once(sender, self._contract.create_plan(*terms), f"pass/plan/{asset:#x}")
        return await self.show(plan), receipt.hash

    async def buy(
        self, sender: Sender, plan: PassPlan, packages: int = 1, to: Address | None = None
    ) -> tuple[Bought, Hash32, Hash32 | None]:
        """Buy packages, for the sender or for `to`; return what was bought, and the transaction.

        Approves exactly the price where the allowance is too small, by the transaction that is returned last.

        Raises:
            Conflict: when it is not on sale.
            PaymentRequired: when the sender has less than the price.
        """
        demand(packages > 0, "packages", packages, "above 0")
        if not plan.open:
            raise Conflict(
                f"{plan.id:#x} is not on sale: stopped, expired, or its asset is retired", code="plan_closed"
            )
        paid = plan.price * packages
        token = Erc20(plan.token.address, self._registry.client)
        held = await token.balance_of(sender.address)
        if held < paid:
            raise PaymentRequired(
                f"{sender.address} has {plan.token.show(held)} {plan.token.symbol}, and the price is "
                f"{plan.token.show(paid)}; buy less or fill the wallet",
                held=held,
                price=paid,
                code="not_enough_money",
            )
        approval = None
        if await token.allowance(sender.address, self._contract.address) < paid:
            approve = token.approve(self._contract.address, paid)
            approval = (await execute_once(sender, approve, f"pass/approve/{plan.id:#x}")).hash
        buy = self._contract.buy(plan.id, packages, to or sender.address)
        receipt = await execute_once(sender, buy, f"pass/buy/{plan.id:#x}")
        (bought,) = Bought.among(receipt.logs, self._contract.address)
        return bought, receipt.hash, approval

    async def activate(self, sender: Sender, plan: PassPlan, amount: int) -> tuple[Address, Hash32]:
        """Hand `amount` credits to the asset's meter, which alone can burn them; return the meter and the transaction.

        Raises:
            Conflict: as `activation`.
        """
        meter, call = await self.activation(sender.address, plan, amount)
        return meter, (await execute_once(sender, call, f"pass/activate/{plan.id:#x}")).hash

    async def activation(self, holder: Address, plan: PassPlan, amount: int) -> tuple[Address, Call]:
        """Return the asset's meter, and the call by which a holder hands `amount` credits to it.

        Raises:
            Conflict: when the holder has fewer that circulate.
            Conflict: when the asset has no meter.
        """
        demand(amount > 0, "credits", amount, "above 0")
        held = await self._contract.balance_of(holder, plan.id)
        if held < amount:
            raise Conflict(
                f"{holder} holds credits for {plan.currency.show(held)} {plan.currency.symbol} that circulate, "
                f"not {plan.currency.show(amount)}; buy more",
                field="credits",
                value=amount,
                held=held,
                code="not_enough_credits",
            )
        meter = await self.meter(plan)
        return meter, self._contract.activate(plan.id, amount, meter)

    async def check_not_paused(self) -> None:
        """Refuse what the guardian pauses: purchases of packages, and activations.

        Raises:
            Conflict: says until when.
        """
        until = (await self._registry.contract.pause_state()).until
        if await self._registry.now() < until:
            message = f"purchases and activations of credits are paused until {moment(until)}; try again then"
            raise Conflict(message, code="is_paused", until=until)

    async def meter(self, plan: PassPlan) -> Address:
        """Return who burns credits of a plan that are activated now.

        Raises:
            Conflict: when no meter does.
        """
        meter = (await self._registry.contract.meter_of(plan.asset)).meter
        if meter == ZERO_ADDRESS:
            raise Conflict(
                f"nobody measures prepaid use of {format_asset(plan.asset)}: ask its title holder to name a meter",
                code="no_meter",
            )
        return meter

    async def refund(self, sender: Sender, plan: PassPlan, to: Address | None = None) -> list[tuple[Refunded, Hash32]]:
        """Give back all of the sender's unused credits of a plan, circulating and activated, for their price.

        Return what was given back by which transaction.

        Raises:
            Conflict: when there are none, or not yet; says from when on.
        """
        given = []
        for _, call in await self.refunds_due(sender.address, plan, to):
            receipt = await execute_once(sender, call, f"pass/refund/{plan.id:#x}")
            (refunded,) = Refunded.among(receipt.logs, self._contract.address)
            given.append((refunded, receipt.hash))
        return given

    async def refunds_due(self, holder: Address, plan: PassPlan, to: Address | None = None) -> list[tuple[int, Call]]:
        """Return what a holder can give back of a plan now: credits, and the call that does it, for `to` or themselves.

        Raises:
            Conflict: when there are none, or not yet; says from when on.
        """
        await self._indexer.poll()
        held = await self.credits_of(holder, [plan])
        refunds = list(self._refunds(plan, held, to or holder))
        now = await self._registry.now()
        if not (due := [(amount, call) for opens_at, amount, call in refunds if opens_at <= now]):
            when = min((opens_at for opens_at, _, _ in refunds), default=0)
            waits = f"unused ones can be given back from {moment(when)} on" if refunds else "buy some first"
            raise Conflict(
                f"{holder} has no credits of {plan.id:#x} that can be given back now: {waits}",
                plan=hex(plan.id),
                code="nothing_to_give_back",
            )
        return due

    def _refunds(self, plan: PassPlan, held: Sequence[Credits], to: Address) -> Iterator[tuple[int, int, Call]]:
        """Yield the calls that give `held` back: from when on the contract takes each, how many credits, the call."""
        for each in held:
            if each.circulating:
                call = self._contract.refund(plan.id, each.circulating, to)
                yield each.circulating_refundable_at, each.circulating, call
            if each.activated:
                call = self._contract.refund_activated(plan.id, each.meter, each.activated, to)
                yield each.activated_refundable_at, each.activated, call

    async def balance(self, holder: Address, asset: AssetId | None = None) -> list[Credits]:
        """Return a holder's credits by plan and meter, of one asset or of all."""
        return await self.credits_of(holder, await self.plans(asset))

    async def credits_of(self, holder: Address, plans: Sequence[PassPlan]) -> list[Credits]:
        """Return a holder's credits of some plans, by plan and meter."""
        held = await asyncio.gather(*(self._balance(plan, holder) for plan in plans))
        return [each for credits_ in held for each in credits_ if each.circulating or each.activated]

    async def _balance(self, plan: PassPlan, holder: Address) -> list[Credits]:
        current = (await self._registry.contract.meter_of(plan.asset)).meter
        async with self._registry.database.snapshot() as unit:
            earlier = await meters_of(unit, plan.id, holder)
        meters = dict.fromkeys([current, *earlier])
        return list(await asyncio.gather(*(self._credits(plan, holder, each, current) for each in meters)))

    async def _credits(self, plan: PassPlan, holder: Address, meter: Address, current: Address) -> Credits:
        held, activated, refundable_at, activated_refundable_at, card = await asyncio.gather(
            self._contract.balance_of(holder, plan.id),
            self._contract.activated(plan.id, holder, meter),
            self._contract.circulating_refundable_at(plan.id),
            self._contract.refundable_at(plan.id, meter),
            self._registry.price_card(plan.asset),
        )
        circulating = held if meter == current else 0
        return Credits(
            plan=plan,
            meter=meter,
            circulating=circulating,
            activated=activated,
            circulating_refundable_at=refundable_at,
            activated_refundable_at=activated_refundable_at,
            calls=about_calls(circulating + activated, card),
        )

    async def _on_chain(self, plan: int) -> access_pass.Plan | None:
        try:
            return await self._contract.plan(plan)
        except access_pass.UnknownPlan:
            return None


def check_plan(price: int, amount: int, expiry: int, now: int, notice_period: int) -> None:
    """Refuse what no plan can sell; `amount` is a package's credits.

    Credits live for `_MIN_PLAN_SECONDS` and the asset's `notice_period` at least, so that refunds can open before.
    """
    demand(1 <= price <= UINT128_MAX, "price", price, "from 1 to 2**128 - 1 atomic units")
    demand(1 <= amount <= UINT128_MAX, "credits", amount, "from 1 to 2**128 - 1 atomic units")
    earliest = now + _MIN_PLAN_SECONDS + notice_period
    rule = f"0 for never, or {earliest} ({moment(earliest)}) or later"
    demand(expiry == 0 or earliest <= expiry <= _LAST_SECOND, "expiry", expiry, rule)

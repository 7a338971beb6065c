"""What title holders, shareholders and buyers do, on a real devnet."""

from dataclasses import replace

import pytest

from tests.support.refusal import refused
from usufruct.assets import CardChange, Holding
from usufruct.assets.errors import (
    AlreadyRegistered,
    InvalidAsset,
    UnknownAsset,
    UnknownPlan,
)
from usufruct.assets.model import SUPPLY
from usufruct.chain import Call, Revert
from usufruct.chain.contracts.asset_registry import Kind, Parent
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId
from usufruct.store import open_database

pytestmark = pytest.mark.anvil

DOLLAR = 1_000_000
DAY = 86_400


async def test_an_asset_is_registered_shared_out_and_shown(town):
    ann, owner = town.who(town.ANN), town.who(town.OWNER)
    terms = town.terms(kind=Kind.AGENT, endpoint="https://a.example/v1", uri="ipfs://card", resale_royalty_bps=250)
    owners = [Holding(ann, SUPPLY // 5), Holding(owner, SUPPLY // 2)]
    made = await town.assets.register(town.sender(town.OWNER), terms, owners)

    shown = await town.assets.show(made.id)
    assert (shown.id, shown.known.shares, shown.holder) == (made.id, made.shares, owner)
    assert (shown.name, shown.symbol, shown.known.kind, shown.card) == ("my-model", "MINE", Kind.AGENT, town.CARD)
    assert (shown.endpoint, shown.uri, shown.known.resale_royalty_bps) == ("https://a.example/v1", "ipfs://card", 250)
    assert (shown.currency.symbol, shown.currency.decimals) == ("tUSD", 6)
    assert (shown.pending_card, shown.known.retires_at, shown.retired, shown.parents) == (None, 0, False, ())
    assert (await town.client.receipt(made.transaction)).succeeded
    assert await town.holders.holders(made.id) == [Holding(owner, SUPPLY * 4 // 5), Holding(ann, SUPPLY // 5)]
    assert await town.registry.find("my-model") == await town.registry.find(hex(made.id)) == made.id
    assert await town.registry.find(str(int(made.id))) == made.id


async def test_a_name_is_registered_once(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    for again in (town.terms(), town.terms(symbol="OTHER"), town.terms(salt=bytes(32))):
        with pytest.raises(AlreadyRegistered, match=f"{made.id:#x}"):
            await town.assets.register(sender, again)
    with pytest.raises(AlreadyRegistered, match=f"{made.id:#x}"):
        await town.assets.register(town.sender(town.ANN), town.terms())
    second = await town.assets.register(sender, town.terms("second"))
    assert second.id != made.id


async def test_a_salt_taken_from_elsewhere_is_refused_by_the_id(town, two_files):
    made = await town.assets.register(town.sender(town.OWNER), town.terms())
    elsewhere = open_database(two_files[1])
    other = type(town)(replace(town.chain, database=elsewhere))
    with pytest.raises(AlreadyRegistered, match=f"{made.id:#x}"):
        await other.assets.register(other.sender(town.OWNER), town.terms())
    with pytest.raises(UnknownAsset):
        await other.registry.find("my-model")
    assert await other.registry.find(hex(made.id)) == made.id
    await elsewhere.close()


class Killed(Exception):
    """The process ends here."""


async def test_a_registration_that_was_interrupted_goes_on_and_sends_nothing_twice(town, monkeypatch):
    owners = [Holding(town.who(town.ANN), 300), Holding(town.who(town.BOB), 500)]
    sender = town.sender(town.OWNER)
    execute, left = sender.execute, 2

    async def dying(call: Call, key: str, timeout_seconds: float = 120.0) -> object:
        nonlocal left
        left -= 1
        receipt = await execute(call, key, timeout_seconds)
        if left == 0:
            raise Killed
        return receipt

    monkeypatch.setattr(sender, "execute", dying)
    with pytest.raises(Killed):
        await town.assets.register(sender, town.terms(), owners)
    nonce = await town.client.nonce(town.who(town.OWNER))

    made = await town.assets.register(town.sender(town.OWNER), town.terms(), owners)
    assert await town.client.nonce(town.who(town.OWNER)) == nonce + 1
    assert [held.amount for held in await town.holders.holders(made.id)] == [SUPPLY - 800, 500, 300]
    with pytest.raises(AlreadyRegistered):
        await town.assets.register(town.sender(town.OWNER), town.terms(), owners)


async def test_a_registration_under_way_with_other_terms_is_told_apart(town):
    registration = town.terms().registration()
    found = await town.registry.contract.predict(town.who(town.OWNER), registration)
    await town.devnet.set_automine(on=False)
    sender = town.sender(town.OWNER)
    await sender.send(town.registry.contract.register(registration), f"asset/register/{found.id:#x}/0")
    with refused("registration_under_way", f"{found.id:#x}"):
        await town.assets.register(sender, town.terms(symbol="OTHER"))
    await town.devnet.set_automine(on=True)
    await town.devnet.mine()
    assert (await town.assets.register(sender, town.terms())).id == found.id


async def test_parents_get_their_part(town):
    parent = await town.assets.register(town.sender(town.ANN), town.terms("parent"))
    child = await town.assets.register(
        town.sender(town.OWNER), town.terms("child", parents=(Parent(parent.shares, 1_000),))
    )
    assert (await town.assets.show(child.id)).parents == (Parent(parent.shares, 1_000),)


async def test_a_price_is_announced_and_holds_after_the_notice(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    announced, _ = await town.assets.price(sender, made.id, CardChange(per_call=200))
    expected = replace(town.CARD, per_call=200, version=2)
    assert announced.card == expected
    assert DAY <= announced.starts_at - await town.registry.now() + 60 < DAY + 120

    again, _ = await town.assets.price(sender, made.id, CardChange(input_per_million=7))
    assert again.card == replace(expected, input_per_million=7, version=3)
    shown = await town.assets.show(made.id)
    assert (shown.card, shown.pending_card) == (town.CARD, again)
    await town.devnet.pass_time(DAY + 1)
    shown = await town.assets.show(made.id)
    assert (shown.card, shown.pending_card) == (again.card, None)


async def test_a_price_that_cannot_be(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    with pytest.raises(InvalidAsset, match="differ"):
        await town.assets.price(sender, made.id, CardChange(per_call=100))
    with pytest.raises(InvalidAsset, match="context_window"):
        await town.assets.price(sender, made.id, CardChange(context_window=1))
    with refused("not_title_holder", town.who(town.OWNER)):
        await town.assets.price(town.sender(town.ANN), made.id, CardChange(per_call=1))
    with pytest.raises(UnknownAsset):
        await town.assets.price(sender, AssetId(1), CardChange(per_call=1))


async def test_retirement_is_announced_called_off_and_in_the_end_final(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    with refused("no_retirement", "not announced"):
        await town.assets.cancel_retirement(sender, made.id)
    retires_at, _ = await town.assets.retire(sender, made.id)
    assert (await town.assets.show(made.id)).known.retires_at == retires_at
    with refused("retirement_announced"):
        await town.assets.retire(sender, made.id)
    with refused("not_title_holder"):
        await town.assets.cancel_retirement(town.sender(town.ANN), made.id)
    await town.assets.cancel_retirement(sender, made.id)
    assert (await town.assets.show(made.id)).known.retires_at == 0
    await town.assets.retire(sender, made.id)
    await town.devnet.pass_time(7 * DAY + 1)
    assert (await town.assets.show(made.id)).retired
    with refused("no_retirement", "in effect"):
        await town.assets.cancel_retirement(sender, made.id)


async def test_shares_are_transferred(town):
    sender, ann = town.sender(town.OWNER), town.who(town.ANN)
    made = await town.assets.register(sender, town.terms())
    await town.holders.transfer(sender, made.id, ann, 7)
    assert await town.holders.holders(made.id) == [Holding(town.who(town.OWNER), SUPPLY - 7), Holding(ann, 7)]
    with refused("not_enough_shares", r"holds 0\.000007 shares"):
        await town.holders.transfer(town.sender(town.ANN), made.id, ann, 8)
    with pytest.raises(InvalidAsset, match="above 0"):
        await town.holders.transfer(sender, made.id, ann, 0)
    with pytest.raises(UnknownAsset):
        await town.holders.holders(AssetId(1))


async def test_income_is_pending_and_collected(town):
    sender, ann, bob = town.sender(town.OWNER), town.who(town.ANN), town.who(town.BOB)
    made = await town.assets.register(sender, town.terms(), [Holding(ann, SUPPLY // 4)])
    await town.earn(made.shares, 1_000 * DOLLAR)

    income = {each.token.symbol: each for each in (await town.assets.show(made.id)).income}
    assert (income["tUSD"].gross, income["tUSD"].unaccrued) == (0, 1_000 * DOLLAR)
    due = {each.token.symbol: each for each in await town.holders.pending(made.id, ann)}
    per_share = (1_000 * DOLLAR * 975 // 1_000 << 64) // SUPPLY
    hers, rest = (part * per_share >> 64 for part in (SUPPLY // 4, SUPPLY * 3 // 4))
    assert (due["tUSD"].accrued, due["tUSD"].total) == (0, hers)
    assert (due["WNATIVE"].accrued, due["WNATIVE"].total) == (0, 0)

    collected = await town.holders.collect(town.sender(town.ANN), made.id, bob)
    assert [(each.token.symbol, each.amount) for each in collected] == [("tUSD", hers)]
    assert await town.dollar.balance_of(bob) == hers
    due = {each.token.symbol: each for each in await town.holders.pending(made.id, town.who(town.OWNER))}
    assert (due["tUSD"].accrued, due["tUSD"].total, due["tUSD"].unaccrued) == (rest, rest, 0)

    assert [each.amount for each in await town.holders.collect(sender, made.id)] == [rest]
    assert await town.holders.collect(sender, made.id) == []
    income = {each.token.symbol: each for each in (await town.assets.show(made.id)).income}
    assert (income["tUSD"].gross, income["tUSD"].unaccrued) == (1_000 * DOLLAR, 0)


async def test_passes_are_planned_bought_activated_and_counted(town):
    sender, buyer = town.sender(town.OWNER), town.sender(town.BUYER)
    made = await town.assets.register(sender, town.terms())
    token = await town.registry.find_token("tusd")
    plan, _ = await town.passes.plan(sender, made.id, token, 9 * DOLLAR, 10 * DOLLAR)
    assert await town.passes.plans(made.id) == await town.passes.plans() == [plan]
    assert await town.passes.find("my-model") == await town.passes.find(hex(plan.id)) == plan
    with refused("plan_exists", f"{plan.id:#x}"):
        await town.passes.plan(sender, made.id, token, 9 * DOLLAR, 10 * DOLLAR)
    with refused("not_title_holder"):
        await town.passes.plan(buyer, made.id, token, 8 * DOLLAR, 10 * DOLLAR)

    await town.fund(town.BUYER, 17 * DOLLAR)
    with refused("not_enough_money", "has 17 tUSD, and the price is 18"):
        await town.passes.buy(buyer, plan, 2)
    await town.fund(town.BUYER, 10 * DOLLAR)
    bought, _, approval = await town.passes.buy(buyer, plan, 2)
    assert (bought.credits, bought.paid, approval is None) == (20 * DOLLAR, 18 * DOLLAR, False)
    assert await town.dollar.balance_of(buyer.address) == 9 * DOLLAR
    assert await town.dollar.allowance(buyer.address, town.registry.passes.address) == 0

    with refused("not_enough_credits"):
        await town.passes.activate(buyer, plan, 20 * DOLLAR + 1)
    meter, _ = await town.passes.activate(buyer, plan, 5 * DOLLAR)
    assert meter == town.who(town.METER)
    (held,) = await town.passes.balance(buyer.address, made.id)
    assert (held.circulating, held.activated, held.meter) == (15 * DOLLAR, 5 * DOLLAR, meter)
    assert held.calls == 20 * DOLLAR // (100 + 1_000 * 500_000 // 10**6 + 500 * 2_000_000 // 10**6)
    for opens_at in (held.circulating_refundable_at, held.activated_refundable_at):
        assert abs(opens_at - await town.registry.now() - 30 * DAY) < 120
    assert await town.passes.balance(town.who(town.ANN)) == []


async def test_an_allowance_that_is_there_is_used(town):
    sender, buyer = town.sender(town.OWNER), town.sender(town.BUYER)
    made = await town.assets.register(sender, town.terms())
    plan, _ = await town.passes.plan(sender, made.id, await town.registry.find_token(""), 5, 10)
    await town.fund(town.BUYER, 5)
    await town.act(buyer.address, town.dollar.approve(town.registry.passes.address, 5))
    assert (await town.passes.buy(buyer, plan))[-1] is None


async def test_credits_of_an_earlier_meter_are_still_seen(town):
    sender, buyer = town.sender(town.OWNER), town.sender(town.BUYER)
    made = await town.assets.register(sender, town.terms())
    plan, _ = await town.passes.plan(sender, made.id, await town.registry.find_token(""), 5, 10)
    await town.fund(town.BUYER, 5)
    await town.passes.buy(buyer, plan)
    await town.passes.activate(buyer, plan, 4)
    await town.act(sender.address, town.registry.contract.set_meter(made.id, town.who(town.ANN)))
    found = {held.meter: (held.circulating, held.activated) for held in await town.passes.balance(buyer.address)}
    assert found == {town.who(town.METER): (0, 4), town.who(town.ANN): (6, 0)}


async def test_plans_that_are_closed_and_assets_without_a_meter(town):
    sender, buyer = town.sender(town.OWNER), town.sender(town.BUYER)
    made = await town.assets.register(sender, town.terms(meter=Address("0x" + "0" * 40)))
    token = await town.registry.find_token("")
    with pytest.raises(InvalidAsset, match="or later"):
        await town.passes.plan(sender, made.id, token, 5, 10, await town.registry.now() + 30 * DAY)
    soon = await town.registry.now() + 31 * DAY + 100
    plan, _ = await town.passes.plan(sender, made.id, token, 5, 10, soon)
    other, _ = await town.passes.plan(sender, made.id, token, 6, 10)
    with pytest.raises(UnknownPlan, match="not one plan on sale but 2"):
        await town.passes.find("my-model")
    with pytest.raises(UnknownPlan):
        await town.passes.find(hex(plan.id + 1))
    await town.fund(town.BUYER, 11)
    await town.passes.buy(buyer, other)
    with refused("no_meter"):
        await town.passes.activate(buyer, other, 1)
    await town.devnet.pass_time(31 * DAY + 101)
    with refused("plan_closed"):
        await town.passes.buy(buyer, await town.passes.show(plan.id))
    assert (await town.passes.find("my-model")).id == other.id
    await town.act(sender.address, town.registry.passes.set_selling(other.id, False))
    with refused("plan_closed"):
        await town.passes.buy(buyer, await town.passes.show(other.id))


async def test_the_currency_is_a_revenue_token(town):
    assert (await town.registry.find_token("")).address == town.dollar.address
    assert (await town.registry.find_token("WNATIVE")).decimals == 18
    assert (await town.registry.find_token(town.dollar.address)).symbol == "tUSD"
    with pytest.raises(InvalidAsset, match="tUSD"):
        await town.registry.find_token("USDC")


async def test_a_collect_brings_coin_that_nobody_wrapped_and_royalties_that_nobody_fetched(town):
    sender, ann = town.sender(town.OWNER), town.who(town.ANN)
    parent = await town.assets.register(sender, town.terms("parent"), [Holding(ann, SUPPLY // 5)])
    child = await town.assets.register(sender, town.terms("child", parents=(Parent(parent.shares, 2_000),)))
    await town.assets.register(sender, town.terms("stranger"))
    await town.act(town.who(town.BUYER), Call(parent.shares, b"", 10**18))
    await town.earn(child.shares, 5_000 * DOLLAR)

    due = {each.token.symbol: each.total for each in await town.holders.pending(parent.id, ann)}
    coin, royalty = 10**18 * 975 // 1_000 // 5, 1_000 * DOLLAR // 5
    assert coin - due["WNATIVE"] in (0, 1)
    assert royalty - due["tUSD"] in (0, 1), "free of fee: the child has paid it"

    collected = await town.holders.collect(town.sender(town.ANN), parent.id)
    assert {each.token.symbol: each.amount for each in collected} == due
    assert len({each.transaction for each in collected}) == 1, "one call"
    assert await town.client.balance(parent.shares) == 0
    assert await town.holders.collect(town.sender(town.ANN), parent.id) == []


def refusing(holder: Address, code_at: Address) -> bytes:
    """EVM code of a token that refuses `transfer` to one holder, and is what stands at `code_at` otherwise."""
    refused = "5f3560e01c63a9059cbb14" + f"60043573{holder[2:]}14" + "16" + "604e57"
    forwarded = "365f5f375f5f365f" + f"73{code_at[2:]}5af4" + "3d5f5f3e" + "605257"
    code = refused + forwarded
    assert len(code) == 2 * 0x4E
    return bytes.fromhex(code + "5b3d5ffd" + "5b3d5ff3")


async def test_a_token_that_refuses_a_holder_keeps_no_other_income_from_them(town):
    sender, ann, bob = town.sender(town.OWNER), town.who(town.ANN), town.who(town.BOB)
    made = await town.assets.register(sender, town.terms(), [Holding(ann, SUPPLY // 5)])
    await town.earn(made.shares, 5_000 * DOLLAR)
    elsewhere, code = Address("0x" + "e1" * 20), await town.client.code_at(town.dollar.address)
    await town.devnet.set_code(elsewhere, code)
    await town.devnet.set_code(town.dollar.address, refusing(ann, elsewhere))
    with pytest.raises(Revert):
        await town.holders.collect(town.sender(town.ANN), made.id)

    await town.act(town.who(town.BUYER), Call(made.shares, b"", 10**18))
    await town.act(town.who(town.BUYER), Shares(made.shares, town.client).wrap())
    due = {each.token.symbol: each.total for each in await town.holders.pending(made.id, ann)}
    assert min(due.values()) > 0
    collected = await town.holders.collect(town.sender(town.ANN), made.id)
    assert [(each.token.symbol, each.amount) for each in collected] == [("WNATIVE", due["WNATIVE"])]
    left = await town.holders.collect(town.sender(town.ANN), made.id, bob)
    assert [(each.token.symbol, each.amount) for each in left] == [("tUSD", due["tUSD"])]
    assert await town.dollar.balance_of(bob) == due["tUSD"]


async def test_a_collect_reads_the_asset_once(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    await town.earn(made.shares, 5)
    reads, read = [], town.registry.on_chain

    async def counted(*arguments):
        reads.append(arguments)
        return await read(*arguments)

    town.registry.on_chain = counted
    assert await town.holders.collect(sender, await town.registry.find(hex(made.id)))
    assert len(reads) == 1

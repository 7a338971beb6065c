"""The tables follow the chain: what is announced, what takes effect, what strangers fake, what is taken back."""

import asyncio
from dataclasses import replace

import pytest

from usufruct.assets import AssetIndexer, CardChange, Holding, PricePeriod
from usufruct.assets.model import SUPPLY
from usufruct.assets.price_cards import to_registry
from usufruct.chain import Call, RpcUnavailable
from usufruct.chain.contracts.asset_registry import AssetRegistry, Kind
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address, AssetId
from usufruct.core.jobs import Job, run_job
from usufruct.core.price_cards import PriceCard

pytestmark = pytest.mark.anvil

DAY = 86_400


async def create(town, creation) -> Address:
    """Create a contract with a rich account, past our sender."""
    fields = {"from": DEVNET_ADDRESSES[9], "data": "0x" + creation.init_code.hex()}
    sent = await town.client.ask("eth_sendTransaction", fields)
    for _ in range(500):
        if receipt := await town.client.receipt(sent):
            return receipt.created
        await asyncio.sleep(0.01)
    raise AssertionError(f"{sent} is not mined")


async def test_registered_assets_are_listed(town):
    made = await town.assets.register(town.sender(town.OWNER), town.terms(kind=Kind.DATA))
    second = await town.assets.register(town.sender(town.ANN), town.terms("second"))
    listed = await town.indexer.assets()
    assert [asset.id for asset in listed] == [made.id, second.id]
    first = listed[0]
    assert (first.name, first.symbol, first.kind, first.shares) == ("my-model", "MINE", Kind.DATA, made.shares)
    assert (first.holder, first.currency, first.retires_at) == (town.who(town.OWNER), town.dollar.address, 0)
    assert first.card(await town.registry.now()).card == town.CARD
    assert await town.assets.names() == {made.id: "my-model", second.id: "second"}


async def test_a_price_holds_here_when_it_does_there_with_the_registrys_version(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    await town.sell(made)
    await town.assets.price(sender, made.id, CardChange(per_call=1))
    third, _ = await town.assets.price(sender, made.id, CardChange(per_call=2))
    await town.indexer.poll()
    assert len((await town.listings.find("my-model")).prices) == 1
    await town.devnet.pass_time(DAY + 1)
    await town.indexer.poll()
    await town.indexer.poll()
    assert third == PricePeriod(replace(town.CARD, per_call=2, version=3), third.starts_at)
    assert (await town.listings.find("my-model")).prices[1:] == (third,)


async def test_a_listing_retires_when_the_asset_does_and_not_when_that_is_called_off(town):
    sender = town.sender(town.OWNER)
    made = await town.assets.register(sender, town.terms())
    await town.sell(made)
    await town.assets.retire(sender, made.id)
    await town.indexer.poll()
    await town.assets.cancel_retirement(sender, made.id)
    await town.devnet.pass_time(7 * DAY + 1)
    await town.indexer.poll()
    assert (await town.listings.find("my-model")).retired_at is None
    retires_at, _ = await town.assets.retire(sender, made.id)
    await town.devnet.pass_time(7 * DAY + 1)
    await town.indexer.poll()
    assert await town.listings.list() == []
    assert (await town.indexer.assets())[0].retires_at == retires_at


async def test_a_title_that_moves_has_its_new_holder(town):
    made = await town.assets.register(town.sender(town.OWNER), town.terms())
    owner, ann = town.who(town.OWNER), town.who(town.ANN)
    await town.act(owner, town.registry.contract.transfer_from(owner, ann, made.id))
    assert (await town.indexer.assets())[0].holder == ann


async def test_events_that_a_stranger_fakes_are_not_heard(town):
    stranger = DEVNET_ADDRESSES[9]
    wrapped = await create(town, WrappedNative.deploy())
    fake = AssetRegistry(
        await create(town, AssetRegistry.deploy(stranger, stranger, stranger, 0, wrapped, "")), town.client
    )
    made = await town.assets.register(town.sender(town.OWNER), town.terms())
    registration = replace(town.terms("fake").registration(), currency=wrapped)
    faked = await fake.predict(stranger, registration)
    await town.act(stranger, fake.register(registration))
    await town.act(stranger, fake.set_price_card(faked.id, to_registry(PriceCard(9, 9, 9, 9, 2))))
    await town.act(stranger, fake.retire(faked.id))

    await town.indexer.poll()
    assert [asset.id for asset in await town.indexer.assets()] == [made.id]

    coin = TestDollar(await create(town, TestDollar.deploy()), town.client)
    await town.act(stranger, coin.mint(stranger, 5))
    assert await town.holders.holders(made.id) == [Holding(town.who(town.OWNER), SUPPLY)]


async def test_what_a_reorganisation_takes_is_forgotten_and_what_it_leaves_stays(town):
    sender, ann = town.sender(town.OWNER), town.who(town.ANN)
    made = await town.assets.register(sender, town.terms())
    await town.holders.transfer(sender, made.id, ann, 5)
    await town.devnet.mine(3)
    await town.indexer.poll()
    assert len(await town.holders.holders(made.id)) == 2

    owner, bob = town.who(town.OWNER), town.who(town.BOB)
    shares = await town.registry.shares(made.id)
    await town.act(owner, shares.transfer(bob, 7))
    await town.act(owner, town.registry.contract.retire(made.id))
    await town.act(owner, town.registry.contract.set_price_card(made.id, to_registry(replace(town.CARD, version=2))))
    await town.act(owner, town.registry.contract.transfer_from(owner, bob, made.id))
    await town.act(bob, town.registry.contract.register(town.terms("gone").registration()))
    await town.indexer.poll()
    assert len(await town.indexer.assets()) == 2
    assert [held.amount for held in await town.holders.holders(made.id)] == [SUPPLY - 12, 7, 5]

    await town.devnet.reorganise(5)
    await town.devnet.mine()
    await town.indexer.poll()
    (left,) = await town.indexer.assets()
    assert (left.id, left.holder, left.retires_at, len(left.cards)) == (made.id, owner, 0, 1)
    assert await town.holders.holders(made.id) == [Holding(owner, SUPPLY - 5), Holding(ann, 5)]


async def test_a_registration_that_a_reorganisation_moves_is_found_again(town):
    owner = town.who(town.OWNER)
    registration = town.terms().registration()
    found = await town.registry.contract.predict(owner, registration)
    await town.devnet.mine(3)
    await town.act(owner, town.registry.contract.register(registration))
    assert [held.holder for held in await town.holders.holders(found.id)] == [owner]
    await town.devnet.reorganise(2)
    await town.devnet.mine()
    assert await town.indexer.assets() == []
    await town.act(owner, town.registry.contract.register(registration))
    assert await town.holders.holders(found.id) == [Holding(owner, SUPPLY)]


async def test_confirmations_are_waited_for(town):
    config = town.chain.config
    patient = replace(config, chain=replace(config.chain, confirmations=3))
    slow = AssetIndexer(replace(town.chain, config=patient))
    made = await town.assets.register(town.sender(town.OWNER), town.terms())
    for expected in (set(), set(), {made.id}):
        assert {asset.id for asset in await slow.assets()} == expected
        await town.devnet.mine()


async def test_strange_names_are_made_readable(town):
    owner = town.who(town.OWNER)
    registration = replace(town.terms().registration(), name="evil\x1b[31m\n" + "x" * 500)
    await town.act(owner, town.registry.contract.register(registration))
    (asset,) = await town.indexer.assets()
    assert asset.name == "evil\ufffd[31m\ufffd" + "x" * 190
    assert (await town.assets.show(asset.id)).name == asset.name


async def test_a_name_that_is_no_text_stops_nobody(town):
    registration = replace(town.terms().registration(), name="NAME" * 8, uri="LINK" * 8)
    call = town.registry.contract.register(registration)
    data = call.data.replace(b"NAME" * 8, b"\xff" * 32).replace(b"LINK" * 8, b"\xfe" * 32)
    await town.act(town.who(town.ANN), Call(call.to, data))
    made = await town.assets.register(town.sender(town.OWNER), town.terms())
    strange, ours = await town.indexer.assets()
    assert (strange.name, strange.symbol, ours.name) == ("\ufffd", "MINE", "my-model")
    assert ours.id == made.id
    shown = await town.assets.show(strange.id)
    assert (shown.name, shown.uri) == ("\ufffd", "\ufffd")


async def test_the_loop_outlives_a_node_that_is_away(town, caplog):
    polls, poll = [], town.indexer.poll

    async def sometimes() -> None:
        polls.append(1)
        if len(polls) < 3:
            raise RpcUnavailable("127.0.0.1 does not answer")
        await poll()

    town.indexer.poll = sometimes
    await town.assets.register(town.sender(town.OWNER), town.terms())
    loop = asyncio.create_task(run_job(Job("assets", town.indexer.poll, 0.01)))
    async with asyncio.timeout(60):
        while len(polls) < 4:
            assert not loop.done()
            await asyncio.sleep(0.01)
    loop.cancel()
    town.indexer.poll = poll
    assert len(await town.indexer.assets()) == 1
    assert "does not answer" in caplog.text


async def test_an_id_of_nothing_has_no_holders(town):
    assert await town.indexer.assets(AssetId(1)) == []

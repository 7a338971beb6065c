"""Balances and rows go back with the blocks they came from; on both kinds of database."""

import random

import pytest

from usufruct.assets import Holding
from usufruct.assets.model import SUPPLY
from usufruct.assets.share_store import SharesLogs, holdings
from usufruct.assets.store import (
    RegistryLogs,
    add_name,
    asset_named,
    meters_of,
    nameless,
    names_given,
    plans_of,
    registered_assets,
    set_name,
)
from usufruct.chain import Log
from usufruct.chain.codec import encode
from usufruct.chain.contract_base import Event
from usufruct.chain.contracts.access_pass import Activated, PlanCreated
from usufruct.chain.contracts.asset_registry import (
    AssetRegistered,
    PriceCardSet,
    RetirementAnnounced,
    RetirementCancelled,
)
from usufruct.chain.contracts.asset_registry import Transfer as TitleMoved
from usufruct.chain.contracts.shares import Transfer
from usufruct.core import ZERO_ADDRESS, Address, AssetId, Hash32
from usufruct.store import ConstraintViolated, Database

ASSET, SHARES = AssetId(7), Address("0x" + "51" * 20)
REGISTRY, PASSES, STRANGER = (Address("0x" + pair * 20) for pair in ("c0", "c1", "c2"))
PEOPLE = [Address(f"0x{index:040x}") for index in range(1, 5)]
HASH = Hash32("0x" + "00" * 32)


def word(number: int | str) -> Hash32:
    return Hash32(f"0x{int(number, 16) if isinstance(number, str) else number:064x}")


def moved(block: int, index: int, giver: Address, receiver: Address, amount: int, emitter: Address = SHARES) -> Log:
    topics = (Transfer.TOPIC, word(giver), word(receiver))
    return Log(emitter, topics, amount.to_bytes(32, "big"), block, HASH, HASH, index)


def balances(moves: list[tuple[int, Address, Address, int]]) -> dict[Address, int]:
    held: dict[Address, int] = {}
    for _, giver, receiver, amount in moves:
        held[giver] = held.get(giver, 0) - amount
        held[receiver] = held.get(receiver, 0) + amount
    return {who: amount for who, amount in held.items() if amount and who != ZERO_ADDRESS}


async def test_balances_are_those_of_the_blocks_that_stay(database: Database):
    chance = random.Random(11)
    handler = SharesLogs(ASSET, SHARES)
    moves = [(1, ZERO_ADDRESS, PEOPLE[0], SUPPLY)]
    for block in range(2, 60):
        held = balances(moves)
        giver = chance.choice(sorted(held))
        amount = chance.choice([held[giver], chance.randint(0, held[giver])])
        moves.append((block // 2 + 1, giver, chance.choice(PEOPLE), amount))
    kept = 0
    for _ in range(6):
        async with database.transaction() as unit:
            for index, (block, giver, receiver, amount) in enumerate(moves):
                if block > kept:
                    await handler.apply(unit, moved(block, index, giver, receiver, amount))
            assert await holdings(unit, ASSET) == sorted(
                (Holding(who, amount) for who, amount in balances(moves).items()), key=lambda h: (-h.amount, h.holder)
            )
            kept = chance.randint(1, 30)
            await handler.rollback(unit, kept)
            staying = balances([move for move in moves if move[0] <= kept])
            assert {held.holder: held.amount for held in await holdings(unit, ASSET)} == staying


async def test_only_our_contracts_are_heard(database: Database):
    async with database.snapshot() as unit:
        shares, registry = SharesLogs(ASSET, SHARES), RegistryLogs(REGISTRY, PASSES)
        log = moved(1, 0, ZERO_ADDRESS, PEOPLE[0], 1, emitter=STRANGER)
        assert not await shares.accepts(unit, log)
        assert not await registry.accepts(unit, log)
        assert await shares.accepts(unit, moved(1, 0, ZERO_ADDRESS, PEOPLE[0], 1))


def said(
    block: int,
    index: int,
    event: type[Event],
    topics: list[int | str],
    *data: tuple[str, object],
    by: Address = REGISTRY,
) -> Log:
    """A log of one of our contracts, its data given as (type, value)."""
    words = encode([kind for kind, _ in data], [value for _, value in data])
    return Log(by, (event.TOPIC, *map(word, topics)), words, block, HASH, HASH, index)


CARD_TYPE = "(uint128,uint128,uint128,uint16,uint8,uint32,uint32)"
LARGEST_CARD = (2**128 - 1, 2, 2**128 - 1, 10_000, 5, 2**32 - 1, 2)
PLAN = ASSET << 128 | 5


def history() -> list[Log]:
    """What an asset's life looks like: registered in block 1, changed in blocks 2 to 5, a plan used in 4 and 5."""
    terms = [("uint8", 3), ("address", STRANGER), ("uint32", 10), ("address", ZERO_ADDRESS), ("uint16", 0)]
    parents: tuple[str, object] = ("(address,uint16)[]", [])
    plan = [("address", STRANGER), ("uint40", 0), ("uint128", 9), ("uint128", 10)]
    used = [("address", PEOPLE[3]), ("uint256", 4), ("uint256", 4)]
    return [
        said(1, 0, TitleMoved, [ZERO_ADDRESS, PEOPLE[0], ASSET]),
        said(1, 1, AssetRegistered, [ASSET, PEOPLE[0], SHARES], *terms, parents),
        said(1, 2, PriceCardSet, [ASSET, 1], ("uint40", 100), (CARD_TYPE, (1, 2, 3, 1_000, 0, 4, 1))),
        said(
            2,
            0,
            PriceCardSet,
            [ASSET, 2],
            ("uint40", 130),
            (CARD_TYPE, LARGEST_CARD),
        ),
        said(3, 0, RetirementAnnounced, [ASSET], ("uint40", 900)),
        said(3, 1, TitleMoved, [PEOPLE[0], PEOPLE[1], ASSET]),
        said(4, 0, RetirementCancelled, [ASSET]),
        said(4, 1, PlanCreated, [ASSET, PLAN], *plan, by=PASSES),
        said(5, 0, Activated, [ASSET, PLAN, PEOPLE[2]], *used, by=PASSES),
        said(5, 1, Activated, [ASSET, PLAN, PEOPLE[2]], *used, by=PASSES),
    ]


async def test_an_assets_life_is_kept_and_taken_back_block_by_block(database: Database):
    handler = RegistryLogs(REGISTRY, PASSES)
    async with database.transaction() as unit:
        for log in history():
            assert await handler.accepts(unit, log)
            await handler.apply(unit, log)
        assert await nameless(unit, REGISTRY) == [(ASSET, SHARES)]
        await set_name(unit, ASSET, "mine", "MINE")

        async def state() -> tuple[object, ...]:
            (asset,) = await registered_assets(unit, REGISTRY, ASSET)
            plans = await plans_of(unit, REGISTRY)
            assert plans == await plans_of(unit, REGISTRY, ASSET)
            meters = await meters_of(unit, PLAN, PEOPLE[2])
            return len(asset.cards), asset.holder, asset.retires_at, plans, meters

        assert await state() == (2, PEOPLE[1], 0, [PLAN], [PEOPLE[3]])
        await handler.rollback(unit, 4)
        assert await state() == (2, PEOPLE[1], 0, [PLAN], [])
        await handler.rollback(unit, 3)
        assert await state() == (2, PEOPLE[1], 900, [], [])
        await handler.rollback(unit, 2)
        assert await state() == (2, PEOPLE[0], 0, [], [])
        await RegistryLogs(STRANGER, PASSES).rollback(unit, 0)
        (asset,) = await registered_assets(unit, REGISTRY)
        assert (asset.name, asset.shares, asset.card(129).card.version) == ("mine", SHARES, 1)
        assert asset.card(130).card.input_per_million == 2**128 - 1
        await handler.rollback(unit, 0)
        assert await registered_assets(unit, REGISTRY) == []


async def test_a_title_without_its_registration_lists_nothing(database: Database):
    async with database.transaction() as unit:
        await RegistryLogs(REGISTRY, PASSES).apply(unit, history()[0])
        assert await registered_assets(unit, REGISTRY) == []


async def test_a_name_is_given_once(database: Database):
    async with database.transaction() as unit:
        await add_name(unit, REGISTRY, "mine", ASSET)
    with pytest.raises(ConstraintViolated):
        async with database.transaction() as unit:
            await add_name(unit, REGISTRY, "mine", AssetId(8))
    async with database.transaction() as unit:
        assert await asset_named(unit, STRANGER, "mine") is None, "another registry, another chain"
        await add_name(unit, STRANGER, "mine", AssetId(8))
    async with database.snapshot() as unit:
        assert await asset_named(unit, REGISTRY, "mine") == ASSET
        assert await names_given(unit, STRANGER) == {AssetId(8): "mine"}

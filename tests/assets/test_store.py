"""Balances and rows go back with the blocks they came from; on both kinds of database."""

import random

import pytest

from usufruct.assets import NO_ADDRESS, SUPPLY, Holding, RegistryLogs, SharesLogs
from usufruct.assets.store import add_name, asset_named, holdings, listed
from usufruct.chain import Log
from usufruct.chain.contracts.asset_registry import Transfer as TitleMoved
from usufruct.chain.contracts.shares import Transfer
from usufruct.core import Address, AssetId, Hash32
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
    return {who: amount for who, amount in held.items() if amount and who != NO_ADDRESS}


async def test_balances_are_those_of_the_blocks_that_stay(database: Database):
    chance = random.Random(11)
    handler = SharesLogs(ASSET, SHARES)
    moves = [(1, NO_ADDRESS, PEOPLE[0], SUPPLY)]
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
        log = moved(1, 0, NO_ADDRESS, PEOPLE[0], 1, emitter=STRANGER)
        assert not await shares.accepts(unit, log)
        assert not await registry.accepts(unit, log)
        assert await shares.accepts(unit, moved(1, 0, NO_ADDRESS, PEOPLE[0], 1))


async def test_a_title_without_its_registration_lists_nothing(database: Database):
    topics = (TitleMoved.TOPIC, word(NO_ADDRESS), word(PEOPLE[0]), word(ASSET))
    async with database.transaction() as unit:
        await RegistryLogs(REGISTRY, PASSES).apply(unit, Log(REGISTRY, topics, b"", 1, HASH, HASH, 0))
        assert await listed(unit, REGISTRY) == []


async def test_a_name_is_given_once(database: Database):
    async with database.transaction() as unit:
        await add_name(unit, "mine", ASSET)
    with pytest.raises(ConstraintViolated):
        async with database.transaction() as unit:
            await add_name(unit, "mine", AssetId(8))
    async with database.snapshot() as unit:
        assert await asset_named(unit, "mine") == ASSET

"""Keys that nobody put money behind do not stay; all others do."""

from dataclasses import replace

from tests.support.refusal import refused
from usufruct.core import Clock
from usufruct.gateway import UNUSED_SECONDS, UnusedKeys


class Chain:
    """Stands in for the account sync: what the chain knows and the ledger does not yet."""

    def __init__(self, world) -> None:
        self.world, self.balances = world, {}

    async def peek(self, account):
        known = await self.world.ledger.account(account.id)
        return replace(known.reading, block=9, balance=self.balances.get(account.id, 0))

    async def observe(self, accounts):
        return [await self.world.ledger.observe(await self.peek(each)) for each in accounts]


class Later(Clock):
    """A clock that is ahead."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


async def test_only_what_never_had_money_is_removed_and_the_chain_is_asked_first(world, gateway_module):
    limit, payer = 10**6, gateway_module.PAYER
    empty, late, planned, funded = [await world.empty_key(limit, payer) for _ in range(4)]
    await world.fund(funded, 500)
    await world.ledger.plan_deposit(planned.key.channel, "0x" + "01" * 32, 5, "deposit/1", payer.address)
    chain, clock = Chain(world), Later()
    unused = UnusedKeys(world.keys, world.ledger, chain, clock)
    assert await unused.run() == 0, "they may still deposit"
    assert len(await world.keys.store.waiting()) == 3

    clock.ahead = UNUSED_SECONDS + 1
    chain.balances[late.key.channel] = 700
    assert await unused.run() == 1
    assert (await world.channel(empty)).reading.balance == 0, "known, should money come late"
    with refused("key_unknown"):
        await world.keys.authenticate(f"Bearer {empty.text}")
    assert (await world.channel(late)).reading.balance == 700
    for each in (late, planned, funded):
        await world.keys.authenticate(f"Bearer {each.text}")
    assert await unused.run() == 0
    assert [key.id for key in await world.keys.store.waiting()] == [planned.key.id]

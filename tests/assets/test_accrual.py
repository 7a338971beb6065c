"""Plain transfers to shares accrue by themselves, as soon as they are worth the gas."""

from dataclasses import dataclass

import pytest

from usufruct.assets import Holding
from usufruct.assets.accrual import Accruer
from usufruct.assets.model import SUPPLY
from usufruct.chain import Call
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address

pytestmark = pytest.mark.anvil
DOLLAR = 10**6


@dataclass
class Sold:
    """The payees of what is sold here."""

    addresses: list[Address]

    async def payees(self):
        return self.addresses


@pytest.fixture
async def sold(town):
    """An asset that is sold here, what accrues for it, and a plain payee beside it."""
    ann = town.who(town.ANN)
    made = await town.assets.register(town.sender(town.OWNER), town.terms(), [Holding(ann, SUPPLY // 2)])

    sold = Sold([made.shares, ann, made.shares])
    return made, Accruer(town.registry, town.sender(town.METER), sold, town.dollar.address, 5 * DOLLAR)


async def gross(town, made, symbol: str) -> int:
    return {each.token.symbol: each.gross for each in (await town.assets.show(made.id)).income}[symbol]


async def run(town, accruer: Accruer) -> int:
    """One round, and the blocks its transactions are in."""
    sent = await accruer.run()
    await town.devnet.mine(1)
    return sent


async def test_a_plain_transfer_accrues_once_it_is_worth_the_gas(town, sold):
    made, accruer = sold
    await town.earn(made.shares, 5 * DOLLAR - 1)
    assert await run(town, accruer) == 0
    await town.earn(made.shares, 1)
    assert await run(town, accruer) == 1
    assert await gross(town, made, "tUSD") == 5 * DOLLAR
    assert await run(town, accruer) == 0, "once"


async def test_native_coin_is_wrapped_and_accrues_when_it_is_worth_ten_times_the_gas(town, sold):
    made, accruer = sold
    await town.act(town.who(town.BUYER), Call(made.shares, b"", 1_000))
    assert await run(town, accruer) == 0, "dust"
    await town.act(town.who(town.BUYER), Call(made.shares, b"", 10**18))
    assert await run(town, accruer) == 1
    assert await gross(town, made, "WNATIVE") == 10**18 + 1_000
    assert await town.client.balance(made.shares) == 0


async def test_income_that_accrued_stays_with_who_held_the_shares(town, sold):
    made, accruer = sold
    await town.earn(made.shares, 100 * DOLLAR)
    await run(town, accruer)
    await town.act(town.who(town.ANN), Shares(made.shares).transfer(town.who(town.BOB), SUPPLY // 2))
    bob = {each.token.symbol: each.total for each in await town.holders.pending(made.id, town.who(town.BOB))}
    assert bob["tUSD"] == 0

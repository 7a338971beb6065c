"""What levels bring is kept in memory and follows each block; a node that hangs or is away does not hold calls up."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.assets import Listing, Listings, PricePeriod, plain_listing_id
from usufruct.chain import Header, RpcUnavailable
from usufruct.config import load_config
from usufruct.core import Address, Hash32
from usufruct.core.price_cards import PriceCard
from usufruct.payments.pricing import Benefits
from usufruct.staking.component import levels_job
from usufruct.staking.level_benefits import LevelBenefits, LevelPolicy
from usufruct.staking.level_model import LevelTerms
from usufruct.staking.lock_model import WEEK_SECONDS
from usufruct.store import Database

ANN, BEN = Address("0x" + "a1" * 20), Address("0x" + "b1" * 20)
TERMS = [LevelTerms(100 * number, 250 * number, 10_000 * (1 + number)) for number in range(1, 11)]
NONE = Benefits()
FIFTH = Benefits(5, 1_250, 60_000)
PATIENT = LevelPolicy(wait_seconds=60.0)


def block(number: int, week: int = 0) -> Header:
    digest = Hash32(f"0x{number:064x}")
    return Header(number=number, hash=digest, parent=digest, timestamp=week * WEEK_SECONDS + number)


class ScriptedChain:
    """A chain that tells what a test says, counts what it is asked, and hangs or fails on demand."""

    def __init__(self) -> None:
        self.block = block(100)
        self.terms_now = TERMS
        self.set_at: set[int] = set()
        self.scores = {ANN: 500}
        self.asked: list[str] = []
        self.away = False
        self.open = asyncio.Event()
        self.open.set()

    async def head(self) -> Header:
        self._answer("head")
        return self.block

    async def changed(self, first: int, last: int) -> bool:
        self._answer("changed")
        return any(first <= number <= last for number in self.set_at)

    async def terms(self, block: int) -> list[LevelTerms]:
        self._answer("terms")
        return list(self.terms_now)

    async def score(self, account: Address, block: int) -> int:
        self._answer("score")
        await self.open.wait()
        return self.scores.get(account, 0)

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise RpcUnavailable("the node is away")


@pytest.fixture
def chain() -> ScriptedChain:
    return ScriptedChain()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def benefits(chain: ScriptedChain, clock: FakeClock):
    made = LevelBenefits(chain, clock, PATIENT)
    await made.refresh()
    yield made
    await made.close()


async def test_an_account_is_read_once_a_week(benefits: LevelBenefits, chain: ScriptedChain):
    assert [await benefits.of(ANN) for _ in range(3)] == [FIFTH] * 3
    assert await benefits.of(BEN) == NONE
    assert chain.asked.count("score") == 2
    chain.block, chain.scores[ANN] = block(101), 1_000
    await benefits.refresh()
    assert await benefits.of(ANN) == FIFTH, "a score is the same for a whole week"
    chain.block = block(102, week=1)
    await benefits.refresh()
    assert await benefits.of(ANN) == Benefits(10, 2_500, 110_000)


async def test_new_levels_hold_from_their_block_on(benefits: LevelBenefits, chain: ScriptedChain):
    assert await benefits.of(ANN) == FIFTH
    chain.terms_now = [replace(each, discount_bps=0) for each in TERMS]
    chain.block = block(101)
    await benefits.refresh()
    assert await benefits.of(ANN) == FIFTH, "no event says that levels were set"
    chain.block, chain.set_at = block(102), {102}
    await benefits.refresh()
    assert await benefits.of(ANN) == Benefits(5, 0, 60_000)
    assert benefits.discounts == [0] * 10
    assert chain.asked.count("score") == 1


async def test_levels_that_no_event_tells_of_are_found_within_the_refresh_time(
    benefits: LevelBenefits, chain: ScriptedChain, clock: FakeClock
):
    chain.terms_now, chain.block = [replace(each, discount_bps=0) for each in TERMS], block(101)
    clock.advance(PATIENT.refresh_seconds + 1)
    await benefits.refresh()
    assert benefits.discounts == [0] * 10


async def test_a_block_that_is_known_asks_nothing_more(benefits: LevelBenefits, chain: ScriptedChain):
    await benefits.refresh()
    assert chain.asked == ["head", "terms", "head"]


async def test_a_node_that_is_away_leaves_what_was_known_until_that_is_too_old(
    benefits: LevelBenefits, chain: ScriptedChain, clock: FakeClock
):
    assert await benefits.of(ANN) == FIFTH
    chain.away = True
    with pytest.raises(RpcUnavailable):
        await benefits.refresh()
    clock.advance(PATIENT.oldest_seconds - 1)
    asked = len(chain.asked)
    assert await benefits.of(ANN) == FIFTH
    assert await benefits.of(BEN) == NONE, "nothing is asked of a node that is silent"
    assert chain.asked[asked:].count("score") <= 1
    clock.advance(2)
    assert await benefits.of(ANN) == NONE
    assert benefits.discounts == []


async def test_a_node_that_comes_back_is_asked_again(benefits: LevelBenefits, chain: ScriptedChain, clock: FakeClock):
    chain.away = True
    assert await benefits.of(ANN) == NONE
    chain.away = False
    assert await benefits.of(ANN) == NONE, "a read failed a moment ago"
    clock.advance(PATIENT.silent_seconds + 1)
    await benefits.refresh()
    assert await benefits.of(ANN) == FIFTH


async def test_a_hanging_node_makes_one_call_wait_and_only_for_a_moment(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(chain, clock, LevelPolicy(wait_seconds=0.01))
    await benefits.refresh()
    chain.open.clear()
    assert await benefits.of(ANN) == NONE
    asked = len(chain.asked)
    assert [await benefits.of(payer) for payer in (ANN, BEN)] == [NONE, NONE]
    assert len(chain.asked) == asked, "no other call waits"
    await benefits.close()


async def test_an_answer_that_came_late_counts_for_the_next_call(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(chain, clock, LevelPolicy(wait_seconds=0.01))
    await benefits.refresh()
    chain.open.clear()
    assert await benefits.of(ANN) == NONE
    chain.open.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert await benefits.of(ANN) == FIFTH


async def test_the_account_that_was_used_longest_ago_makes_room(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(chain, clock, LevelPolicy(wait_seconds=60.0, most_reads=2, most_accounts=3))
    await benefits.refresh()
    payers = [Address(f"0x{number:040x}") for number in range(1, 6)]
    assert [await benefits.of(each) for each in payers] == [NONE] * 5
    assert chain.asked.count("score") == 2
    assert await benefits.of(ANN) == NONE
    clock.advance(1)
    assert await benefits.of(ANN) == FIFTH
    for each in payers:
        clock.advance(1)
        await benefits.refresh()
        await benefits.of(each)
        asked = chain.asked.count("score")
        assert await benefits.of(ANN) == FIFTH
        assert chain.asked.count("score") == asked, "an account in use stays"


async def test_accounts_that_are_only_named_take_nothing_from_payers(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(
        chain, clock, LevelPolicy(wait_seconds=60.0, most_reads=2, most_accounts=2, most_named=3, most_named_reads=2)
    )
    await benefits.refresh()
    assert await benefits.of(ANN) == FIFTH
    for second in range(10):
        named = [Address(f"0x{100 * second + number:040x}") for number in range(1, 6)]
        assert [await benefits.of(each, funded=False) for each in named] == [NONE] * 5
        asked = chain.asked.count("score")
        assert await benefits.of(ANN) == FIFTH
        assert await benefits.of(ANN, funded=False) == FIFTH, "known as a payer"
        assert chain.asked.count("score") == asked
        clock.advance(1)
        await benefits.refresh()
    assert chain.asked.count("score") == 1 + 10 * 2
    chain.scores[BEN] = 500
    assert await benefits.of(BEN) == FIFTH, "a payer who comes while others are named is read"


async def test_a_read_for_a_named_account_that_fails_stops_no_payers(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(chain, clock, PATIENT)
    await benefits.refresh()
    chain.away = True
    assert await benefits.of(BEN, funded=False) == NONE
    chain.away = False
    assert await benefits.of(ANN) == FIFTH


async def test_before_the_first_block_there_are_no_levels(chain: ScriptedChain, clock: FakeClock):
    benefits = LevelBenefits(chain, clock)
    assert (await benefits.of(ANN), benefits.discounts, chain.asked) == (NONE, [], [])


async def test_a_score_in_use_is_read_again_in_the_background(
    benefits: LevelBenefits, chain: ScriptedChain, clock: FakeClock
):
    assert await benefits.of(ANN) == FIFTH
    chain.scores[ANN] = 0  # a reorganization took the lock away
    clock.advance(PATIENT.refresh_seconds + 1)
    await benefits.refresh()
    assert await benefits.of(ANN) == FIFTH
    for _ in range(3):
        await asyncio.sleep(0)
    assert await benefits.of(ANN) == NONE


async def test_after_a_long_gap_levels_are_read_without_looking_for_events(
    benefits: LevelBenefits, chain: ScriptedChain
):
    chain.block = block(100 + PATIENT.most_blocks)
    await benefits.refresh()
    assert chain.asked == ["head", "terms", "head", "terms"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("quota", "asked"), [("0", []), ("60", ["head", "terms"])])
async def test_the_newest_block_is_asked_for_while_levels_bring_something(
    chain: ScriptedChain, clock: FakeClock, quota: str, asked: list[str], database: Database
):
    """Without quotas, from when a service on sale gives a discount until none does."""
    listings = Listings(database, clock)
    config = load_config({"USUFRUCT_GATEWAY_CALLS_PER_MINUTE": quota})
    job = levels_job(LevelBenefits(chain, clock), listings, config)
    await job.step()
    assert chain.asked == asked
    price = PricePeriod(PriceCard(1, 1, 0, 8_192, 1), 0)
    place = plain_listing_id("poet", ANN), (price,)
    await listings.add(Listing("poet", "chat", ANN, *place, level_discount_bps=1_000))
    await job.step()
    assert "head" in chain.asked
    chain.asked.clear()
    await listings.retire("poet")
    await job.step()
    assert chain.asked == asked[:1]

"""Offers for gas: the market's, within the cap, and enough more when replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.chain import Client
from usufruct.chain.answers import FeeHistory
from usufruct.chain.fees import TRANSACTION_GAS, FeePolicy, FeesOverCap, Offer, better_offer, market_offer

fees = st.integers(1, 10**13)


class Market(Client):
    def __init__(self, base: int, tips: tuple[int, ...]) -> None:
        super().__init__("http://127.0.0.1:1")
        self._history = FeeHistory((1, base), tips)

    async def fee_history(self, blocks: int = 5, percentile: int = 50) -> FeeHistory:
        return self._history


async def test_an_offer_holds_while_the_base_fee_doubles():
    assert await market_offer(Market(100, (1, 9, 5)), FeePolicy(cap=10**6, least_tip=2)) == Offer(205, 5)


async def test_a_quiet_market_gets_the_least_tip():
    assert await market_offer(Market(100, ()), FeePolicy(cap=10**6, least_tip=2)) == Offer(202, 2)
    assert await market_offer(Market(100, (0, 0)), FeePolicy(cap=10**6, least_tip=2)) == Offer(202, 2)


async def test_an_offer_stays_within_the_cap():
    assert await market_offer(Market(100, (7,)), FeePolicy(cap=107, least_tip=1)) == Offer(107, 7)
    with pytest.raises(FeesOverCap, match="gas costs 108 wei now and the cap is 107"):
        await market_offer(Market(101, (7,)), FeePolicy(cap=107, least_tip=1))


@given(fees, fees, fees, fees)
def test_a_replacement_offers_enough_more_of_both_or_nothing(max_fee: int, tip: int, market: int, market_tip: int):
    old = Offer(max(max_fee, tip), tip)
    policy = FeePolicy(cap=10**13)
    new = better_offer(old, Offer(max(market, market_tip), market_tip), policy)
    least = (old.max_fee * 1125 + 999) // 1000
    if new is None:
        assert max(least, market, market_tip, (old.tip * 1125 + 999) // 1000) > policy.cap
    else:
        assert least <= new.max_fee <= policy.cap
        assert new.tip * 1000 >= old.tip * 1125
        assert new.max_fee >= max(market, new.tip)


def test_gas_limits_round_up():
    assert FeePolicy(gas_margin_percent=25).gas_limit(21_001) == 26_252


def test_the_margin_does_not_pass_what_one_transaction_may_take():
    assert FeePolicy().gas_limit(15_000_000) == TRANSACTION_GAS
    assert FeePolicy().gas_limit(20_000_000) == 20_000_000

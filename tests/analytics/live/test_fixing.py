"""Live medians, against a slow model that is obvious: one venue's price, or the median of two or more that agree."""

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.analytics.live.fixing import LiveMedians
from usufruct.connectors.exchanges import LivePrice, SymbolTable, TradedSymbol, UnconvertedQuote

NOW = 1_770_000_000
VENUES = ("alpha", "beta", "gamma")
STALE_AFTER = 60


def price(venue: str, asset: str, value: float, age: float = 0.0, quote: str = "USD", volume: float = 1.0) -> LivePrice:
    return LivePrice(venue, asset, value, volume, quote, datetime.fromtimestamp(NOW - age, UTC))


def symbols(*rows: tuple[str, str, str]) -> SymbolTable:
    return SymbolTable([TradedSymbol(*each) for each in rows])


EVERYWHERE = symbols(*((venue, "BTC/USD", "bitcoin") for venue in VENUES))


@dataclass(frozen=True)
class Quoted:
    value: float
    age: int


quoted = st.builds(Quoted, st.floats(99.0, 101.0), st.integers(0, 120))


@given(st.dictionaries(st.sampled_from(VENUES), quoted))
def test_the_median_is_of_the_fresh_prices_of_at_least_two_venues(found: dict[str, Quoted]):
    medians = LiveMedians(EVERYWHERE, VENUES, stale_after=STALE_AFTER)
    for venue, each in found.items():
        medians.hear(price(venue, "bitcoin", each.value, each.age))
    fresh = {venue: each for venue, each in found.items() if each.age < STALE_AFTER}
    fixed = medians.fix(NOW).get("bitcoin")
    if len(fresh) < 2:
        assert fixed is None
    elif fixed is not None and len(fixed.venues) == len(fresh):
        assert fixed.price == pytest.approx(median(each.value for each in fresh.values()))
        assert fixed.at == NOW - min(each.age for each in fresh.values())
    else:  # a venue was left out, as for bars: it was far from the others
        spread = max(each.value for each in fresh.values()) / min(each.value for each in fresh.values()) - 1
        assert spread > 0.004


@given(quoted)
def test_an_asset_of_one_venue_has_its_price_while_it_is_fresh(each: Quoted):
    medians = LiveMedians(symbols(("alpha", "BTC/USD", "bitcoin")), ("alpha",), stale_after=STALE_AFTER)
    medians.hear(price("alpha", "bitcoin", each.value, each.age))
    fixed = medians.fix(NOW).get("bitcoin")
    assert (fixed is None) == (each.age >= STALE_AFTER)
    if fixed is not None:
        assert (fixed.price, fixed.at, fixed.venues) == (each.value, NOW - each.age, ("alpha",))


def test_two_venues_that_disagree_give_no_price_and_a_far_one_is_left_out():
    medians = LiveMedians(EVERYWHERE, VENUES)
    medians.hear(price("alpha", "bitcoin", 100.0))
    medians.hear(price("beta", "bitcoin", 110.0))
    assert medians.fix(NOW) == {}
    medians.hear(price("gamma", "bitcoin", 100.1))
    assert medians.fix(NOW)["bitcoin"].venues == ("alpha", "gamma")


def test_a_price_in_another_currency_needs_a_fresh_rate_of_its_venue():
    table = symbols(("alpha", "BTC/USDT", "bitcoin"), ("alpha", "USDT/USD", "tether"))
    medians = LiveMedians(table, ("alpha",))
    medians.hear(price("alpha", "bitcoin", 100.0, quote="USDT"))
    assert medians.fix(NOW) == {}
    medians.hear(price("alpha", "tether", 0.5))
    fixed = medians.fix(NOW)
    assert (fixed["bitcoin"].price, fixed["tether"].price) == (50.0, 0.5)
    with pytest.raises(UnconvertedQuote, match=r"markets\.live_at_par"):
        LiveMedians(symbols(("alpha", "BTC/USDT", "bitcoin")), ("alpha",))
    at_par = LiveMedians(symbols(("alpha", "BTC/USDT", "bitcoin")), ("alpha",), ["USDT"])
    at_par.hear(price("alpha", "bitcoin", 100.0, quote="USDT"))
    assert at_par.fix(NOW)["bitcoin"].price == 100.0


def test_an_older_price_that_comes_late_and_a_clock_that_runs_ahead_change_nothing():
    medians = LiveMedians(symbols(("alpha", "BTC/USD", "bitcoin")), ("alpha",))
    medians.hear(price("alpha", "bitcoin", 100.0, age=-30))
    medians.hear(price("alpha", "bitcoin", 90.0, age=5))
    fixed = medians.fix(NOW)["bitcoin"]
    assert (fixed.price, fixed.at) == (100.0, NOW)

"""The simulated market: the same to the byte, labelled, and with the events that tests of others look for."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from usufruct.connectors.prices import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    LARGEST,
    STABLECOIN,
    WRAPPED,
    Interval,
    Panel,
    Regime,
    SyntheticMarket,
    events,
    regimes,
    synthesize,
    synthesize_bars,
    synthesize_news,
    synthesize_supply,
)
from usufruct.core import Invalid

MARKET = SyntheticMarket(days=1_200)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return synthesize(MARKET)


def known(panel: Panel, asset: str) -> np.ndarray:
    return np.isfinite(panel.close[:, panel.column[asset]])


def test_it_is_labelled(panel: Panel):
    assert panel.synthetic
    assert panel.source == "synthetic market, seed 1"
    assert {each.id[:4] for each in panel.assets} == {"syn-"}
    assert all(each.name.startswith("Synthetic") for each in panel.assets)


def test_the_same_parameters_give_the_same_bytes_everywhere():
    small = synthesize(SyntheticMarket(seed=7, assets=30, days=400))
    assert small.digest() == "a2439774f40df465fff6985999e026e4a8daeb7fb557d140529ff76aba324992"
    assert synthesize(SyntheticMarket(seed=8, assets=30, days=400)).digest() != small.digest()


def test_the_past_does_not_depend_on_the_future(panel: Panel):
    shorter = synthesize(SyntheticMarket(days=650))
    assert shorter.digest() == panel.between(shorter.first_day, shorter.last_day).digest()


def test_assets_are_born_and_die_on_the_days_of_the_events(panel: Panel):
    found = events(MARKET)
    births = [each for each in found if each.kind == "birth"]
    deaths = [each for each in found if each.kind == "death"]
    assert len(births) > 30
    assert len(deaths) > 10
    for birth in births:
        assert np.argmax(known(panel, birth.asset)) == panel.row(birth.day)
    for death in deaths:
        after = panel.row(death.day)
        assert not known(panel, death.asset)[after:].any()
        assert known(panel, death.asset)[after - 5 : after].any()
    whole = {each.asset for each in births} | {each.asset for each in deaths}
    assert known(panel, LARGEST).all()
    assert LARGEST not in whole


def test_a_chain_collapses_with_its_stablecoin(panel: Panel):
    chain, coin = panel.column[COLLAPSED_CHAIN], panel.column[COLLAPSED_STABLECOIN]
    assert panel.close[309, chain] < panel.close[299, chain] / 100_000
    assert panel.market_cap[309, chain] < panel.market_cap[299, chain] / 20
    supply = synthesize_supply(MARKET)[:, chain]
    assert supply[309] > supply[299] * 10_000
    assert panel.close[299, coin] > 0.99
    assert panel.close[-1, coin] < 0.2
    assert not known(panel, COLLAPSED_CHAIN)[340:].any()


def test_an_exchange_token_collapses_and_trades_on(panel: Panel):
    column = panel.column[COLLAPSED_EXCHANGE]
    assert panel.close[435, column] < panel.close[429, column] / 8
    assert np.nanmean(panel.volume[440:500, column]) < np.nanmean(panel.volume[300:420, column]) / 20
    assert known(panel, COLLAPSED_EXCHANGE)[435:].any()


def test_a_stablecoin_leaves_its_peg_and_comes_back(panel: Panel):
    price = panel.close[:, panel.column[DEPEGGED_STABLECOIN]]
    assert price[200] == 0.88
    assert (np.abs(np.delete(price, range(200, 204)) - 1) < 0.01).all()


def test_wrapped_assets_follow_what_they_wrap(panel: Panel):
    wrapped = [each.id for each in panel.assets if WRAPPED in each.categories and "staked" not in each.categories]
    ratio = panel.of(wrapped).close / panel.of([LARGEST]).close
    assert (np.abs(ratio - 1) < 0.01).all()


def test_sizes_are_spread_as_in_real_markets(panel: Panel):
    caps = np.sort(np.nan_to_num(panel.market_cap[0]))[::-1]
    assert 0.3 < caps[0] / caps.sum() < 0.5
    assert 0.65 < caps[:10].sum() / caps.sum() < 0.95
    assert caps[99] > 1e7
    sectors = {word for each in panel.assets for word in each.categories}
    assert sectors >= {
        "layer-1",
        "defi",
        "gaming",
        "metaverse",
        "ai",
        "meme",
        "exchange",
        STABLECOIN,
        WRAPPED,
        "staked",
    }


def test_keys_are_ids_because_tickers_repeat(panel: Panel):
    assert len({each.id for each in panel.assets}) == len({each.number for each in panel.assets}) == 240
    assert len({each.symbol for each in panel.assets}) < 240


def test_regimes_drive_prices(panel: Panel):
    kinds = regimes(MARKET)
    assert set(kinds.tolist()) == set(map(int, Regime))
    returns = np.diff(np.log(panel.close[:, panel.column[LARGEST]]))
    mean = {each: returns[kinds[1:] == each].mean() for each in Regime}
    spread = {each: returns[kinds[1:] == each].std() for each in Regime}
    assert mean[Regime.BULL] > mean[Regime.CHOP] > mean[Regime.BEAR]
    assert spread[Regime.CHOP] < spread[Regime.BULL] < spread[Regime.BEAR]


def test_a_small_asset_is_halted_for_a_day_now_and_then(panel: Panel):
    gaps = np.isnan(panel.close[1:-1]) & np.isfinite(panel.close[:-2]) & np.isfinite(panel.close[2:])
    assert 5 < gaps.sum() < 100
    assert (np.isnan(panel.close) == np.isnan(panel.market_cap)).all()
    assert (np.isnan(panel.close) == np.isnan(panel.volume)).all()


def test_hours_lead_from_one_close_to_the_next_and_make_up_the_day(panel: Panel):
    first, last = MARKET.day(195), MARKET.day(205)
    ids = [LARGEST, DEPEGGED_STABLECOIN, COLLAPSED_CHAIN]
    hours = synthesize_bars(MARKET, Interval.HOUR, ids, first, last)
    days = synthesize_bars(MARKET, Interval.DAY, ids, first, last)
    assert hours.synthetic
    assert hours.close.shape == (11 * 24, 3)
    assert hours.time(25) == datetime(2019, 7, 16, 1, tzinfo=UTC)
    there = panel.between(first, last).of(ids)
    assert (days.close == there.close).all()
    assert (hours.close[23::24] == there.close).all()
    assert days.volume == pytest.approx(there.volume)
    assert (hours.open[1:] == hours.close[:-1]).all()
    assert (days.high == hours.high.reshape(11, 24, 3).max(axis=1)).all()
    assert (days.low == hours.low.reshape(11, 24, 3).min(axis=1)).all()
    assert (hours.high >= np.maximum(hours.open, hours.close)).all()
    assert (hours.low <= np.minimum(hours.open, hours.close)).all()
    assert (hours.low > 0).all()
    later = synthesize_bars(MARKET, Interval.HOUR, [LARGEST], MARKET.day(200), MARKET.day(200))
    assert (later.close[:, 0] == hours.close[5 * 24 : 6 * 24, 0]).all()


def test_bars_of_what_is_not_there_are_refused():
    with pytest.raises(Invalid, match="'bitcoin' is not an asset of the synthetic market"):
        synthesize_bars(MARKET, Interval.DAY, ["bitcoin"])
    with pytest.raises(Invalid, match="2018-12-31 to 2022-04-14 is not within the synthetic market"):
        synthesize_bars(MARKET, Interval.DAY, first=date(2018, 12, 31))


def test_news_follow_the_prices_of_the_day_that_has_passed():
    market = SyntheticMarket(assets=60, days=460)
    news, panel = synthesize_news(market), synthesize(market)
    assert {each.kind for each in news} == {"news", "reddit", "twitter"}
    assert [each.time for each in news] == sorted(each.time for each in news)
    close = panel.close[:, panel.column[LARGEST]]
    about = [each for each in news if each.assets == (LARGEST,)]
    assert len(about) == 459
    for each in about:
        row = panel.row((each.time - timedelta(hours=25)).date())
        move = close[row] / close[row - 1] - 1
        good = any(word in each.text for word in ("surges", "gains", "rallies"))
        bad = any(word in each.text for word in ("plunges", "losses", "drops"))
        assert (good, bad) == (move >= 0.03, move <= -0.03)
    falls = [each.time.date() for each in news if each.assets == (COLLAPSED_CHAIN,) and "collapses" in each.text]
    assert falls == [market.day(301)]


def test_every_known_value_is_positive(panel: Panel):
    for values in (panel.close, panel.market_cap, panel.volume):
        assert (values[np.isfinite(values)] > 0).all()
        assert not np.isinf(values).any()


@pytest.mark.parametrize(
    "wrong", [{"assets": 5}, {"days": 1}, {"seed": -1}, {"days": 20_001}, {"first_day": date(9999, 1, 1)}]
)
def test_a_parameter_out_of_bounds_is_named(wrong: dict[str, int]):
    with pytest.raises(Invalid, match="must be from") as refused:
        SyntheticMarket(**wrong)
    assert refused.value.code == "invalid_market"

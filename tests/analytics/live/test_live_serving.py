"""Live prices of a configuration: which jobs a worker has, what is refused, and what `doctor` finds."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.analytics.live import build_live_jobs, check_live
from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import updated, write_table
from usufruct.config import Config, DataConfig, InvalidSetting, MarketsConfig, load_config
from usufruct.core import UsufructError
from usufruct.core.setting_texts import read_venues

NOW = 1_770_000_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    symbols = tmp_path / "symbols.csv"
    symbols.write_text("venue,symbol,asset\nkraken,BTC/USD,bitcoin\nbinance,BTC/USDT,bitcoin\n")
    markets = MarketsConfig(
        api="yes", live_venues="kraken, binance", live_symbols=str(symbols), live_at_par="USDT, USDC"
    )
    return Config(data=DataConfig(folder=tmp_path), markets=markets)


def test_each_exchange_is_a_job_of_the_worker(config: Config):
    names = [job.name for job in build_live_jobs(config, FakeClock(NOW))]
    assert names == ["live-prices-kraken", "live-prices-binance", "live-prices"]
    assert build_live_jobs(Config(data=config.data), FakeClock(NOW)) == []


async def test_a_table_of_symbols_that_is_missing_or_wrong_fails_one_job_and_doctor_says_so(
    config: Config, tmp_path: Path
):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("venue,symbol,asset\nkraken,BTC/USD\n")
    for path, words in (
        ("", "live_symbols is empty; set it to a CSV file"),
        (str(wrong), "wrong.csv"),
        ("gone.csv", "gone"),
    ):
        changed = replace(config, markets=replace(config.markets, live_symbols=path))
        [job] = build_live_jobs(changed, FakeClock(NOW))
        with pytest.raises(UsufructError, match=words):
            await job.step()
        [finding] = check_live(changed, FakeClock(NOW))
        assert words in str(finding)


def test_exchanges_are_named_with_urls_of_their_own():
    text = "kraken, binance=http://127.0.0.1:1 ws://127.0.0.1:1/stream, okx=wss://okx.test"
    assert read_venues(text) == {
        "kraken": ("", ""),
        "binance": ("http://127.0.0.1:1", "ws://127.0.0.1:1/stream"),
        "okx": ("", "wss://okx.test"),
    }
    for wrong in ("Kraken!", "kraken, kraken", "kraken=ftp://host"):
        with pytest.raises(InvalidSetting, match=r"markets\.live_venues must be NAME or NAME=http://HOST"):
            load_config({"USUFRUCT_MARKETS_LIVE_VENUES": wrong}, Path("/dev/null"))


def test_doctor_names_prices_that_are_missing_or_stale(config: Config, tmp_path: Path):
    clock = FakeClock(NOW)
    assert list(check_live(Config(data=config.data), clock)) == []
    [missing] = check_live(config, clock)
    assert "no exchange has sent a price yet" in str(missing)
    (tmp_path / "live").mkdir()
    fixed = FixedPrice(64_000.0, NOW, ("kraken", "binance"))
    write_table(tmp_path / "live", updated(LiveTable(0, 60, synthetic=False), [("bitcoin", fixed)], NOW))
    [good] = check_live(config, clock)
    assert "1 assets" in str(good)
    clock.advance(61)
    [stale] = check_live(config, clock)
    assert "1 of 1 are stale: bitcoin (61 s)" in str(stale)

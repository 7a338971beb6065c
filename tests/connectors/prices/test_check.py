"""A check of a whole archive finds what an import could not know yet, and follows what was recorded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.price_rows import LEARNT, START, bar, bars
from usufruct.connectors.prices import (
    AssetChange,
    AssetFacts,
    Interval,
    PriceArchive,
    SourceFacts,
    SyntheticMarket,
    SyntheticSource,
    check,
    ingest,
    synthesize,
)


@pytest.fixture
def archive(tmp_path: Path) -> PriceArchive:
    return PriceArchive(tmp_path / "prices")


def write(archive: PriceArchive, asset: str, closes: list[float], first: int = 0, **values: Any) -> None:
    with archive.writing() as writer:
        writer.source(SourceFacts("exchange"))
        writer.describe([AssetFacts(asset)], LEARNT)
        rows = [bar(asset, first + index, close, **values) for index, close in enumerate(closes)]
        writer.append(Interval.DAY, bars(*rows))


def found(archive: PriceArchive) -> dict[str, int]:
    return {each.rule: each.count for each in check(archive).findings}


def test_a_spike_is_found_when_the_bars_after_it_are_known(archive: PriceArchive):
    write(archive, "btc", [10.0, 11.0, 10.0, 1000.0])
    assert found(archive) == {"price-jump": 1}
    write(archive, "btc", [10.0, 11.0, 12.0], first=4)
    assert found(archive)["price-spike"] == 1
    with archive.writing() as writer:
        writer.withdraw(Interval.DAY, "btc", START + timedelta(days=3), "exchange", LEARNT + timedelta(days=1))
    assert found(archive) == {"gap": 1}


def test_a_recorded_redenomination_is_no_jump(archive: PriceArchive):
    write(archive, "pepe", [0.001, 0.0011, 0.001, 1.0, 1.1, 1.0], market_cap=1e6)
    assert found(archive) == {"looks-redenominated": 1}
    with archive.writing() as writer:
        day = START.date() + timedelta(days=3)
        writer.change(AssetChange("redenominated", "pepe", day, units=0.001), LEARNT)
    assert found(archive) == {}


def test_an_asset_that_looks_renamed_is_reported_until_it_is_recorded(archive: PriceArchive):
    write(archive, "matic", [0.5, 0.52, 0.51])
    write(archive, "pol", [0.5, 0.52, 0.51, 0.53, 0.5, 0.52, 0.51, 0.53], first=3)
    write(archive, "late", [70.0, 71.0], first=9)
    [finding] = check(archive).findings
    assert (finding.rule, finding.count) == ("looks-renamed", 1)
    assert finding.examples == ("matic ends 2024-01-03 at 0.51, pol begins 2024-01-04 at 0.5",)
    with archive.writing() as writer:
        writer.change(AssetChange("renamed", "matic", START.date() + timedelta(days=3), to="pol"), LEARNT)
    assert found(archive) == {}


def test_a_simulated_market_comes_back_whole_and_has_its_collapses(archive: PriceArchive):
    market = SyntheticMarket(assets=40, days=460)
    steps: list[tuple[int, int]] = []
    report = ingest(archive, SyntheticSource(market))
    assert (report.refused, report.cleared) == (0, 0)
    panel, made = archive.panel(), synthesize(market)
    assert panel.synthetic
    assert panel.assets == made.assets
    for name in ("close", "market_cap"):
        assert getattr(panel, name).tobytes() == getattr(made, name).tobytes()
    assert panel.volume == pytest.approx(made.volume, nan_ok=True)
    checked = check(archive, progress=lambda *step: steps.append(step))
    assert steps == [(1, 1)]
    assert (checked.bars, checked.assets) == (report.added.new, 40)
    assert {each.rule for each in checked.findings} >= {"stablecoin-off-peg", "price-jump"}
    then = archive.panel(as_of=datetime(2019, 3, 1, tzinfo=UTC))
    assert then.close[:59].tobytes() == made.close[:59].tobytes(), "a bar is known at its end"
    assert not (then.close[59:] > 0).any()


def test_hours_of_a_simulated_market_are_kept(archive: PriceArchive):
    ingest(archive, SyntheticSource(SyntheticMarket(assets=24, days=3), Interval.HOUR))
    [span] = archive.spans()
    assert (span.interval, span.last) == (Interval.HOUR, datetime(2019, 1, 3, 23, tzinfo=UTC))
    assert archive.bars(Interval.HOUR).close.shape == (72, 24)
    assert check(archive, Interval.HOUR).bars == span.rows

"""Imports: incremental, resumed, judged, and honest about what they left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.price_rows import START, bar
from usufruct.connectors.prices import (
    AssetFacts,
    Batch,
    CheckRules,
    Interval,
    PriceArchive,
    PriceFile,
    SourceFacts,
    ingest,
)
from usufruct.connectors.prices.archive import Added
from usufruct.connectors.prices.bars import BAR_SCHEMA
from usufruct.core import Clock, Unavailable

NOW = datetime(2024, 6, 1, tzinfo=UTC)


class At(Clock):
    """A clock that is set by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> int:
        return int(self.moment.timestamp())


@dataclass(frozen=True)
class Listed:
    """A source of bars in memory, a batch for each list; it stops answering before batch `breaks`."""

    lists: Sequence[Sequence[dict[str, Any]]]
    name: str = "exchange"
    breaks: int | None = None
    interval: Interval = Interval.DAY
    quote: str = "USD"
    keeps_caps: bool = True
    assets: tuple[AssetFacts, ...] = field(default=())

    @property
    def facts(self) -> SourceFacts:
        return SourceFacts(self.name)

    def batches(self, position: Any) -> Iterator[Batch]:
        for index, rows in enumerate(self.lists):
            if index >= (position or 0):
                if index == self.breaks:
                    raise Unavailable("the exchange does not answer")
                blank = [row | {"place": None, "known_at": None, "source": None} for row in rows]
                frame = pl.DataFrame(blank, schema=BAR_SCHEMA | {"place": pl.String()})
                yield Batch(frame, index + 1, index + 1, len(self.lists), self.assets)


WEEK = [[bar("btc", 7 * week + day, 10.0 + week + day) for day in range(7)] for week in range(4)]


@pytest.fixture
def archive(tmp_path: Path) -> PriceArchive:
    return PriceArchive(tmp_path / "prices")


def rules_of(archive: PriceArchive) -> list[str]:
    return sorted(archive.quarantined()["rule"].to_list())


def test_an_import_goes_on_where_it_was_broken_off(archive: PriceArchive, tmp_path: Path):
    steps: list[tuple[int, int]] = []
    clock = At(NOW)
    with pytest.raises(Unavailable):
        ingest(archive, Listed(WEEK, breaks=2), clock=clock, progress=lambda *step: steps.append(step))
    assert archive.panel().days == 14, "what came before stays"
    report = ingest(archive, Listed(WEEK), clock=clock, progress=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (report.read, report.added) == (14, Added(new=14))
    whole = PriceArchive(tmp_path / "whole")
    ingest(whole, Listed(WEEK), clock=clock)
    assert archive.panel().digest() == whole.panel().digest()
    assert ingest(archive, Listed(WEEK), clock=clock).read == 0, "nothing is asked for twice"


def test_what_is_imported_again_is_a_correction_or_nothing(archive: PriceArchive):
    ingest(archive, Listed(WEEK), clock=At(NOW))
    changed = [[row | {"close": 99.0} if row["close"] == 13.0 else row for row in WEEK[0]]]
    later = NOW + timedelta(days=5)
    report = ingest(archive, Listed(changed, name="exchange", interval=Interval.DAY), clock=At(later))
    assert report.read == 0, "its position is at the end"
    with archive.writing() as writer:
        writer.note("position exchange 1d", None)
    report = ingest(archive, Listed(changed), clock=At(later), rules=CheckRules(accepted=frozenset({"price-spike"})))
    assert report.added == Added(new=0, corrected=1, unchanged=6)
    assert archive.panel().close[3, 0] == 99.0
    assert archive.panel(as_of=NOW).close[3, 0] == 13.0


def test_history_may_count_as_known_when_its_bar_ended(archive: PriceArchive):
    ingest(archive, Listed(WEEK[:1]), clock=At(NOW), known_after=timedelta(hours=6))
    known = archive.versions(Interval.DAY, "btc", START.date(), START.date())["known_at"][0]
    assert known == START + timedelta(days=1, hours=6)
    then = archive.panel(as_of=START + timedelta(days=3)).close[:, 0]
    assert [each for each in then if each == each] == [10.0, 11.0]


def test_refused_rows_are_in_the_quarantine_and_in_the_report(archive: PriceArchive):
    bad = [*WEEK[0], bar("btc", 8, -1.0), bar("btc", 9, 17.0, volume=-2.0)]
    report = ingest(archive, Listed([bad]), clock=At(NOW))
    assert (report.read, report.added.new, report.refused, report.cleared) == (9, 7, 2, 0)
    assert {each.rule for each in report.findings} == {"price-not-positive", "negative-amount"}
    kept = archive.quarantined()
    assert kept.sort("time").select("rule", "close", "volume").rows() == [
        ("price-not-positive", -1.0, None),
        ("negative-amount", 17.0, -2.0),
    ]
    ingest(archive, replace(Listed([bad]), name="other"), clock=At(NOW))
    with archive.writing() as writer:
        writer.note("position exchange 1d", None)
    ingest(archive, Listed([bad]), clock=At(NOW + timedelta(days=1)))
    assert len(archive.quarantined()) == 4, "each once for a source"


def test_a_source_in_other_units_than_another_is_refused(archive: PriceArchive):
    ingest(archive, Listed(WEEK), clock=At(NOW))
    cents = [[row | {"close": row["close"] * 100} for row in week] for week in WEEK]
    report = ingest(archive, Listed(cents, name="vendor"), clock=At(NOW))
    assert (report.added.new, report.refused) == (0, 28)
    assert set(rules_of(archive)) == {"unit-mismatch"}
    other = [[row | {"asset": "eth"} for row in cents[0]]]
    assert ingest(archive, Listed(other, name="another"), clock=At(NOW)).added.new == 7, "nothing to compare with"


def test_caps_that_a_licence_forbids_are_price_times_supply(archive: PriceArchive):
    rows = [row | {"market_cap": 1e9, "supply": 100.0} for row in WEEK[0]]
    report = ingest(archive, replace(Listed([rows]), keeps_caps=False), clock=At(NOW))
    assert [(each.rule, each.count) for each in report.findings] == [("cap-licence", 7)]
    assert report.refused == report.cleared == 0
    assert archive.panel().market_cap[:, 0].tolist() == [1000.0 + 100 * day for day in range(7)]
    assert not rules_of(archive), "nor are they kept elsewhere"


def test_a_spike_at_the_end_of_one_import_is_seen_by_the_next_ones_context(archive: PriceArchive):
    lists = [WEEK[0], [bar("btc", 7, 1e6), *WEEK[1][1:]]]
    report = ingest(archive, Listed(lists), clock=At(NOW))
    assert report.refused == 1
    assert rules_of(archive) == ["price-spike"]


def test_assets_are_described_and_stablecoins_are_judged_as_such(archive: PriceArchive):
    usd = AssetFacts("usd", "USD", "A dollar", frozenset({"stablecoin"}))
    rows = [bar("usd", day, 0.2 if day == 3 else 1.0) for day in range(7)]
    ingest(archive, Listed([rows], assets=(usd,)), clock=At(NOW))
    assert rules_of(archive) == ["price-spike"]
    assert archive.registry().by_id["usd"].categories == {"stablecoin"}


def test_many_batches_end_in_few_files(archive: PriceArchive):
    days = [[bar("btc", day, 10.0 + day % 3)] for day in range(20)]
    ingest(archive, Listed(days), clock=At(NOW))
    assert max(len(files) for files in archive.manifest().partitions.values()) < 16
    assert archive.panel().days == 20


def test_a_file_of_mixed_quality_end_to_end(archive: PriceArchive, tmp_path: Path):
    path = tmp_path / "vendor.csv"
    path.write_text("id,date,price\nbtc,2024-01-01,10\nbtc,2024-01-02,ten\nbtc,2023-02-30,10\nbtc,2031-01-01,10\n")
    report = ingest(archive, PriceFile(path), clock=At(NOW))
    assert (report.read, report.added.new, report.refused) == (4, 1, 3)
    assert sorted(archive.quarantined()["place"].to_list()) == [
        "line 3: close ten",
        "line 4: time 2023-02-30",
        "line 5",
    ]
    assert archive.panel().source == "vendor"


DATA = Path(__file__).parents[4] / "shared" / "data"
"""Real files, beside the repository where the developer has them; never part of it."""

_TWICE = ("usdt_eth", "usdt_trx")


@pytest.mark.parametrize(
    ("name", "skipped", "added", "refused", "cleared", "bitcoin"),
    [
        ("coingecko_daily_2021_ever_top250", (), 184_164, 31, 1, ("bitcoin", "2021-11-09", 67_617.0)),
        (
            "coinmetrics_community_daily_2009_2020",
            ("usdt_eth", "usdt_trx"),
            83_521,
            0,
            0,
            ("btc", "2017-12-16", 19_640.5),
        ),
    ],
)
def test_real_files(
    archive: PriceArchive, name: str, skipped: Sequence[str], added: int, refused: int, cleared: int, bitcoin: Any
):
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"no {path.name} in ../shared/data")
    report = ingest(archive, PriceFile(path, skipped=frozenset(skipped)), clock=At(datetime(2026, 1, 1, tzinfo=UTC)))
    assert (report.added, report.refused, report.cleared) == (Added(new=added), refused, cleared)
    asset, day, price = bitcoin
    panel = archive.panel(ids=[asset])
    assert panel.close[panel.row(datetime.fromisoformat(day).date()), 0] == pytest.approx(price, rel=0.01)

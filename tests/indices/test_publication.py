"""The worker's job: every complete day is published once, corrections only when they matter, failures with a reason."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import MARKET, simulated_inputs, write_archive
from usufruct.analytics import NoMarketData
from usufruct.analytics.snapshot import DAY, Snapshot
from usufruct.analytics.snapshot_build import MarketInputs, build_snapshot
from usufruct.config import InvalidSetting, MarketsConfig
from usufruct.connectors.prices import Panel
from usufruct.indices import load_rulebook, rebalances, run_index
from usufruct.indices.publication import (
    IndexJob,
    IndexTables,
    PublishedIndex,
    index_number,
    read_indices,
    write_indices,
)
from usufruct.indices.publication.computation import find_start, publish_index
from usufruct.indices.publication.index_job import grades_on, last_complete_day
from usufruct.indices.publication.rows import AssetGrade

LAST = datetime(2026, 1, 31, tzinfo=UTC)
MARKET_DAYS = 300
VALUES = ("close", "market_cap", "volume")


def at_day(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def inputs() -> MarketInputs:
    return simulated_inputs(LAST, replace(MARKET, days=MARKET_DAYS), 48)


def until(inputs: MarketInputs, days: int) -> MarketInputs:
    """Return the inputs without their last days."""
    panel, daily = inputs.panel, inputs.daily
    cut = {name: getattr(panel, name)[:-days] for name in VALUES}
    bars = {name: getattr(daily, name)[:-days] for name in ("open", "high", "low", "close", "volume")}
    return MarketInputs(replace(panel, **cut), replace(daily, **bars))


def no_ratings() -> Snapshot:
    raise NoMarketData("none yet")


class World:
    """An archive of prices, and the job over it; the clock shows the day after the last one with prices."""

    def __init__(self, folder: Path, settings: MarketsConfig) -> None:
        self.folder = folder
        self.clock = FakeClock(at_day(LAST.date()) + DAY + 1_800)
        self.settings = settings
        self.job = self.restarted()

    def restarted(self) -> IndexJob:
        return IndexJob(self.settings, self.folder / "prices", self.folder / "indices", no_ratings, self.clock)

    @property
    def published(self) -> IndexTables:
        return read_indices(self.folder / "indices")

    def index(self, name: str) -> PublishedIndex:
        return self.published.find(name)

    def written(self) -> int:
        return (self.folder / "indices" / "current").stat().st_mtime_ns


def settings(names: str, folder: str = "") -> MarketsConfig:
    return MarketsConfig(api="yes", indices=names, rulebooks=folder)


async def test_each_day_is_published_once_and_missed_days_are_caught_up(tmp_path: Path, inputs: MarketInputs):
    world = World(tmp_path, settings("top-10 layer-1"))
    with pytest.raises(NoMarketData, match="usufruct prices import"):
        await world.job.step()
    write_archive(tmp_path / "prices", until(inputs, 3))
    await world.job.step()
    first, before = world.written(), world.index("top-10")
    await world.job.step()
    await world.restarted().step()
    assert world.written() == first, "nothing is new, also for a worker that was restarted"
    assert before.last_day == at_day(LAST.date() - timedelta(days=3))

    write_archive(tmp_path / "prices", inputs)
    await world.job.step()
    index = world.index("top-10")
    assert index.last_day == at_day(LAST.date())
    assert [each.rulebook.name for each in world.published.indices] == ["top-10", "layer-1"]
    assert index.tables["performance"].rows[3:] == before.tables["performance"].rows[:]
    found = run_index(load_rulebook("top-10"), inputs.panel)
    rows = [orjson.loads(each) for each in index.tables["performance"].rows[:]]
    assert [row["PRICE"] for row in rows] == found.nav[::-1].tolist()
    assert [row["DATE"][:10] for row in rows] == [str(LAST.date() - timedelta(days=n)) for n in range(MARKET_DAYS)]


async def test_what_an_earlier_version_published_gets_its_history_and_keeps_its_values(
    tmp_path: Path, inputs: MarketInputs
):
    world = World(tmp_path, settings("top-10"))
    write_archive(tmp_path / "prices", inputs)
    await world.job.step()
    published = world.index("top-10")
    nav = np.asarray(published.values["nav"]).copy()
    nav[5] *= 1.0000001
    earlier = replace(published, history=None, record=None, restatements=3, values={**published.values, "nav": nav})
    write_indices(tmp_path / "indices", replace(world.published, id="earlier", indices=(earlier,)))
    await world.restarted().step()
    found = world.index("top-10")
    assert found.whole
    assert (found.restatements, found.values["nav"][5]) == (3, nav[5])


async def test_a_day_counts_when_most_prices_are_there_and_it_has_ended(inputs: MarketInputs):
    panel, today = inputs.panel, (LAST.date() - date(1970, 1, 1)).days + 1
    assert last_complete_day(panel, today) == LAST.date()
    assert last_complete_day(panel, today - 1) == LAST.date() - timedelta(days=1)
    partial = panel.close.copy()
    partial[-1, 3:] = np.nan
    half = replace(panel, close=partial)
    assert last_complete_day(half, today) == LAST.date() - timedelta(days=1)
    longer = {each: np.vstack([getattr(half, each), getattr(half, each)[-1:]]) for each in VALUES}
    later = replace(half, **longer)
    assert last_complete_day(later, today + 1) == LAST.date() + timedelta(days=1)


def corrected(panel: Panel, day: int, asset: int, factor: float) -> Panel:
    close = panel.close.copy()
    close[day, asset] *= factor
    return replace(panel, close=close)


@pytest.mark.parametrize(("factor", "restated"), [(1.0005, False), (1.5, True)])
def test_a_published_day_changes_only_by_a_large_correction(inputs: MarketInputs, factor: float, restated: bool):
    rulebook, last = load_rulebook("top-10"), LAST.date()
    panel = until(inputs, 1).panel
    before = publish_index(rulebook, panel, last - timedelta(days=1), {})
    largest = int(np.nanargmax(panel.market_cap[-40]))
    changed = corrected(inputs.panel, MARKET_DAYS - 40, largest, factor)
    assert not np.array_equal(run_index(rulebook, changed).nav[:-1], before.values["nav"])
    after = publish_index(rulebook, changed, last, {}, before)
    same = after.values["nav"][:-1] == before.values["nav"]
    assert after.restatements == restated
    assert bool(same.all()) is not restated
    assert same[: MARKET_DAYS - 41].all()
    assert after.values["nav"][-1] == run_index(rulebook, changed).nav[-1]
    assert len(after.restated_days()) == int((~same).sum())


def test_a_restatement_names_its_days_values_and_corrected_prices(inputs: MarketInputs):
    rulebook, last = load_rulebook("top-10"), LAST.date()
    day, largest = MARKET_DAYS - 40, int(np.nanargmax(inputs.panel.market_cap[-40]))
    asset, price = inputs.panel.assets[largest].id, float(inputs.panel.close[day, largest])
    before = publish_index(rulebook, inputs.panel, last, {})
    assert before.restated_days() == []
    after = publish_index(rulebook, corrected(inputs.panel, day, largest, 1.5), last, {}, before)
    rows = after.restated_days()
    assert [each["DATE"] for each in rows] == sorted((each["DATE"] for each in rows), reverse=True)
    first = rows[-1]
    assert first["DATE"] == str(inputs.panel.day(day))
    assert (first["VERSION"], first["RESTATED"]) == (2, str(last))
    assert (first["VALUE_BEFORE"], first["VALUE"]) == (before.values["nav"][day], after.values["nav"][day])
    assert (first["LEVEL_BEFORE"], first["LEVEL"]) == (before.values["level"][day], after.values["level"][day])
    assert first["VALUE"] != first["VALUE_BEFORE"]
    assert first["REASON"].startswith(
        f"corrected prices: {asset} on {first['DATE']} ({price:.6g} to {1.5 * price:.6g})"
    )
    back = publish_index(rulebook, inputs.panel, last, {}, after)
    versions = [each["VERSION"] for each in back.restated_days()]
    assert versions == [3] * (len(versions) - len(rows)) + [2] * len(rows), "earlier ones stay, after the newer ones"


def test_a_restatement_by_other_data_than_prices_says_so(inputs: MarketInputs):
    rulebook, last = load_rulebook("top-10"), LAST.date()
    before = publish_index(rulebook, inputs.panel, last, {})
    caps = inputs.panel.market_cap.copy()
    caps[200:260, int(np.nanargmax(caps[200]))] /= 1_000
    after = publish_index(rulebook, replace(inputs.panel, market_cap=caps), last, {}, before)
    assert {each["REASON"] for each in after.restated_days()} == {
        "corrected market caps, volumes or facts about assets"
    }


async def test_a_folder_of_an_earlier_version_has_no_list_of_restatements(tmp_path: Path, inputs: MarketInputs):
    world = World(tmp_path, settings("top-10"))
    write_archive(tmp_path / "prices", inputs)
    await world.job.step()
    for path in (tmp_path / "indices").glob("*/index-0/restatements.*"):
        path.unlink()
    assert world.index("top-10").restated_days() == []


def test_other_rules_publish_everything_again(inputs: MarketInputs):
    rulebook, last = load_rulebook("top-10"), LAST.date()
    before = publish_index(rulebook, inputs.panel, last, {})
    dearer = rulebook.model_copy(update={"costs": rulebook.costs.model_copy(update={"fee_bps": 300.0})})
    after = publish_index(dearer, inputs.panel, last, {}, before)
    assert after.values["nav"][-1] < before.values["nav"][-1]
    assert after.restatements == 0


def test_an_index_begins_in_the_first_month_in_which_it_can(inputs: MarketInputs):
    rulebook, panel = load_rulebook("low-volatility"), inputs.panel
    start = find_start(rulebook, panel, LAST.date())
    assert panel.first_day < start < LAST.date()
    assert start.day == 1
    run_index(rulebook, panel, start)
    assert find_start(load_rulebook("top-10"), panel, LAST.date()) == panel.first_day


def test_holdings_are_what_the_log_holds_at_todays_prices(inputs: MarketInputs):
    """Index shares of the record x prices, which is another way than the weights of the engine."""
    grades = {inputs.panel.assets[0].id: AssetGrade(81.5, 2.0)}
    found = run_index(load_rulebook("top-10"), inputs.panel)
    index = publish_index(found.rulebook, inputs.panel, LAST.date(), grades)
    last = rebalances(found)[-1]
    close = inputs.panel.close[-1]
    worth = {each.asset: each.index_shares * close[inputs.panel.column[each.asset]] for each in last.holdings}
    rows = [orjson.loads(each) for each in index.tables["holdings"].rows[:]]
    assert {row["CG_ID"]: pytest.approx(row["WEIGHT"]) for row in rows} == {
        asset: value / sum(worth.values()) for asset, value in worth.items()
    }
    assert [row["WEIGHT"] for row in rows] == sorted((row["WEIGHT"] for row in rows), reverse=True)
    for row in rows:
        column = inputs.panel.column[row["CG_ID"]]
        entered = [
            event.traded
            for before, event in zip([None, *rebalances(found)], rebalances(found), strict=False)
            if row["CG_ID"] in {each.asset for each in event.holdings}
            and (before is None or row["CG_ID"] not in {each.asset for each in before.holdings})
        ][-1]
        bought = inputs.panel.close[inputs.panel.row(entered), column]
        assert row["CURRENT_ROI"] == pytest.approx(close[column] / bought - 1)
        assert row["MARKET_CAP"] == inputs.panel.market_cap[-1, column]
        assert row["TRADER_GRADE"] == (81.5 if column == 0 else None)
    assert index.listing["COINS"] == len(rows)
    assert index.listing["INDEX_GRADE"] == (81.5 if any(row["TRADER_GRADE"] for row in rows) else None)
    assert index.listing["MARKET_CAP"] == pytest.approx(sum(row["MARKET_CAP"] for row in rows))


async def test_own_rulebooks_are_computed_and_wrong_ones_named(tmp_path: Path, inputs: MarketInputs):
    folder = tmp_path / "rulebooks"
    folder.mkdir()
    (folder / "big.toml").write_text('name = "big"\ntitle = "Big"\n[selection]\ncount = 3\n')
    (folder / "large.toml").write_text('name = "big"\ntitle = "Large"\n')
    (folder / "top-10.toml").write_text('name = "top-10"\ntitle = "My ten"\n[selection]\ncount = 10\n')
    (folder / "wrong.toml").write_text('name = "wrong"\ntitle = "Wrong"\nweigth = 3\n')
    (folder / "huge.toml").write_text('name = "huge"\ntitle = "Huge"\n[universe]\nminimum_market_cap = 1e18\n')
    world = World(tmp_path, settings("top-10", str(folder)))
    write_archive(tmp_path / "prices", inputs)
    await world.job.step()
    published = world.published
    titles = {each.rulebook.name: each.rulebook.title for each in published.indices}
    assert titles == {"top-10": "My ten", "big": "Big"}
    assert sorted(published.failures) == ["huge", "large.toml", "wrong.toml"]
    assert "weigth" in published.failures["wrong.toml"]
    assert "0 assets are eligible" in published.failures["huge"]
    assert "big.toml" in published.failures["large.toml"]

    first = world.written()
    (folder / "huge.toml").write_text('name = "huge"\ntitle = "Huge"\n[universe]\nminimum_market_cap = 1e7\n')
    await world.job.step()
    assert world.written() != first
    assert "huge" in {each.rulebook.name for each in world.published.indices}


REFUSING = """
name = "four"
title = "Four"
[universe]
minimum_market_cap = 1_000
[selection]
count = 4
[weights]
each_at_most = 0.25
if_infeasible = "refuse"
[calendar]
every = "day"
"""


async def test_an_index_that_fails_keeps_what_was_published_marked(tmp_path: Path, inputs: MarketInputs):
    rules = tmp_path / "rulebooks" / "four.toml"
    rules.parent.mkdir()
    rules.write_text(REFUSING)
    world = World(tmp_path, settings("top-10", str(rules.parent)))
    write_archive(tmp_path / "prices", until(inputs, 1))
    await world.job.step()
    before = world.index("four")
    caps = inputs.panel.market_cap.copy()
    caps[-1, 3:] = 1.0
    write_archive(tmp_path / "prices", replace(inputs, panel=replace(inputs.panel, market_cap=caps)))
    await world.job.step()
    after = world.index("four")
    assert "3 assets cannot be at most 0.25" in after.failure
    assert after.last_day == before.last_day
    assert after.tables["performance"].rows[:] == before.tables["performance"].rows[:]
    assert world.index("top-10").last_day == at_day(LAST.date())
    await world.restarted().step()
    assert world.index("four").failure
    rules.write_text(REFUSING.replace("refuse", "relax"))
    await world.job.step()
    assert world.index("four").failure == ""
    assert world.index("four").last_day == at_day(LAST.date())


def test_a_setting_that_cannot_be_is_named(tmp_path: Path):
    for wrong, name in ((settings("top-11"), "top-11"), (settings("all", str(tmp_path / "no")), "no")):
        with pytest.raises(InvalidSetting, match=name):
            World(tmp_path, wrong).job._step()


async def test_grades_come_with_their_day(inputs: MarketInputs):
    snapshot = build_snapshot(inputs, at_day(LAST.date()) + DAY)
    found = grades_on(snapshot, LAST.date())
    graded = snapshot.series["trader-grades"].fields["trader"][-1]
    assert [found[each.id].grade for each in snapshot.assets] == pytest.approx(graded.tolist(), nan_ok=True)
    assert grades_on(snapshot, LAST.date() + timedelta(days=1)) == {}
    assert grades_on(None, LAST.date()) == {}


def test_a_number_never_changes():
    assert index_number("global-100") == 1172922504

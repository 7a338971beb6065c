"""Bulletins: written from figures alone, by a slow model the right ones; once each, although workers die or are two."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indices.conftest import LAST, NOW
from tests.support.bulletin_crash import bulletin_job
from tests.support.fake_clock import FakeClock
from tests.support.market_archive import write_archive
from tests.support.notification_crash import notifications_in
from usufruct.accounts.notifications import EventKind
from usufruct.analytics.snapshot import DAY, Snapshot
from usufruct.analytics.snapshot_build import MarketInputs, build_snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.config import MarketsConfig
from usufruct.connectors.news import NewsArchive, NewsItem
from usufruct.core import Address
from usufruct.indices.bulletins import (
    BulletinKind,
    BulletinStore,
    DayNews,
    choose_news,
    guide_days,
    read_day_news,
    write_briefing,
    write_guide,
)
from usufruct.indices.publication import IndexJob, IndexTables, read_indices
from usufruct.store import Database

ADA, BOB = (Address("0x" + letter * 40) for letter in "ab")
BARS = ("open", "high", "low", "close", "volume")
VALUES = ("close", "market_cap", "volume")
NAMES = "global-100 top-10"
TODAY = LAST.date()
SITE = "https://ai.example.org"


def until(inputs: MarketInputs, days: int) -> MarketInputs:
    """Return the inputs without their last days, and without hours."""
    panel, daily = inputs.panel, inputs.daily
    end = panel.days - days
    cut = {name: getattr(panel, name)[:end] for name in VALUES}
    return MarketInputs(replace(panel, **cut), replace(daily, **{name: getattr(daily, name)[:end] for name in BARS}))


def published(folder: Path, inputs: MarketInputs, names: str = NAMES) -> tuple[Snapshot, IndexTables]:
    """Write what a worker computes of the inputs, on the day after their last one."""
    now = NOW - (TODAY - inputs.panel.last_day).days * DAY
    snapshot = build_snapshot(inputs, now)
    write_snapshot(folder / "ratings", snapshot)
    write_archive(folder / "prices", inputs)
    settings = MarketsConfig(api="yes", indices=names)
    IndexJob(settings, folder / "prices", folder / "indices", lambda: snapshot, FakeClock(now))._step()
    return snapshot, read_indices(folder / "indices")


def changed(inputs: MarketInputs, changes: dict[tuple[int, int], float]) -> MarketInputs:
    """Return the inputs with other closes, by row and column."""
    close, cap = inputs.panel.close.copy(), inputs.panel.market_cap.copy()
    for place, value in changes.items():
        cap[place] *= value / close[place]
        close[place] = value
    return MarketInputs(replace(inputs.panel, close=close, market_cap=cap), replace(inputs.daily, close=close))


def item(title: str, known_at: datetime, *assets: str, source: str = "wire", link: str = "") -> NewsItem:
    return NewsItem(f"{source} {title}", source, title, link, "", known_at, known_at, assets)


@pytest.fixture(scope="module")
def world(inputs: MarketInputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, IndexTables]:
    return published(tmp_path_factory.mktemp("whole"), inputs)


# What is written


def test_later_prices_change_no_bulletin_by_a_byte(
    world: tuple[Snapshot, IndexTables], inputs: MarketInputs, tmp_path: Path
):
    snapshot, tables = world
    earlier, earlier_tables = published(tmp_path, until(inputs, 20))
    for day in (TODAY - timedelta(days=20), TODAY - timedelta(days=40)):
        now, then = (
            write_briefing(*each, DayNews(), day).as_json() for each in ((snapshot, tables), (earlier, earlier_tables))
        )
        assert now == then
    month = f"{TODAY - timedelta(days=20):%Y-%m}"
    guides = [
        write_guide(*each, month)
        for each in ((snapshot, tables.find("top-10")), (earlier, earlier_tables.find("top-10")))
    ]
    assert guides[0].as_json() == guides[1].as_json()


def test_the_input_hash_differs_where_prices_news_or_indices_do(world: tuple[Snapshot, IndexTables]):
    snapshot, tables = world
    day, fewer = TODAY, replace(tables, indices=tables.indices[:1])
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    hashes = {
        write_briefing(snapshot, tables, DayNews(), day).input_hash,
        write_briefing(snapshot, tables, DayNews(), day - timedelta(days=1)).input_hash,
        write_briefing(snapshot, fewer, DayNews(), day).input_hash,
        write_briefing(snapshot, tables, DayNews([item("up", noon)]), day).input_hash,
        write_briefing(snapshot, tables, DayNews([item("down", noon)]), day).input_hash,
        write_briefing(snapshot, tables, DayNews([], {"wire": day}), day).input_hash,
    }
    assert len(hashes) == 6


def test_the_lists_are_those_of_a_slow_model(world: tuple[Snapshot, IndexTables], inputs: MarketInputs):
    snapshot, tables = world
    panel = inputs.panel
    plain = [n for n, each in enumerate(panel.assets) if not each.categories & {"stablecoin", "wrapped"}]
    overall = snapshot.series["tm-grade-history"].fields["overall"]
    signals = snapshot.series["trading-signals"].fields["signal"]
    seen: dict[str, int] = {"signals": 0, "grades": 0, "pegs": 0}
    for back in range(120):
        row = panel.days - 1 - back
        found = write_briefing(snapshot, tables, DayNews(), panel.day(row))
        change = {
            panel.assets[n].id: panel.close[row, n] / panel.close[row - 1, n] - 1
            for n in plain
            if np.isfinite(panel.close[row, n]) and np.isfinite(panel.close[row - 1, n])
        }
        up = sorted((id_ for id_, each in change.items() if each > 0), key=lambda id_: -change[id_])[:5]
        down = sorted((id_ for id_, each in change.items() if each < 0), key=lambda id_: change[id_])[:5]
        assert ([each.id for each in found.gainers], [each.id for each in found.losers]) == (up, down)
        turned = {
            panel.assets[n].id for n in plain if panel.market_cap[row, n] > 0 and signals[row, n] != signals[row - 1, n]
        }
        assert found.signal_count == len(turned)
        assert {each.id for each in found.signals} <= turned
        moved = {panel.assets[n].id for n in plain if abs(overall[row, n] - overall[row - 1, n]) >= 10}
        assert found.grade_count == len(moved)
        off = {
            each.id
            for n, each in enumerate(panel.assets)
            if "stablecoin" in each.categories and abs(panel.close[row, n] - 1) > 0.01
        }
        assert {each.id for each in found.off_peg} == off
        assert found.market.total_cap == pytest.approx(np.nansum(panel.market_cap[row]))
        seen = {
            "signals": seen["signals"] + len(turned),
            "grades": seen["grades"] + len(moved),
            "pegs": seen["pegs"] + len(off),
        }
    assert all(seen.values()), f"the market has some of each: {seen}"


def test_indices_are_those_that_are_published(world: tuple[Snapshot, IndexTables]):
    snapshot, tables = world
    [first, second] = write_briefing(snapshot, tables, DayNews(), TODAY).indices
    for line in (first, second):
        nav = tables.find(line.id).values["nav"]
        assert line.value == nav[-1]
        assert line.week_change == pytest.approx(nav[-1] / nav[-8] - 1, abs=1e-6)
    failed = replace(
        tables, indices=(replace(tables.indices[0], first_day=NOW).failed("too few assets"), tables.indices[1])
    )
    gaps = write_briefing(snapshot, failed, DayNews(), TODAY).gaps
    assert [(each.id, each.reason) for each in gaps.indices] == [(tables.indices[0].rulebook.name, "too few assets")]


def test_gaps_and_new_de_pegs_are_named(inputs: MarketInputs, tmp_path: Path):
    panel = inputs.panel
    last = panel.days - 1
    largest = int(np.nanargmax(panel.market_cap[-1]))
    [stable, *_] = [
        n
        for n, each in enumerate(panel.assets)
        if "stablecoin" in each.categories and abs(panel.close[-2, n] - 1) <= 0.01 and n != largest
    ]
    day_lost = {(last - 3, n): np.nan for n in range(len(panel.assets))}
    snapshot, tables = published(tmp_path, changed(inputs, {(last, largest): np.nan, (last, stable): 0.9} | day_lost))
    found = write_briefing(snapshot, tables, DayNews([], {"wire": TODAY - timedelta(days=9)}), TODAY)
    assert [each.id for each in found.gaps.unpriced] == [panel.assets[largest].id]
    assert found.gaps.unpriced_count == 1
    assert found.gaps.days_without_prices == [str(TODAY - timedelta(days=3))]
    assert [(each.name, each.since) for each in found.gaps.silent_sources] == [("wire", str(TODAY - timedelta(days=9)))]
    assert {each.id: each.began for each in found.off_peg}[panel.assets[stable].id]
    empty = write_briefing(snapshot, tables, DayNews(), TODAY - timedelta(days=3))
    assert (empty.gainers, empty.losers, empty.market.total_cap) == ([], [], None)


def test_a_guide_names_why_each_asset_is_in_what_changed_and_risks(
    world: tuple[Snapshot, IndexTables], inputs: MarketInputs
):
    snapshot, tables = world
    index, panel = tables.find("top-10"), inputs.panel
    days = guide_days(index)
    left, new = 0, 0
    for month in list(days)[:8]:
        guide = write_guide(snapshot, index, month)
        decided, row = panel.row(date.fromisoformat(guide.decided)), panel.row(days[month])
        assert guide.day == f"{days[month]}"
        caps = {
            each.id: panel.market_cap[decided, n]
            for n, each in enumerate(panel.assets)
            if panel.market_cap[decided, n] > 0 and not each.categories & set(index.rulebook.universe.exclude)
        }
        ordered = sorted(caps, key=lambda id_: -caps[id_])
        assert [each.rank for each in guide.assets] == [ordered.index(each.id) + 1 for each in guide.assets]
        weights = np.array([each.weight for each in guide.assets])
        assert weights.sum() + guide.cash == pytest.approx(1)
        assert guide.risks.concentration == pytest.approx((weights**2).sum(), abs=1e-6)
        assert guide.risks.largest == weights.max()
        nav = np.asarray(index.values["nav"][: row + 1 - panel.row(panel.first_day)])
        start = (datetime.fromtimestamp(index.first_day, UTC).date() - panel.first_day).days
        nav = np.asarray(index.values["nav"])[: row - start + 1][-365:]
        assert guide.risks.max_drawdown == pytest.approx(
            min(nav[n] / nav[: n + 1].max() - 1 for n in range(len(nav))), abs=1e-6
        )
        for each in guide.assets:
            column = panel.column[each.id]
            assert each.grades.overall == pytest.approx(
                float(snapshot.series["tm-grade-history"].fields["overall"][row, column]), abs=0.006
            )
            assert each.reason
        left, new = left + len(guide.left), new + sum(each.weight_before == 0 for each in guide.assets)
        held = {each.id for each in guide.assets}
        assert not held & {each.id for each in guide.left}
    assert left > 0
    assert new > 0


# News


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Rises", "falls", "FALLS", "stays"]),
            st.integers(0, 5),
            st.lists(st.sampled_from(["a", "b", "c", "unknown"]), max_size=2),
        ),
        max_size=14,
    )
)
def test_news_of_the_largest_assets_come_first_then_the_newest(drawn: list[tuple[str, int, list[str]]]):
    items = [
        replace(item(title, datetime(2026, 1, 31, hour, tzinfo=UTC), *assets), id=f"{n:02}")
        for n, (title, hour, assets) in enumerate(drawn)
    ]
    ranks = {"a": 1, "b": 2, "c": 3}
    left, expected = list(items), []
    while left:
        best = min(
            left,
            key=lambda each: (
                min([ranks.get(asset, 99) for asset in each.assets] or [99]),
                -each.published_at.timestamp(),
                -int(each.id),
            ),
        )
        left.remove(best)
        if best.title.casefold() not in {each.title.casefold() for each in expected}:
            expected.append(best)
    assert choose_news(items, ranks) == expected[:8]


def test_news_are_those_that_were_learnt_on_the_day(tmp_path: Path):
    archive, noon = NewsArchive(tmp_path), datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    old = replace(item("an old one, imported today", noon), published_at=noon - timedelta(days=9))
    archive.add(
        [
            item("today", noon),
            old,
            item("tomorrow", noon + timedelta(days=1)),
            item("yesterday", noon - timedelta(days=1)),
            item("four days ago", noon - timedelta(days=4), source="silent"),
        ]
    )
    found = read_day_news(archive, TODAY)
    assert [each.title for each in found.items] == ["today"]
    assert found.silent == {"silent": TODAY - timedelta(days=4)}


# Once each


@pytest.fixture(scope="module")
def whole(inputs: MarketInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder; tests only read it."""
    folder = tmp_path_factory.mktemp("bulletins")
    published(folder, inputs)
    return folder


async def subscribe(database: Database, *persons: Address) -> None:
    notifications = notifications_in(database)
    for person in persons:
        await notifications.choose(person, frozenset({"market.briefing"}), 0, "en", SITE)
        await notifications.set_webhook(person, "http://127.0.0.1:1/")


async def told(database: Database, person: Address) -> list[dict[str, Any]]:
    """Return what a person was told, the oldest first."""
    events = [each.event for each in reversed(await notifications_in(database).latest(person))]
    assert {each.kind for each in events} <= {EventKind.BRIEFING}
    return [json.loads(each.data) for each in events]


async def test_each_day_is_written_and_told_once_and_missed_days_are_caught_up(
    database: Database, inputs: MarketInputs, tmp_path: Path
):
    store = BulletinStore(database)
    await subscribe(database, ADA)
    await bulletin_job(database, tmp_path, NOW).step()
    assert await store.periods(BulletinKind.BRIEFING) == [], "before there are prices there is nothing to write"
    published(tmp_path, until(inputs, 33))
    first = TODAY - timedelta(days=33)
    job = bulletin_job(database, tmp_path, NOW - 33 * DAY)
    for _ in range(2):
        await job.step()
    await bulletin_job(database, tmp_path, NOW - 33 * DAY).step()
    assert await store.periods(BulletinKind.BRIEFING) == [str(first)], "only the last day, the first time"
    assert await store.periods(BulletinKind.GUIDE) == [f"{first:%Y-%m}"]
    assert [each["day"] for each in await told(database, ADA)] == [str(first)]

    published(tmp_path, inputs)
    await bulletin_job(database, tmp_path, NOW).step()
    caught = [str(TODAY - timedelta(days=n)) for n in range(31)]
    assert await store.periods(BulletinKind.BRIEFING) == [*caught, str(first)], "at most a month back"
    assert await store.periods(BulletinKind.GUIDE) == ["2026-01", f"{first:%Y-%m}"]
    days = [each["day"] for each in await told(database, ADA)]
    assert days == [str(first), *sorted(caught[:3])], "old ones are kept, not sent"


async def test_who_subscribes_later_is_told_of_the_next_one(database: Database, whole: Path):
    await bulletin_job(database, whole, NOW).step()
    await subscribe(database, ADA)
    await bulletin_job(database, whole, NOW).step()
    assert await told(database, ADA) == []


async def test_a_message_has_the_sentences_in_each_language_and_a_link(database: Database, whole: Path):
    await subscribe(database, ADA)
    await bulletin_job(database, whole, NOW).step()
    [data] = await told(database, ADA)
    assert data["url"] == f"{SITE}/briefings/{TODAY}"
    assert data["synthetic"] is True
    assert data["texts"]["en"].startswith("Simulated prices: no figure is of a real market.")
    assert data["texts"]["de"].startswith("Simulierte Kurse")
    assert set(data["texts"]) == set(data["titles"]) == {"en", "de"}
    kept = await BulletinStore(database).find(BulletinKind.BRIEFING, str(TODAY))
    assert kept is not None
    assert data["inputHash"] == kept.input_hash == json.loads(kept.document)["inputHash"]


def worker(url: str, folder: Path, point: str = "") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.bulletin_crash", url, str(folder), str(NOW), point]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> int:
    out, errors = process.communicate(timeout=180)
    assert (process.returncode, out) in ((-9, ""), (0, "alive\n")), errors
    return process.returncode


@pytest.mark.parametrize("point", ["briefing.written", "top-10-guide.written", "briefing.reported"])
async def test_a_killed_worker_loses_nothing_and_its_successor_tells_no_one_twice(
    database: Database, database_url: str, whole: Path, point: str
):
    await subscribe(database, ADA, BOB)
    assert await asyncio.to_thread(ended, worker(database_url, whole, point)) == -9
    assert await asyncio.to_thread(ended, worker(database_url, whole)) == 0
    store = BulletinStore(database)
    assert await store.periods(BulletinKind.BRIEFING) == [str(TODAY)]
    assert await store.periods(BulletinKind.GUIDE) == ["2026-01"]
    for person in (ADA, BOB):
        assert [each["day"] for each in await told(database, person)] == [str(TODAY)]


async def test_two_workers_at_once_write_and_tell_once(database: Database, database_url: str, whole: Path):
    await subscribe(database, ADA, BOB)
    workers = [worker(database_url, whole) for _ in range(2)]
    assert [await asyncio.to_thread(ended, each) for each in workers] == [0, 0]
    assert await BulletinStore(database).count(BulletinKind.BRIEFING) == 1
    for person in (ADA, BOB):
        assert len(await told(database, person)) == 1

"""`usufruct briefing` shows what the worker wrote."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.bulletin_crash import bulletin_job
from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs, write_archive
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.config import MarketsConfig
from usufruct.indices.publication import IndexJob
from usufruct.store import ensure_current, open_database

LAST = datetime(2026, 1, 31, tzinfo=UTC)
NOW = int(LAST.timestamp()) + 86_400 + 1_800


async def write(folder: Path, url: str) -> None:
    """Write the bulletins of a simulated market, as a worker does."""
    inputs = simulated_inputs(LAST)
    snapshot = build_snapshot(inputs, NOW)
    write_archive(folder / "prices", inputs)
    write_snapshot(folder / "ratings", snapshot)
    settings = MarketsConfig(api="yes", indices="top-10")
    await IndexJob(settings, folder / "prices", folder / "indices", lambda: snapshot, FakeClock(NOW)).step()
    database = open_database(url)
    await ensure_current(database)
    await bulletin_job(database, folder, NOW).step()
    await database.close()


@pytest.fixture
def briefed(cli_world: Any, tmp_path: Path) -> Any:
    """Commands that need no chain."""
    (tmp_path / "config.toml").touch()
    return cli_world.Commands(
        {
            "USUFRUCT_DATA_FOLDER": str(tmp_path),
            "USUFRUCT_CONFIG": str(tmp_path / "config.toml"),
        }
    )


def test_briefings_and_the_guide_are_listed_and_shown(briefed: Any, tmp_path: Path):
    assert "no briefing is written yet" in briefed.refused("briefing", "show").message
    asyncio.run(write(tmp_path, briefed.config.database.url))
    [line] = briefed.json("briefing", "list")
    kept = briefed.json("briefing", "show")
    assert kept == briefed.json("briefing", "show", "2026-01-31")
    assert (line["day"], line["inputs"]) == ("2026-01-31", kept["briefing"]["inputHash"])
    text = briefed.run("briefing", "show").output
    assert "Simulated prices: no figure is of a real market." in text
    assert "The market's signal is" in text
    assert "it is no advice" in text
    guide = briefed.json("briefing", "guide", "2026-01")["guide"]
    assert 8 <= len(guide["assets"]) <= 12
    assert "no guide of 2019-01" in briefed.refused("briefing", "guide", "2019-01").message
    assert "is not a day" in briefed.refused("briefing", "show", "yesterday").message

"""The simulated market, made once, and indices that are published over a small one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs, write_archive
from usufruct.analytics.snapshot import DAY, Snapshot
from usufruct.analytics.snapshot_build import MarketInputs, build_snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.config import MarketsConfig
from usufruct.connectors.prices import Panel, SyntheticMarket, synthesize
from usufruct.indices.publication import IndexJob

LAST = datetime(2026, 1, 31, tzinfo=UTC)
NOW = int(LAST.timestamp()) + DAY + 1_800
NAMES = "defi global-100 metaverse-gaming top-10 top-50"


@pytest.fixture(scope="session")
def market() -> Panel:
    return synthesize(SyntheticMarket(days=1_000))


@pytest.fixture(scope="session")
def inputs() -> MarketInputs:
    return simulated_inputs(LAST)


@pytest.fixture(scope="session")
def snapshot(inputs: MarketInputs) -> Snapshot:
    return build_snapshot(inputs, NOW)


@pytest.fixture(scope="session")
def folder(inputs: MarketInputs, snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder where indices are published; tests only read it."""
    there = tmp_path_factory.mktemp("data")
    write_archive(there / "prices", inputs)
    settings = MarketsConfig(api="yes", indices=NAMES)
    IndexJob(settings, there / "prices", there / "indices", lambda: snapshot, FakeClock(NOW))._step()
    write_snapshot(there / "ratings", snapshot)
    return there


@pytest.fixture
def sqlite_url(databases: Any) -> str:
    return str(databases.migrated("sqlite"))

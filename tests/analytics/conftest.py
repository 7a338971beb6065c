"""The market API served in this process, from a snapshot of a simulated market."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs
from tests.support.market_world import MarketWorld, OneSession, market_world
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot

LAST_DAY = datetime(2026, 1, 31, tzinfo=UTC)
NOW = int(datetime(2026, 2, 1, 0, 30, tzinfo=UTC).timestamp())


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return build_snapshot(simulated_inputs(LAST_DAY), NOW)


@pytest.fixture
def sqlite_url(databases: Any) -> str:
    return str(databases.migrated("sqlite"))


@pytest.fixture
async def market(sqlite_url: str, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[MarketWorld]:
    clock, folder = FakeClock(NOW), tmp_path / "ratings"
    write_snapshot(folder, snapshot)
    tables = MarketTables(SnapshotReader(folder, clock), clock)
    async with market_world(
        sqlite_url,
        folder,
        clock,
        lambda api, keys: market_routes(tables, api, keys, OneSession()),  # type: ignore[arg-type]
    ) as world:
        yield world

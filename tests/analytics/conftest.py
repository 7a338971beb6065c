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
from usufruct.analytics.learned import LearnedModel, TrainingPlan, train, write_model
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, read_snapshot, write_snapshot

LAST_DAY = datetime(2026, 1, 31, tzinfo=UTC)
NOW = int(datetime(2026, 2, 1, 0, 30, tzinfo=UTC).timestamp())


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return build_snapshot(simulated_inputs(LAST_DAY), NOW)


@pytest.fixture(scope="session")
def learned_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a model."""
    return tmp_path_factory.mktemp("learned-data")


@pytest.fixture(scope="session")
def model(learned_data: Path) -> LearnedModel:
    """A small model of the simulated market."""
    plan = TrainingPlan(refit_weeks=26, first_days=240, folds=2, trees=8, leaves=7, least_rows_of_leaf=20)
    return write_model(learned_data / "learned", train(simulated_inputs(LAST_DAY).panel, plan))


@pytest.fixture(scope="session")
def learned(model: LearnedModel, learned_data: Path) -> Snapshot:
    """The snapshot with the signals of that model."""
    write_snapshot(learned_data / "shown", build_snapshot(simulated_inputs(LAST_DAY), NOW, model))
    return read_snapshot(learned_data / "shown")


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

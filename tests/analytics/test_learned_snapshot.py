"""Learned signals where they are shown: in snapshots, on an asset's page, in the worker's job and in `doctor`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from tests.analytics.conftest import LAST_DAY, NOW
from tests.support.fake_clock import FakeClock
from tests.support.learning import needs_openmp
from tests.support.market_archive import simulated_inputs, write_archive
from usufruct.analytics.api_answer import DataState
from usufruct.analytics.coin_view import coin_facts
from usufruct.analytics.figures import MarketFigures
from usufruct.analytics.learned import LearnedModel
from usufruct.analytics.learned_tables import MODEL, PARTS, SHOWN_DAYS, SIGNALS
from usufruct.analytics.serving import RatingsJob, check_model
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import read_snapshot
from usufruct.analytics.writing import Wording
from usufruct.connectors.prices import STABLECOIN
from usufruct.core.diagnostics import Finding, Verdict

pytestmark = needs_openmp


def figures(snapshot: Snapshot) -> MarketFigures:
    return MarketFigures(snapshot, DataState(snapshot.id, "2026-01-31T00:00:00.000Z", False, True, snapshot.source))


def test_a_model_adds_its_tables_and_changes_no_other(learned: Snapshot, snapshot: Snapshot):
    assert learned.id != snapshot.id
    assert learned.series.keys() - snapshot.series.keys() == {SIGNALS}
    assert learned.rows.keys() - snapshot.rows.keys() == {PARTS, MODEL}
    for name, table in snapshot.series.items():
        for field, values in table.fields.items():
            assert np.asarray(learned.series[name].fields[field]).tobytes() == values.tobytes(), name
    for name, rows in snapshot.rows.items():
        assert list(learned.rows[name].rows) == list(rows.rows), name


def test_an_asset_has_its_score_its_signal_and_what_moved_it(
    learned: Snapshot, snapshot: Snapshot, model: LearnedModel
):
    of, scores = figures(learned), learned.series[SIGNALS].fields["score"]
    shown = {each.id: coin_facts(of, each.id, Wording()).learned for each in learned.assets}
    scored = {name: each for name, each in shown.items() if each is not None}
    assert len(scored) > 10
    assert sorted(each.score for each in scored.values()) == sorted(scores[-1][np.isfinite(scores[-1])].tolist())
    for each in scored.values():
        assert each.signal == (1 if each.score >= 80 else -1 if each.score <= 20 else 0)
        assert each.model == model.id
        assert each.horizon_days == 7
        assert each.learned_until == str(model.fits[-1].learned_until) < "2026-01-31"
        assert 0 < len(each.parts) <= 6
    stable = [each.id for each in learned.assets if STABLECOIN in each.categories]
    assert stable
    assert not scored.keys() & set(stable)
    assert coin_facts(figures(snapshot), learned.assets[0].id, Wording()).learned is None
    assert np.isnan(scores[:-SHOWN_DAYS]).all()


async def test_the_worker_adds_a_model_and_goes_on_without_a_refused_one(
    learned_data: Path, model: LearnedModel, caplog: pytest.LogCaptureFixture
):
    folder = learned_data
    write_archive(folder / "prices", simulated_inputs(LAST_DAY, hours=24))
    ratings = folder / "ratings"
    job = RatingsJob(folder / "prices", ratings, FakeClock(NOW))
    await job.step()
    about = orjson.loads(read_snapshot(ratings).rows[MODEL].rows[0])
    assert about["model"] == model.id
    found = checked(folder / "learned")
    assert found.verdict is Verdict.OK
    assert model.id in found.says
    card = folder / "learned" / model.id / "card.json"
    whole = card.read_bytes()
    card.write_bytes(whole[:-5])
    try:
        await RatingsJob(folder / "prices", ratings, FakeClock(NOW + 60)).step()
        assert SIGNALS not in read_snapshot(ratings).series
        assert "was changed after it was written" in caplog.text
        assert checked(folder / "learned").verdict is Verdict.PROBLEM
    finally:
        card.write_bytes(whole)
    assert "simulated" in checked(folder / "learned", synthetic=False).says
    assert check_model(folder / "nothing", synthetic=True) is None


def test_what_serves_a_model_loads_no_trees():
    """LightGBM and what it brings take 100 MB: training and the worker alone load it."""
    code = "import sys; import usufruct.analytics.serving; print(*({'lightgbm', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert not done.stdout.strip()


def checked(folder: Path, *, synthetic: bool = True) -> Finding:
    found = check_model(folder, synthetic=synthetic)
    assert found is not None
    return found

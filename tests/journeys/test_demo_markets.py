"""The markets chapter as a stranger runs it: one JSON object, by Token Metrics' own client, and a report to look at."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from usufruct.indices import shipped

pytestmark = pytest.mark.anvil

CLIENT = Path(__file__).parents[2] / "build" / "tmai"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("markets")


@pytest.fixture(scope="module")
def outcome(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "usufruct.cli", "demo", "markets", "--json", "--folder", folder],
        capture_output=True,
        timeout=600,
        check=False,
        env=os.environ | {"PYTHONPATH": str(CLIENT), "NO_PROXY": "*", "no_proxy": "*"},
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    shown: dict[str, Any] = orjson.loads(done.stdout)
    return shown


def test_the_stock_client_reads_what_the_worker_rated(outcome: dict[str, Any]) -> None:
    api, best = outcome["api"], outcome["best_rated"]
    assert api["client"] == "tmai-api (PyPI)"
    assert api["rows"]["tokens"] >= 1
    assert api["rows"]["trader_grades"] >= 5
    assert best[0]["TOKEN_SYMBOL"] in api["answer"]
    assert [each["TM_GRADE"] for each in best] == sorted((each["TM_GRADE"] for each in best), reverse=True)


def test_the_worker_publishes_all_shipped_indices(outcome: dict[str, Any]) -> None:
    listed = {each["SLUG"]: each for each in outcome["indices"]}
    assert set(listed) == set(shipped())
    assert listed["top-10"]["COINS"] == 10
    assert listed["global-100"]["REGIME"] in ("bullish", "bearish")


def test_the_index_replays_to_the_byte_and_is_labelled(outcome: dict[str, Any], folder: Path) -> None:
    index = outcome["index"]
    assert outcome["replayed"] is True
    assert (outcome["synthetic"], index["synthetic"], index["index"]) == (True, True, "global-100")
    assert index["rebalances"]["count"] > 200
    assert index["total_return_by_delisting_rule"]["zero"] <= index["total_return_by_delisting_rule"]["last"]
    assert orjson.loads((folder / "index.json").read_bytes())["record_hash"] == index["record_hash"]
    page = (folder / "index.html").read_text()
    assert "simulated" in page
    assert "http://" not in page.replace("http://www.w3.org", "")

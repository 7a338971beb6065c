"""`usufruct rating` reads what was computed from the archive, and explains it from the archive again."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.learning import needs_openmp
from tests.support.market_archive import simulated_inputs, write_archive
from usufruct.analytics.api_key_store import MarketKey, MarketKeyStore
from usufruct.analytics.grades import OVERALL_WEIGHTS, TECHNICAL_WEIGHTS, grade, input_digests
from usufruct.connectors.prices import Panel
from usufruct.store import ensure_current, open_database

LAST_DAY = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rated")
    write_archive(folder / "prices", simulated_inputs(LAST_DAY))
    return folder


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulated_inputs(LAST_DAY).panel


@pytest.fixture
def rated(folder: Path, cli_world: Any, tmp_path: Path) -> Any:
    """Commands that need no chain."""
    (tmp_path / "config.toml").touch()
    return cli_world.Commands({"USUFRUCT_DATA_FOLDER": str(folder), "USUFRUCT_CONFIG": str(tmp_path / "config.toml")})


@pytest.fixture
def rating(rated: Any) -> Callable[..., Any]:
    return lambda *arguments: rated.json("rating", *arguments)


def test_what_was_computed_is_listed_and_shown(rated: Any, rating: Callable[..., Any], panel: Panel):
    assert "no market data yet" in rated.refused("rating", "list").message
    made = rating("compute")
    assert (made["assets"], made["last_day"], made["simulated"]) == (30, "2026-01-31", True)
    graded = grade(panel)
    listed = rating("list", "--limit", "5")
    best = sorted((each for each in graded.trader[-1] if each == each), reverse=True)[:5]
    assert [row["trader"] for row in listed] == pytest.approx(best, abs=0.0051)
    asset = panel.assets[0]
    shown = rating("show", asset.id)
    assert shown["trader"] == pytest.approx(graded.trader[-1, 0], abs=0.0051)
    assert shown["technology"] is None
    assert shown["inputs"] == input_digests(panel)[-1]
    assert asset.name in shown["report"]
    days = rating("history", asset.id, "--days", "3")
    assert [row["day"] for row in days] == ["2026-01-31", "2026-01-30", "2026-01-29"]
    assert [row["inputs"] for row in days] == input_digests(panel)[:-4:-1]
    assert [row["overall"] for row in days] == pytest.approx(graded.overall[:-4:-1, 0], abs=0.0051)


def test_the_parts_of_an_explanation_make_the_grade(rating: Callable[..., Any], panel: Panel):
    asset = panel.assets[0]
    *rows, inputs = rating("explain", asset.id, "--day", "2025-12-31")
    parts = {row["part"]: row for row in rows}
    technical = sum(parts[name]["value"] * weight for name, weight in TECHNICAL_WEIGHTS.items())
    assert parts["technical"]["value"] == pytest.approx(technical, abs=0.01)
    assert parts["overall"]["value"] == pytest.approx(
        sum(parts[name]["value"] * weight for name, weight in OVERALL_WEIGHTS.items()), abs=0.01
    )
    at = panel.row(datetime(2025, 12, 31, tzinfo=UTC).date())
    assert parts["trader"]["value"] == pytest.approx(grade(panel).trader[at, 0], abs=0.0051)
    assert inputs["value"] == input_digests(panel)[at]


@needs_openmp
def test_a_model_is_trained_its_card_shown_and_its_signals_computed(
    rated: Any, rating: Callable[..., Any], folder: Path, panel: Panel, tmp_path: Path
):
    assert "usufruct rating train" in rated.refused("rating", "model-card").message
    made = rating("train", "--first-days", "240", "--refit-weeks", "26", "--folds", "2", "--horizon", "10")
    assert (made["synthetic"], made["plan"]["horizon_days"], made["plan"]["embargo_days"]) == (True, 10, 10)
    assert made["written"] == str(folder / "learned")
    assert (made["data"]["assets"], made["data"]["last_day"]) == (30, "2026-01-31")
    assert made["seconds"] < 300
    card = rating("model-card")
    assert card == {name: value for name, value in made.items() if name not in {"model", "written", "seconds"}}
    page = rated.run("rating", "model-card").stdout
    assert page.startswith("# Model card: learned signal")
    assert page == (folder / "learned" / made["model"] / "card.md").read_text()
    rating("compute")
    scored = [rating("show", each.id) for each in panel.assets[:4]]
    assert all({"learned_signal", "learned_score"} <= each.keys() for each in scored)
    assert any(each["learned_score"] is not None for each in scored)
    trial = rating("train", "--archive", str(folder / "prices"), "--first-days", "400", "--folds", "2")
    assert trial["written"] == str(folder / "learned-trial"), "what learned from other prices is not the worker's"
    assert rating("model-card", "--model", str(folder / "learned-trial"))["hash"] == trial["hash"]
    assert "too few" in rated.refused("rating", "train", "--to", str(panel.day(200))).message
    assert rating("model-card") == card


def test_what_cannot_be_is_refused_with_the_remedy(rated: Any, rating: Callable[..., Any], panel: Panel):
    rating("compute")
    asset = panel.assets[0].id
    for arguments, remedy in (
        (("show", "nothing-like-it"), "usufruct rating list"),
        (("explain", asset, "--day", "yesterday"), "2026-01-31"),
        (("explain", asset, "--day", "2031-01-01"), "outside the data"),
        (("explain", asset, "--day", str(panel.day(10))), "60 days"),
        (("plan", "mkey_none", "--per-month", "5"), "usufruct rating keys"),
        (("revoke-key", "mkey_none", "--yes"), "usufruct rating keys"),
        (("revoke-key", "mkey_none"), "--yes"),
    ):
        assert remedy in rated.refused("rating", *arguments).message


def test_keys_are_listed_and_given_plans(folder: Path, rating: Callable[..., Any]):
    async def add() -> None:
        database = open_database(f"sqlite:///{folder / 'usufruct.db'}")
        await ensure_current(database)
        await MarketKeyStore(database).add(MarketKey("mkey_1", None, "mine", 1_700_000_000), b"hash", b"net", 5, 0)
        await database.close()

    asyncio.run(add())
    assert rating("plan", "mkey_1", "--per-month", "50000")["per_month"] == 50_000
    [row] = rating("keys")
    assert (row["id"], row["label"], row["per_month"], row["per_minute"], row["calls"], row["last_used"]) == (
        "mkey_1",
        "mine",
        50_000,
        None,
        0,
        None,
    )
    assert rating("revoke-key", "mkey_1", "--yes")["key"] == "mkey_1"
    [row] = rating("keys")
    assert row["revoked"]

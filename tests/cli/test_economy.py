"""`usufruct economy simulate`: the report as JSON and files, and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import Commands


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder; there is no chain."""
    config = tmp_path / "config.toml"
    config.touch()
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(config)})


def test_the_report_is_printed_and_written(offline: Commands, tmp_path: Path):
    out = tmp_path / "report"
    printed = offline.json("economy", "simulate", "usage=1_000", "--weeks", "20", "--actors", "30", "--out", str(out))
    assert printed == json.loads((out / "report.json").read_bytes())
    assert printed["assumptions"]["usage"] == 1_000
    assert [row["week"] for row in printed["weeks"]] == list(range(1, 21))
    assert printed["conserved"] is True
    assert {each.name for each in out.iterdir()} == {"report.json", "scores.svg", "revenue.svg", "dilution.svg"}


def test_people_get_a_summary(offline: Commands):
    done = offline.run("economy", "simulate", "--weeks", "3", "--actors", "5")
    assert done.exit_code == 0
    assert "conserved" in done.stdout
    assert "yes, to the unit" in done.stdout


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("nothing=1", "'nothing' is not an assumption"),
        ("usage=much", "usage must be a whole number, not 'much'"),
        ("price=nan", "price must be from"),
        ("price=inf", "price must be from"),
        ("actors=0", "actors must be from 1"),
    ],
)
def test_an_assumption_that_is_unknown_or_impossible_is_named(offline: Commands, setting: str, problem: str):
    refused = offline.refused("economy", "simulate", setting)
    assert refused.code == "invalid_assumption"
    assert problem in refused.message

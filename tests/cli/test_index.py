"""`usufruct index`: the simulated market end to end, and refusals as one line."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.command_line import Commands
from tests.support.market_archive import simulated_inputs
from usufruct.indices import load_rulebook, shipped
from usufruct.indices.publication import IndexTables, write_indices
from usufruct.indices.publication.computation import publish_index

RANGE = ("--from", "2020-01-01", "--to", "2020-06-30")
BEARISH = ("--from", "2019-08-01", "--to", "2020-08-20")
"""The last day is one on which Global 100 holds stablecoins, whose tickers are unique."""
POSITION = ("position", "top-10", "--amount", "1", "--since", "2020-02-10")


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder; there is no chain and no archive of prices."""
    config = tmp_path / "config.toml"
    config.touch()
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(config)})


def test_indices_are_listed_and_shown(offline: Commands):
    rows = offline.json("index", "list")
    assert [each["index"] for each in rows] == list(shipped())
    shown = offline.json("index", "show", "global-100")
    assert shown["hash"] == load_rulebook("global-100").hash
    assert shown["regime"]["window_days"] == 140


def test_a_backtest_is_written_and_labelled(offline: Commands, tmp_path: Path):
    out = tmp_path / "report"
    done = offline.run("index", "backtest", "top-10", *RANGE, "--out", str(out))
    assert done.exit_code == 0
    assert "simulated" in done.stderr
    for text in ("after costs", "if delisted at 0", "largest fall", "lost most", "not advice"):
        assert text in done.stdout
    assert {each.name for each in out.iterdir()} == {"report.html", "report.json", "record.json"}
    record = json.loads((out / "record.json").read_bytes())
    assert record["synthetic"] is True
    assert len(record["rebalances"]) == json.loads((out / "report.json").read_bytes())["rebalances"]["count"]


def test_a_backtest_says_what_changes_of_regime_cost(offline: Commands):
    found = offline.run("index", "backtest", "global-100", *BEARISH)
    lines = {each.partition("  ")[0]: " ".join(each.split()) for each in found.stdout.splitlines()}
    assert "undone within 30 days, which cost" in lines["cost of switches"]
    assert "after costs, largest fall" in lines["without switching"]


def test_a_rebalance_is_explained(offline: Commands):
    found = offline.json("index", "explain", "top-10", "2020-03-15", "--from", "2020-01-01")
    assert found["decided"] == "2020-03-01"
    assert len(found["holdings"]) == 10
    assert all(each["why"] for each in found["moves"])


def test_indices_are_compared_on_the_same_days(offline: Commands):
    rows = offline.json("index", "compare", "top-10", "top-50", *RANGE)
    assert [each["index"] for each in rows] == ["top-10", "top-50"]
    assert all(each["total_return"] > -1 for each in rows)


def test_a_position_and_its_lots(offline: Commands, tmp_path: Path):
    path = tmp_path / "lots.csv"
    options = ("--amount", "1000", "--since", "2020-02-10", "--lots", str(path), *RANGE)
    found = offline.json("index", "position", "top-10", *options)
    assert found["value"] == pytest.approx(found["invested"] + found["profit"], abs=0.02)
    assert found["next_decision"] == "2020-07-01"
    _, first, *_, total = csv.reader(path.read_text().splitlines())
    assert float(total[-1]) - found["costs"] == pytest.approx(found["profit"], abs=0.02)
    assert found["realised_gains"] + found["open_gains"] == pytest.approx(float(total[-1]), abs=0.02)
    safer = offline.json("index", "position", "top-10", *options, "--position-size", "0.5", "--core", f"{first[0]}=0.6")
    assert safer["cash"] > 300
    stopped = offline.json("index", "position", "top-10", *options, "--stop-loss", "0.05", "--re-entry-days", "300")
    assert (stopped["cash"], len(stopped["stops"])) == (stopped["value"], 1)


def listed(folder: Path, rows: list[tuple[str, str, int]]) -> tuple[str, ...]:
    """Write a table of symbols (symbol, asset, units) of one exchange, and return the options that name it."""
    table = folder / "symbols.csv"
    lines = [f"kraken,{symbol},{asset},{units}" for symbol, asset, units in rows]
    table.write_text("\n".join(["venue,symbol,asset,units", *lines]))
    return "--table", str(table), "--venue", "kraken"


def test_orders_and_vault_weights_are_of_one_target(offline: Commands, tmp_path: Path):
    weights = offline.json("index", "orders", "top-10", "--vault", *RANGE)
    assert sum(each["weight_bps"] for each in weights) == 10_000
    assert {each["kind"] for each in weights} == {"asset"}
    by_table = listed(tmp_path, [(f"S{at}/USDT", each["asset"], 1) for at, each in enumerate(weights)])
    options = ("--value", "10000", "--smallest", "0", *by_table, *RANGE)
    found = offline.json("index", "orders", "top-10", *options)
    assert (found["stays_in_quote"], found["left_out"]) == ([], [])
    values = {each["asset"]: each["value"] for each in found["orders"]}
    assert values == {each["asset"]: pytest.approx(each["weight_bps"], abs=1.01) for each in weights}


def test_orders_by_a_table_name_what_is_left_out(offline: Commands, tmp_path: Path):
    weights = offline.json("index", "orders", "top-10", "--vault", *RANGE)
    first, second = weights[0]["asset"], weights[1]["asset"]
    by_table = listed(tmp_path, [("ONE/USDT", first, 1), ("TWO/USDT", second, 1)])
    plain = offline.json("index", "orders", "top-10", *by_table, *RANGE)
    amounts = {each["asset"]: each["amount"] for each in plain["orders"]}
    by_table = listed(tmp_path, [("ONE/USDT", first, 1), ("1000TWO/USDT", second, 1_000)])
    found = offline.json("index", "orders", "top-10", *by_table, *RANGE)
    assert {each["symbol"]: each["amount"] for each in found["orders"]} == {
        "ONE/USDT": amounts[first],
        "1000TWO/USDT": pytest.approx(amounts[second] / 1_000),
    }
    assert {each["asset"] for each in found["left_out"]} == {each["asset"] for each in weights} - {first, second}
    shown = offline.run("index", "orders", "top-10", *by_table, *RANGE)
    assert "is left out: the table has no symbol of it at kraken" in shown.stderr


def test_the_orders_of_a_basket_of_stablecoins_leave_out_the_quote(offline: Commands):
    weights = offline.json("index", "orders", "global-100", "--vault", *BEARISH)
    assert sum(each["weight_bps"] for each in weights) == 10_000
    quote = weights[0]["asset"]
    ticker = f"USD{int(quote.rpartition('-')[2])}"
    found = offline.json("index", "orders", "global-100", "--quote", ticker, *BEARISH)
    assert quote not in {each["asset"] for each in found["orders"]}
    assert found["stays_in_quote"][0]["asset"] == quote
    assert f"{ticker}/{ticker}" not in {each["symbol"] for each in found["orders"]}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("backtest", "top-7"), "unknown_rulebook", "choose one of ai"),
        (("backtest", "top-10", "--from", "soon"), "invalid_day", "--from must be a day"),
        (("backtest", "top-10", "--from", "1999-01-01"), "day_out_of_range", "choose a day from 2019-01-01"),
        (("backtest", "top-10", "--archive", "nowhere"), "no_prices", "there are no prices in nowhere"),
        (("orders", "top-10", "--held", "bitcoin", *RANGE), "invalid_holding", "--held must be ASSET=UNITS"),
        (("orders", "global-100", "--held", "bitcoin=1", *BEARISH), "unknown_asset", "no asset 'bitcoin'"),
        (("orders", "top-10", *RANGE), "ambiguous_ticker", "pass --table symbols.csv and --venue NAME"),
        (("orders", "top-10", "--venue", "kraken", *RANGE), "no_table", "--table and --venue go together"),
        ((*POSITION, "--core", "bitcoin", *RANGE), "invalid_overlay", "--core must be ASSET=SHARE"),
        ((*POSITION, "--core", "bitcoin=2", *RANGE), "invalid_position", "core_share is 2.0"),
        ((*POSITION, "--core", "nothing=1", *RANGE), "invalid_position", "'nothing' cannot be the core"),
        ((*POSITION, "--position-size", "0", *RANGE), "invalid_position", "position_size is 0.0"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(offline: Commands, arguments: tuple[str, ...], code: str, words: str):
    refused = offline.refused("index", *arguments)
    assert refused.code == code
    assert words in refused.message


def test_corrections_of_a_published_index_are_listed(offline: Commands, tmp_path: Path):
    assert offline.refused("index", "restatements", "top-10").code == "no_market_data"
    inputs = simulated_inputs(datetime(2026, 1, 31, tzinfo=UTC))
    last, rulebook = inputs.panel.last_day, load_rulebook("top-10")
    before = publish_index(rulebook, inputs.panel, last, {})
    close = inputs.panel.close.copy()
    close[-40, int(np.nanargmax(inputs.panel.market_cap[-40]))] *= 1.5
    after = publish_index(rulebook, replace(inputs.panel, close=close), last, {}, before)
    for number, each in enumerate((before, after)):
        tables = IndexTables(str(number), "", each.last_day, True, "a test", (each,), {})
        write_indices(tmp_path / "data" / "indices", tables)
        rows = offline.json("index", "restatements", "top-10")
        assert len(rows) == len(each.restated_days())
    assert rows[-1]["date"] == str(inputs.panel.day(inputs.panel.days - 40))
    assert (rows[-1]["value_before"], rows[-1]["value"]) == (before.values["nav"][-40], after.values["nav"][-40])
    shown = offline.run("index", "restatements", "top-10")
    assert "Version 2: corrected prices" in shown.stderr
    assert "2025-12-23" in shown.stdout
    assert offline.refused("index", "restatements", "nothing").code == "unknown_index"


def test_a_record_is_verified_and_a_changed_one_ends_with_1(offline: Commands, tmp_path: Path):
    path = tmp_path / "record.json"
    assert offline.run("index", "backtest", "top-10", *RANGE, "--out", str(tmp_path)).exit_code == 0
    (same,) = offline.json("index", "verify", str(path))
    assert (same["equal"], same["index"], same["days"]) == (True, "top-10", "2020-01-01 to 2020-06-30")
    record = json.loads(path.read_bytes())
    holding = record["rebalances"][3]["holdings"][0]
    holding["weight"] += 0.01
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(record, indent=1))
    done = offline.run("index", "verify", str(path), str(changed), "--json")
    assert done.exit_code == 1
    one, other = json.loads(done.stdout)
    assert one == same
    assert (other["equal"], other["value"], other["asset"]) == (False, "holdings.weight", holding["asset"])
    assert other["day"] == record["rebalances"][3]["traded"]
    assert other["recorded"] == pytest.approx(other["computed"] + 0.01)
    assert other["other_inputs_since"] is None
    shown = offline.run("index", "verify", str(changed))
    assert shown.exit_code == 1
    assert "holdings.weight" in shown.stdout
    assert offline.refused("index", "verify", str(tmp_path / "none.json")).code == "invalid_record"

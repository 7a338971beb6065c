"""From an archive of prices to Token Metrics' own client: a worker rates, a gateway serves, the client reads.

The client is PyPI's `tmai-api` 0.4.0, unmodified; only its `BASE_URL` is set, as its users would. It swallows errors
and returns empty lists, so every answer is checked to be there and right.
"""

import asyncio
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

from tests.support.devnet_template import DevnetTemplate
from tests.support.gateway_server import served
from tests.support.market_archive import simulated_inputs, write_archive
from usufruct.analytics.grades import grade
from usufruct.analytics.snapshot_build import MarketInputs
from usufruct.app import open_installation
from usufruct.chain.anvil import Anvil
from usufruct.config import ChainConfig, Config, DatabaseConfig, DataConfig, GatewayConfig, MarketsConfig
from usufruct.core.diagnostics import Diagnostics, Verdict
from usufruct.indices import load_rulebook, rebalances, run_index

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "build" / "tmai"
LAST_DAY = datetime(2026, 3, 1, tzinfo=UTC)


def configuration(folder: Path, anvil: Anvil) -> Config:
    return Config(
        data=DataConfig(folder),
        database=DatabaseConfig(f"sqlite:///{folder / 'usufruct.db'}"),
        chain=ChainConfig(anvil.url, poll_milliseconds=20, node_seconds=60),
        gateway=GatewayConfig(port=0),
        markets=MarketsConfig(api="yes"),
    )


async def client_reads(url: str, key: str, symbol: str) -> dict[str, Any]:
    """Run the client as its users do, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(CLIENT), "NO_PROXY": "*", "no_proxy": "*"}
    script = str(Path(__file__).with_name("tmai_calls.py"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, url, key, symbol, stdout=pipe, stderr=pipe, env=environment
    )
    said, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    found: dict[str, Any] = orjson.loads(said)
    return found


async def agent_trades(url: str, key: str) -> list[str]:
    """Run the example agent, which reads by our own client."""
    pipe = asyncio.subprocess.PIPE
    agent = ROOT / "examples" / "trading_agent.py"
    process = await asyncio.create_subprocess_exec(sys.executable, agent, url, key, stdout=pipe, stderr=pipe)
    said, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return said.decode().splitlines()


async def test_the_client_of_pypi_reads_every_endpoint(devnet_template: DevnetTemplate, tmp_path: Path):
    inputs = await asyncio.to_thread(simulated_inputs, LAST_DAY)
    await asyncio.to_thread(write_archive, tmp_path / "prices", inputs)
    async with (
        devnet_template.running(tmp_path) as anvil,
        open_installation(configuration(tmp_path, anvil)) as installation,
    ):
        [ratings] = [job for job in installation.jobs() if job.name == "ratings"]
        await ratings.step()
        [indices] = [job for job in installation.jobs() if job.name == "indices"]
        await indices.step()
        async with served(installation.router()) as (_, url, _):
            base = url.removesuffix("/v1") + "/v2"
            async with httpx.AsyncClient(timeout=120) as http:
                unpaid = await http.get(f"{base}/indices")
                key = (await http.post(f"{base}/keys")).json()["data"][0]["KEY"]
            read = await client_reads(base, key, inputs.panel.assets[0].symbol)
            *bought, sold = await agent_trades(url, key)
        found = await installation.get(Diagnostics).ask(slow=False)
    for subject in ("ratings", "indices"):
        finding = [each for each in found if each.subject == subject][-1]
        assert finding.verdict is Verdict.PROBLEM, "what ends in the past is stale, and doctor says so"
        assert "newer ones should be there" in finding.says
    assert read["endpoints"] == list(read["found"]), "every endpoint object of the client is called"
    check(read["found"], inputs)
    assert bought
    assert all(order.startswith("buy ") for order in bought)
    assert sold.startswith("sell ")
    check_indices(read["indices"], inputs)
    assert unpaid.status_code == 402, "indices are sold by the call as the rest is"
    columns, length = read["frames"]["trader_grades"]
    assert {"DATE", "TM_TRADER_GRADE"} <= set(columns)
    assert length == len(read["found"]["trader_grades"]["data"])
    assert read["frames"]["tokens"][1] == len(inputs.panel.assets)


def check(found: dict[str, Any], inputs: MarketInputs) -> None:
    """Compare what the client returned with the prices and the formula."""
    panel, graded, asset = inputs.panel, grade(inputs.panel), inputs.panel.assets[0]
    for name, answer in found.items():
        assert answer["success"] is True, name
        assert name == "ai_agent" or answer["data"], f"{name} is empty"

    def mine(name: str) -> list[dict[str, Any]]:
        return [row for row in found[name]["data"] if row["TOKEN_ID"] == asset.number]

    assert {row["TOKEN_NAME"] for row in mine("tokens")} == {asset.name}
    days = {str(date(2026, 1, 1) + timedelta(days=n)) for n in range(60)}
    for name, field, values in (
        ("daily_ohlcv", "CLOSE", panel.close),
        ("trader_grades", "TM_TRADER_GRADE", graded.trader),
        ("investor_grades", "TM_INVESTOR_GRADE", graded.investor),
        ("trading_signals", "TM_TRADER_GRADE", graded.trader),
    ):
        rows = {row["DATE"][:10]: row[field] for row in mine(name)}
        assert set(rows) == days, f"{name} has every day, both ends included"
        for day, value in rows.items():
            assert value == pytest.approx(values[panel.row(date.fromisoformat(day)), 0], abs=0.0051), (name, day)
    hours = {row["TIMESTAMP"]: row["CLOSE"] for row in mine("hourly_ohlcv")}
    assert len(hours) == 4 * 24
    assert inputs.hourly is not None
    last = inputs.hourly.close[~np.isnan(inputs.hourly.close[:, 0]), 0]
    assert hours["2026-02-28T23:00:00.000Z"] == last[-25]
    weights: dict[str, float] = {}
    for row in found["trader_indices"]["data"]:
        weights[row["PORTFOLIO_DATE"]] = weights.get(row["PORTFOLIO_DATE"], 0) + row["INDEX_WEIGHT"]
    assert all(weight == pytest.approx(100) for weight in weights.values())
    caps = {row["DATE"][:10]: row["TOTAL_CRYPTO_MCAP"] for row in found["market_metrics"]["data"]}
    assert len(caps) == 28
    assert caps["2026-02-10"] == pytest.approx(np.nansum(panel.market_cap[panel.row(date(2026, 2, 10))]))
    [report] = mine("ai_reports")
    assert found["ai_agent"]["answer"] == report["DEEP_DIVE"]
    assert "The prices are simulated." in report["TRADER_REPORT"] + report["INVESTMENT_ANALYSIS_POINTER"]


def check_indices(found: dict[str, Any], inputs: MarketInputs) -> None:
    """Compare what the client returned of an index with the engine."""
    index = run_index(load_rulebook("top-10"), inputs.panel)
    assert found["index"]["PRICE"] == index.nav[-1]
    weights = {row["TOKEN_ID"]: row["WEIGHT"] for row in found["holdings"]}
    assert len(weights) == found["index"]["COINS"] > 0
    assert sum(weights.values()) == pytest.approx(1)
    returns = {row["DATE"][:10]: row["INDEX_CUMULATIVE_ROI"] for row in found["performance"]}
    days = [index.last_day - timedelta(days=each) for each in range(60)]
    assert set(returns) == {str(day) for day in days}, "every day, both ends included"
    for at, day in enumerate(days):
        assert returns[str(day)] == pytest.approx(100 * (index.nav[-1 - at] / 1_000 - 1))
    moves = sum(len(each.moves) for each in rebalances(index))
    assert len(found["transactions"]) == min(1_000, moves) > 0

"""`make bench-index`: time, memory and values of a weekly Top 100 over eight years, beside peers.

Each engine runs in a process of its own, `--rounds` times after a warm-up; the rounds of all engines are interleaved.
The value is the median. Peers are installed at pinned versions into throw-away folders in `build/bench-index`. Fails
when a promise is missed; a peer that cannot be installed is reported and compared with nothing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.index.decimal_reference import exact_values
from bench.index.ours import RULES, as_panel, make_market
from bench.report import OURS, ROOT, Row, write
from usufruct.indices import fit, measure, parse_rulebook, returns_of, run_index

FOLDER = ROOT / "build" / "bench-index"
PEERS = ROOT / "bench" / "peers"
DAYS, ASSETS = 2_922, 300
RETURNS = 3_130
PACKAGES = {
    "vectorbt": ("vectorbt", "1.2.0"),
    "bt": ("bt", "1.4.1"),
    "hmmlearn": ("hmmlearn", "0.3.3"),
    "empyrical": ("empyrical-reloaded", "0.7.1"),
}
CURVE = ((365, 1_000), (3_650, 300), (3_650, 1_000), (3_650, 3_000), (3_650, 10_000))
NAV_ERROR, NAV_DISTANCE = 1e-9, 2e-4
LEAST = {("index_backtest_ms", "vectorbt"): 20, ("index_backtest_ms", "bt"): 100}
LEAST |= {("index_backtest_peak_mb", "vectorbt"): 4, ("regime_update_us", "hmmlearn"): 100}


def subject(peer: str) -> str:
    """Return a peer's name in the report."""
    return f"{PACKAGES[peer][0]} {PACKAGES[peer][1]}" if peer in PACKAGES else peer


def install(peer: str) -> Path | None:
    """Install a peer into a folder of its own; return its Python, None when it cannot be installed."""
    name, version = PACKAGES[peer]
    python = FOLDER / peer / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / peer)], check=True)
    print(f"installing {name} {version}")
    command = ["uv", "pip", "install", "--quiet", "--python", str(python), f"{name}=={version}", "numpy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return python if done.returncode == 0 else None


def ask(command: list[str]) -> Any:
    """Run a command that prints one JSON value last; None when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def backtests(pythons: dict[str, Path | None], rounds: int) -> list[Row]:
    """Measure all engines on one market, interleaved."""
    close, caps = make_market(DAYS, ASSETS)
    decisions = np.arange(0, DAYS - 1, 7)
    for name, values in (("close", close), ("caps", caps), ("decisions", decisions)):
        np.save(FOLDER / f"{name}.npy", values)
    ours = [sys.executable, "-m", "bench.index.ours", str(FOLDER)]
    peers = {each: str(python) for each, python in {**pythons, "bare": Path(sys.executable)}.items() if python}
    commands = {OURS: [*ours, "20"], "usufruct+log": [*ours, "2", "log"]}
    for each in ("bare", "vectorbt", "bt"):
        if each in peers:
            times = {"bare": "5", "vectorbt": "5", "bt": "1"}[each]
            commands[each] = [peers[each], str(PEERS / "index_backtest.py"), each, str(FOLDER), times]
    found: dict[str, list[Any]] = {each: [] for each in commands}
    for _ in range(rounds):
        for each, command in commands.items():
            found[each].append(ask(command))
    exact = exact_values(close, caps, decisions.tolist())
    rows = []
    for each in (OURS, "usufruct+log", "bare", "vectorbt", "bt"):
        answers = [answer for answer in found.get(each, []) if answer]
        rows += _backtest_rows(each, answers, exact)
    return rows


def _backtest_rows(name: str, answers: list[Any], exact: list[float]) -> list[Row]:
    shown = subject(name)
    if not answers:
        metrics = (("index_backtest_ms", "ms"), ("index_backtest_peak_mb", "MiB"))
        return [Row(metric, shown, None, unit, 0, "not installable, or failed") for metric, unit in metrics]
    times = [each for answer in answers for each in answer["times"]]
    rows = [
        Row("index_backtest_ms", shown, statistics.median(times), "ms", len(times), "weights, values, costs"),
        Row("index_backtest_peak_mb", shown, statistics.median(a["peak"] for a in answers), "MiB", len(answers)),
    ]
    if name != "usufruct+log":
        nav = np.array(answers[0]["nav"])
        size = min(len(nav), len(exact))
        error = float(np.abs(nav[:size] / np.array(exact[:size]) - 1).max())
        note = {"bt": "holds 0.5 % in cash and whole units, or fails"}.get(name, "largest, of all days")
        rows.append(Row("index_nav_error_decimal", shown, error, "relative", size, note))
    return rows


def regime(python: Path | None, rounds: int) -> list[Row]:
    """Measure one update of the filter, beside a fit of hmmlearn."""
    chance = np.random.default_rng(3)
    wild = np.repeat(chance.random(RETURNS // 30 + 1) < 0.4, 30)[:RETURNS]
    returns = np.where(wild, chance.normal(-0.002, 0.05, RETURNS), chance.normal(0.003, 0.02, RETURNS))
    np.save(FOLDER / "returns.npy", returns)
    values = returns.tolist()
    model = fit(values, 10)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for value in values:
            model = model.update(value)
        times.append((time.perf_counter() - began) * 1e6 / len(values))
    rows = [Row("regime_update_us", OURS, statistics.median(times), "us", rounds, "one day's update of the filter")]
    answer = ask([str(python), str(PEERS / "index_regime.py"), str(FOLDER / "returns.npy"), "5"]) if python else None
    refit = statistics.median(answer["times"]) if answer else None
    note = f"a fit to {RETURNS:,} returns" if answer else "not installable, or failed"
    return [*rows, Row("regime_update_us", subject("hmmlearn"), refit, "us", 5, note)]


def metrics(python: Path | None) -> list[Row]:
    """Compare all measures with empyrical's on an index's returns."""
    returns = returns_of(run_index(parse_rulebook(RULES), as_panel(*make_market(DAYS, ASSETS))).nav[1:])
    np.save(FOLDER / "nav_returns.npy", returns)
    answer = ask([str(python), str(PEERS / "index_metrics.py"), str(FOLDER / "nav_returns.npy")]) if python else None
    ours = measure(returns).as_document()
    error = max(abs((ours[name] or 0.0) - value) for name, value in answer.items()) if answer else None
    note = f"{len(ours)} measures, {subject('empyrical')}" if answer else f"{subject('empyrical')} not installable"
    return [Row("index_metrics_error", OURS, error, "absolute", len(ours), note)]


def curve() -> list[Row]:
    """Measure the engine as days and assets grow."""
    rows = []
    rulebook = parse_rulebook(RULES)
    for days, assets in CURVE:
        panel = as_panel(*make_market(days, assets))
        run_index(rulebook, panel)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            run_index(rulebook, panel)
            times.append((time.perf_counter() - began) * 1e3)
        value = statistics.median(times)
        cells = days * assets
        rows.append(
            Row(f"index_curve_ms_{days}x{assets}", OURS, value, "ms", 3, f"{value * 1e6 / cells:.1f} ns a cell")
        )
    return rows


def missed(rows: list[Row]) -> list[str]:
    """Return the promises that these rows do not keep."""
    found = []
    for (metric, peer), least in LEAST.items():
        ours, theirs = (
            next(r.value for r in rows if (r.metric, r.subject) == (metric, s)) for s in (OURS, subject(peer))
        )
        if ours and theirs and theirs < least * ours:
            found.append(f"{metric}: {subject(peer)} takes {theirs / ours:.1f} times ours; {least} are promised")
    for row in rows:
        limit = {OURS: NAV_ERROR, subject("vectorbt"): NAV_DISTANCE}.get(row.subject)
        if row.metric in ("index_nav_error_decimal", "index_metrics_error") and limit and (row.value or 0) > limit:
            found.append(f"{row.metric} of {row.subject} is {row.value:.2g}; at most {limit:g} is promised")
    return found


def main() -> None:
    """Measure, write the report, and fail when a promise is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-curve", action="store_true")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    pythons = {peer: install(peer) for peer in PACKAGES}
    rows = backtests({each: pythons[each] for each in ("vectorbt", "bt")}, options.rounds)
    rows += regime(pythons["hmmlearn"], options.rounds) + metrics(pythons["empyrical"])
    rows += [] if options.no_curve else curve()
    write("index", sorted(rows, key=lambda row: (row.metric.startswith("index_curve"), row.metric.split("_")[0:3])))
    if problems := missed(rows):
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()

"""Run one backtest engine on the prices in a folder, in a process of its own; print times, peak memory and values.

`python index_backtest.py SUBJECT FOLDER ROUNDS`. It runs in a peer's own environment and imports nothing of ours. The
index: each Monday the largest 100 by market cap, at most 10 % each, traded at Tuesday's close for 10 bps of the trades.
Weights, trades, costs and daily values are in the time on all sides; compiling (numba) and imports are not.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

COUNT, CAP, FEE = 100, 0.1, 0.001


def weights_of(caps):
    """Target weights at one decision: the largest, capped until none is over."""
    weights = np.zeros(len(caps))
    top = np.argpartition(-caps, COUNT)[:COUNT]
    start = caps[top] / caps[top].sum()
    shares, fixed = start.copy(), np.zeros(COUNT, dtype=bool)
    while (shares > CAP + 1e-15).any():
        fixed |= shares > CAP
        shares = np.where(fixed, CAP, start * (1 - CAP * fixed.sum()) / start[~fixed].sum())
    weights[top] = shares
    return weights


def all_weights(caps, decisions):
    """A matrix of target weights, one row a decision."""
    return np.array([weights_of(caps[row]) for row in decisions])


def bare(close, caps, decisions):
    """What one would write with numpy alone."""
    weights = all_weights(caps, decisions)
    rows = decisions + 1
    nav, value, held = np.ones(len(close)), 1.0, np.zeros(close.shape[1])
    for at, row in enumerate(rows):
        end = rows[at + 1] if at + 1 < len(rows) else len(close) - 1
        value *= 1 - FEE * np.abs(weights[at] - held).sum()
        grown = (close[row : end + 1] / close[row]) @ weights[at]
        nav[row : end + 1] = value * grown
        held = weights[at] * close[end] / close[row] / grown[-1]
        value = nav[end]
    return nav


def vectorbt(close, caps, decisions):
    """The peer's fastest way: a dense matrix of target percents, one group that shares cash."""
    import vectorbt as vbt

    sizes = np.full(close.shape, np.nan)
    sizes[decisions + 1] = all_weights(caps, decisions)
    found = vbt.Portfolio.from_orders(
        close, sizes, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto", fees=FEE,
        init_cash=1e6, freq="1D",
    )  # fmt: skip
    return found.value().to_numpy() / 1e6


def bt(close, caps, decisions):
    """The nearest peer: a tree of weights that is rebalanced. Whole units, and half a percent in cash, or it fails."""
    import bt as peer
    import pandas as pd

    days = pd.date_range("2018-01-01", periods=len(close), freq="D")
    prices = pd.DataFrame(close, index=days, columns=[f"a{at}" for at in range(close.shape[1])])
    weights = pd.DataFrame(0.995 * all_weights(caps, decisions), index=days[decisions + 1], columns=prices.columns)
    strategy = peer.Strategy("index", [peer.algos.WeighTarget(weights), peer.algos.Rebalance()])
    test = peer.Backtest(
        strategy, prices, initial_capital=1e9, integer_positions=True, commissions=lambda q, p: abs(q) * p * FEE,
        progress_bar=False,
    )  # fmt: skip
    return peer.run(test).prices["index"].to_numpy()[1:] / 100


def main():
    """Load, warm up, measure."""
    subject, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    close, caps, decisions = (np.load(folder / f"{name}.npy") for name in ("close", "caps", "decisions"))
    run = {"bare": bare, "vectorbt": vectorbt, "bt": bt}[subject]
    run(close, caps, decisions)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        nav = run(close, caps, decisions)
        times.append((time.perf_counter() - began) * 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"times": times, "peak": peak, "nav": nav[decisions[0] + 1 :].tolist()}))


if __name__ == "__main__":
    main()

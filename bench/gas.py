"""`make bench-gas`: gas of our contracts and of peers; each measured call is a separate transaction.

Ours: the gas tests in contracts/test/gas. Peers: bench/peers/gas, installed from npm at pinned versions into a
throw-away folder. Both through solc 0.8.37 via IR, optimizer 200 runs, `isolate = true`: 21,000 + calldata +
execution - refunds, as a receipt shows.
Gas is deterministic: n is 1. Seaport is the bytecode of OpenSea's npm package. It pays the fee out in each sale, our
exchange in one `release` for many. So each sale is compared three times: as it is (fee kept), with its part of a
`release` of 100 sales (`_released`), and as if it paid the fee out like Seaport (`_paid_out`). Curve and Velodrome are
not on npm: their published figures stand beside the vote escrow's, named as such.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bench.report import OURS, ROOT, Row, write
from usufruct.chain import toolchain

BUDGETS = {
    "shares_transfer_idle": 52_000,
    "accrue": 60_000,
    "collect_again": 57_000,
    "voucher_claim_marginal": 19_500,
    "channel_deposit_3009": 115_000,
    "channel_topup_3009": 95_000,
    "first_batch_creates_account": 380_000,
    "later_batch": 117_000,
    "exchange_buy_721_eth": 120_497,
    "airdrop_claim_2p20": 76_500,
    "lock_create": 150_000,
    "lock_increase": 105_000,
    "lock_extend": 105_000,
    "lock_withdraw": 80_000,
    "revenue_claim_1": 60_000,
    "revenue_claim_10": 60_000,
    "revenue_claim_50": 60_000,
}
PEERS = {
    "ocean": "Ocean contracts 2.6.0",
    "singularitynet": "SingularityNET MPE 2.1.0",
    "openzeppelin-3009": "OpenZeppelin 5.7 ERC-3009",
    "openzeppelin-votes": "OpenZeppelin 5.7 votes token (no income)",
    "openzeppelin4-splitter": "OpenZeppelin 4.9 PaymentSplitter",
    "seaport": "Seaport 1.6",
    "uniswap-merkle": "Uniswap MerkleDistributor 1.0.1",
    "openzeppelin-merkle": "OpenZeppelin 5.7 parts",
    "solady-merkle": "Solady 0.1.26 parts",
}
SALES = ("exchange_buy_721_eth", "exchange_buy_1155", "exchange_buy_20")
RELEASE_EVERY = 100
SAME_WORK = {"channel_deposit": "channel_deposit_3009", "channel_topup": "channel_topup_3009"}
NOT_INSTALLABLE = [
    Row(metric, peer, None, "gas", 0, "not published on npm")
    for metric, peer in (
        ("voucher_claim_marginal", "x402 batch-settlement"),
        ("collect_again", "0xSplits v2"),
    )
]

PUBLISHED = {
    "Curve VotingEscrow 0.2.4": {
        "lock_create": 343_569,
        "lock_increase": 269_461,
        "lock_extend": 266_357,
        "lock_withdraw": 172_951,
    },
    "Curve FeeDistributor 0.2.7": {
        "revenue_claim_1": 91_435,
        "revenue_claim_10": 138_244,
        "revenue_claim_50": 341_037,
    },
    "Velodrome VotingEscrow": {
        "lock_create": 411_613,
        "lock_increase": 202_398,
        "lock_extend": 194_286,
        "lock_withdraw": 165_668,
    },
    "Velodrome RewardsDistributor": {
        "revenue_claim_1": 216_219,
        "revenue_claim_10": 407_501,
        "revenue_claim_50": 1_306_790,
    },
}
"""Figures of contracts that npm does not have, measured before in the same way: 20 stakers, weeks kept by a keeper.

Velodrome's claim adds the reward to the lock.
"""


MEASURED_APART = {
    "OpenZeppelin Governor 5.7.0": {
        "governor_propose": 68_589,
        "governor_cast_vote_first": 82_970,
        "governor_cast_vote_again": 65_870,
        "governor_queue": 144_417,
        "governor_execute": 91_381,
    },
}
"""Without late quorum, floor and escrow: settings, simple counting, ERC20Votes, quorum by a part, timelock."""


def published() -> list[Row]:
    """Rows of peers that are not run here."""
    return [
        Row(metric, peer, gas, "gas", 1, f"{source}, not run here")
        for source, peers_of in (("published figure", PUBLISHED), ("measured apart", MEASURED_APART))
        for peer, figures in peers_of.items()
        for metric, gas in figures.items()
    ]


def run_forge(folder: Path, *arguments: str) -> None:
    """Run forge's gas profile in `folder`; its output is shown only when it fails."""
    command = [str(toolchain.find("forge")), *arguments]
    environment = os.environ | {"FOUNDRY_PROFILE": "gas"}  # noqa: TID251 - passed on
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"forge failed in {folder.name}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def ours() -> dict[str, int]:
    """Measure our contracts; {metric: gas}. The snapshots are the committed ones, brought up to date."""
    contracts = ROOT / "contracts"
    run_forge(contracts, "test")
    found: dict[str, int] = {}
    for name in ("accounts", "assets", "deals", "governance", "market", "payments", "staking"):
        found |= {k: int(v) for k, v in json.loads((contracts / "snapshots" / f"{name}.json").read_text()).items()}
    return found


def with_fees(measured: dict[str, int]) -> list[Row]:
    """Add to each sale for coin what paying its fee costs: by a `release` of many sales, and in the sale itself."""
    release = -(-measured["exchange_release_eth"] // RELEASE_EVERY)
    payment = measured["exchange_fee_payment_eth"]
    rows = []
    for sale in SALES:
        kept = measured[sale]
        rows.append(
            Row(f"{sale}_released", OURS, kept + release, "gas", 1, f"kept, released every {RELEASE_EVERY} sales")
        )
        rows.append(
            Row(f"{sale}_paid_out", OURS, kept + payment, "gas", 1, f"kept, and {payment:,} for one more payment")
        )
    return rows


def compared(rows: list[Row]) -> list[Row]:
    """Repeat a peer's sale under each metric that it is compared with; a peer has one way to pay the fee."""
    found = list(rows)
    for row in rows:
        if row.metric in SALES:
            found += [replace(row, metric=f"{row.metric}_{ending}") for ending in ("released", "paid_out")]
        if row.metric == "exchange_buy_721_eth":
            found.append(replace(row, metric="exchange_buy_721_eth_next"))
    return found


def peers() -> list[Row]:
    """Install the peers into build/bench-gas and measure them."""
    folder = ROOT / "build" / "bench-gas"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "bench" / "peers" / "gas", folder)
    shutil.copy(ROOT / ".npmrc", folder)
    print("installing peers from npm")
    subprocess.run(["npm", "install", "--silent"], cwd=folder, check=True)
    run_forge(folder, "test")
    rows = []
    for key, gas in json.loads((folder / "snapshots" / "peers.json").read_text()).items():
        peer, metric = key.split(".")
        rows.append(Row(SAME_WORK.get(metric, metric), PEERS[peer], int(gas), "gas", 1))
    return rows


def main() -> None:
    """Measure both, write the report, and fail when one of our budgets is broken."""
    measured = ours()
    mine = [
        Row(metric, OURS, gas, "gas", 1, f"budget {BUDGETS[metric]:,}" if metric in BUDGETS else "")
        for metric, gas in measured.items()
    ]
    rows = [*mine, *with_fees(measured), *compared(peers()), *published(), *NOT_INSTALLABLE]
    write("gas", sorted(rows, key=lambda row: (row.metric, row.subject != OURS)))
    broken = {metric: gas for metric, gas in measured.items() if gas > BUDGETS.get(metric, gas)}
    if broken:
        sys.exit(f"over budget: {broken}")


if __name__ == "__main__":
    main()

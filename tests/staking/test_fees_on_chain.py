"""A paid call's fee reaches the stakers when the week is over, to the unit; the keeper's step can be taken again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command_line
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.app import DEVNET_FEE_BPS, Installation
from usufruct.chain import ChainAccess
from usufruct.core import checksum
from usufruct.core.diagnostics import Verdict
from usufruct.staking.fee_keeper import check_fees
from usufruct.staking.lock_model import WEEK_SECONDS

pytestmark = pytest.mark.anvil

FEE = DOLLAR * DEVNET_FEE_BPS // 10_000


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url)


async def keep_fees(installation: Installation) -> int:
    """Take a worker's step, wait until what it sent is mined, and return how many transactions that was."""
    job = next(job for job in installation.jobs() if job.name == "fees")
    sent = await job.step()
    assert isinstance(sent, int)
    outbox = next(job for job in installation.jobs() if job.name == "outbox")
    await outbox.step()
    return sent


def sell_one_call(economy: Economy, upstream: str) -> None:
    """Register a service with shares, and have a call for a dollar paid out to them."""
    commands, holder = economy.commands, checksum(command_line.SOMEBODY.address)
    card = ("--input", "0.5", "--output", "2", "--context", "8192", "--wallet", "5")
    commands.json("asset", "register", "shared", *card, "--owner", f"{holder}:20")
    service = ("--upstream", upstream, "--model", "librarian", "--name", "shared", "--asset", "shared")
    asset = int(commands.json("sell", "--no-up", *service)["asset"], 16)

    async def paid(installation: Installation) -> None:
        key = await command_line.paying_key(installation)
        await command_line.charge(installation, key, asset, DOLLAR)

    commands.inside(paid)
    commands.json("claim", "run", "--everything")


def test_the_fee_of_a_paid_call_is_divided_among_the_stakers(economy: Economy, librarian_url: str):
    commands = economy.commands
    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.stake("lock", "520", "--weeks", "26", wallet=BEN)
    economy.pass_weeks(1)
    assert commands.inside(keep_fees) == 1, "closes the week that is over"
    sell_one_call(economy, librarian_url)
    assert commands.inside(keep_fees) == 0, "25,000 units are not worth a transaction in the middle of a week"

    now = economy.of(ANN).now
    economy.pass_time(WEEK_SECONDS - now % WEEK_SECONDS - 1_800)
    assert commands.inside(keep_fees) == 1, "nor are they late for their week"
    assert commands.inside(keep_fees) == 0
    assert commands.json("stake", "terms")["revenue_this_week"] == "0.025 tUSD"
    economy.pass_time(3_600)
    assert economy.stake("distribute", wallet=7)["transactions"]
    assert economy.stake("distribute", wallet=7)["transactions"] == []
    assert commands.inside(keep_fees) == 0

    paid = [economy.stake("claim", wallet=wallet)["revenue"] for wallet in (ANN, BEN)]
    assert paid == ["0.016666 tUSD", "0.008333 tUSD"]
    assert economy.held_by_escrow() == (1_040 * TOKEN, FEE - 16_666 - 8_333)


def test_the_doctor_names_a_fee_that_goes_elsewhere_and_a_week_that_stays_open(economy: Economy):
    found = json.loads(economy.commands.run("doctor", "--json").stdout)
    assert {each["verdict"] for each in found if each["subject"] in ("fees", "weeks")} == {"ok"}
    economy.pass_time(WEEK_SECONDS + 90_000)
    economy.commands.json("registry", "fee-sink", checksum(command_line.SOMEBODY.address))

    async def asked(chain: ChainAccess) -> dict[str, Verdict]:  # the doctor asks no more on a chain that is weeks ahead
        return {finding.subject: finding.verdict async for finding in check_fees(chain)}

    assert economy.inside(asked) == {"fees": Verdict.PROBLEM, "weeks": Verdict.PROBLEM}

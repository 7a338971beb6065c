"""The economy chapter as a stranger runs it: unattended, one JSON object, and its figures agree with each other."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import orjson
import pytest

from usufruct.cli.demo.economy_outcome import (
    MOST_DISCOUNT_BPS,
    NEW_EXIT_PENALTY_PERCENT,
    OTHER_ACCOUNTS,
    PRICE,
    STAKERS,
    TOKENS_OF_OTHERS,
)
from usufruct.core import Address, address, checksum

pytestmark = pytest.mark.anvil

FEE_PERCENT = 2.5


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("economy")
    done = subprocess.run(
        [sys.executable, "-m", "usufruct.cli", "demo", "economy", "--json", "--folder", folder],
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    shown: dict[str, Any] = orjson.loads(done.stdout)
    return shown


def test_money_and_tokens_are_conserved_to_the_unit(outcome: dict[str, Any]) -> None:
    assert outcome["conserved"] is True
    claimed = sum(int(staker["revenue"]) for staker in outcome["stakers"])
    divided = int(outcome["revenue_week"]["divided"])
    assert claimed == int(outcome["revenue_week"]["claimed"])
    assert 0 <= divided - claimed < len(STAKERS)
    assert abs(divided - int(outcome["charged"]) * FEE_PERCENT / 100) <= 1


def test_the_airdrop_paid_those_who_claimed(outcome: dict[str, Any]) -> None:
    drop = outcome["airdrop"]
    assert drop["accounts"] == len(STAKERS) + OTHER_ACCOUNTS
    assert int(drop["unclaimed"]) == OTHER_ACCOUNTS * TOKENS_OF_OTHERS
    assert int(drop["total"]) - int(drop["unclaimed"]) == sum(int(each["locked"]) for each in outcome["stakers"])


def test_revenue_follows_the_scores_of_the_week(outcome: dict[str, Any]) -> None:
    # a lock of n weeks that was made two weeks earlier has lost one or two of them, a renewed one none
    for plan, staker in zip(STAKERS, outcome["stakers"], strict=True):
        lost = 0 if plan.renews else 1
        assert float(staker["score"]) == pytest.approx(plan.tokens * (plan.weeks - lost) / 52, abs=1)
    scores = [float(staker["score"]) for staker in outcome["stakers"]]
    for staker, score in zip(outcome["stakers"], scores, strict=True):
        due = int(outcome["revenue_week"]["divided"]) * score / sum(scores)
        assert abs(int(staker["revenue"]) - due) <= 1


def test_one_staker_reinvested_all_of_the_revenue_into_the_lock(outcome: dict[str, Any]) -> None:
    made, (plan,) = outcome["reinvested"], [each for each in STAKERS if each.reinvests]
    (staker,) = [each for each in outcome["stakers"] if each["name"] == plan.name]
    assert made["name"] == plan.name
    assert made["spent"] == staker["revenue"]
    assert float(made["bought"]) == pytest.approx(int(made["spent"]) / 10**6 / float(PRICE), rel=0.01)
    assert Decimal(made["least"]) <= Decimal(made["bought"])
    assert Decimal(made["locked"]) == plan.tokens + Decimal(made["bought"])


def test_the_level_of_the_payer_lowered_the_bill(outcome: dict[str, Any]) -> None:
    listed = int(outcome["charged"]) + int(outcome["saved"])
    assert 0 < int(outcome["saved"]) <= listed * MOST_DISCOUNT_BPS // 10_000


def test_the_vote_changed_a_parameter_that_only_the_timelock_can_change(outcome: dict[str, Any]) -> None:
    executed = outcome["proposal_executed"]
    assert (executed["before"], executed["after"]) == (2_000, NEW_EXIT_PENALTY_PERCENT * 100)
    timelock = address(outcome["addresses"]["PlatformTimelock"])
    assert executed["owner_of_escrow"] == checksum(Address(timelock))

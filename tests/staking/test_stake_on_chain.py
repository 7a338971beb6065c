"""Two wallets lock, extend, delegate, claim, exit and withdraw by commands; the contract's numbers are the model's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.chain.contracts.vote_escrow import EarlyExitClosed, NotEnded, PenaltyAboveMax
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import checksum
from usufruct.staking.lock_model import end_after, score_down, week_of

pytestmark = pytest.mark.anvil


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url, getattr(request, "param", 20))


def test_a_life_of_two_locks(economy: Economy):
    ann = economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    ben = economy.stake("lock", "500", "--weeks", "25", wallet=BEN)
    assert (ann["locked"], ann["score"], ann["next_score"]) == ("520 EXM", "0", "520")
    now = economy.of(ANN).now
    assert economy.of(ANN).ends_at == end_after(52, now)
    assert economy.stake("increase", "20", wallet=BEN)["ends"] == ben["ends"]
    assert economy.stake("extend", "--weeks", "26", wallet=BEN)["next_score"] == "260"
    assert economy.stake("renew", wallet=BEN)["renewal_weeks"] == 26
    assert economy.stake("stop-renewal", wallet=BEN)["renewal_weeks"] == 0
    to = checksum(DEVNET_ADDRESSES[7])
    assert economy.stake("delegate", to, wallet=BEN)["delegate"] == to

    economy.pass_weeks(1)
    economy.pay_revenue(DOLLAR)
    for wallet, score in ((ANN, 520), (BEN, 260)):
        stake = economy.of(wallet)
        week = week_of(stake.now)
        assert stake.score == score_down(stake.lock.weight_at(week)) == score * TOKEN
        assert stake.next_weight == stake.lock.weight_at(week + 1)
        assert stake.exit_penalty == stake.lock.exit_penalty_up(week, 2_000)
    assert (economy.of(ANN).votes, economy.of(BEN).votes, economy.of(7).votes) == (520 * TOKEN, 0, 260 * TOKEN)

    economy.pass_weeks(1)
    paid = [economy.stake("claim", wallet=wallet)["revenue"] for wallet in (ANN, BEN)]
    assert paid == ["0.666666 tUSD", "0.333333 tUSD"]
    assert economy.stake("claim", wallet=ANN)["transactions"] == []
    assert economy.held_by_escrow() == (1_040 * TOKEN, 1)


def test_an_early_exit_costs_what_was_shown_and_the_rest_is_withdrawn_at_the_end(economy: Economy):
    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.stake("lock", "416", "--weeks", "2", wallet=BEN)
    economy.pass_weeks(1)
    assert isinstance(economy.commands.refused("stake", "withdraw", "--wallet", str(BEN)), NotEnded)
    assert isinstance(
        economy.commands.refused("stake", "exit", "--max-penalty", "103.9", "--wallet", str(ANN)), PenaltyAboveMax
    )
    left = economy.stake("exit", wallet=ANN)
    assert (left["paid"], left["penalty"]) == ("416 EXM", "104 EXM")
    assert economy.of(ANN).lock.amount == 0

    economy.pass_weeks(2)
    assert economy.stake("claim", wallet=BEN)["penalties"] == "104 EXM"
    assert economy.stake("withdraw", wallet=BEN)["locked"] == "0 EXM"
    assert economy.held_by_escrow() == (0, 0)


def test_a_dominant_staker_gets_most_of_its_own_penalty_back(economy: Economy):
    """Ann has 90 % of the weight, leaves, and locks the rest again at once."""
    economy.stake("lock", "900", "--weeks", "52", wallet=ANN)
    economy.stake("lock", "100", "--weeks", "52", wallet=BEN)
    economy.pass_weeks(1)
    left = economy.stake("exit", wallet=ANN)
    assert (left["paid"], left["penalty"]) == ("720 EXM", "180 EXM")
    economy.stake("lock", "900", "--weeks", "51", wallet=ANN)
    economy.pass_weeks(2)
    economy.stake("distribute", wallet=7)
    back = {wallet: economy.stake("claim", wallet=wallet)["penalties"] for wallet in (ANN, BEN)}
    assert back == {ANN: "161.999999999999999999 EXM", BEN: "17.999999999999999999 EXM"}, "the exit cost 18, not 180"


@pytest.mark.parametrize("economy", [0], indirect=True)
def test_without_a_penalty_no_lock_ends_early(economy: Economy):
    economy.stake("lock", "1", "--weeks", "1", wallet=ANN)
    assert isinstance(economy.commands.refused("stake", "exit", "--wallet", str(ANN)), EarlyExitClosed)
    assert economy.commands.json("stake", "terms")["exit_penalty"] == "no early exit"


def test_a_projection_shares_with_the_locks_there_are(economy: Economy):
    lock = economy.stake("lock", "1", "--weeks", "2", wallet=ANN)
    found = economy.commands.json("stake", "project", "1", "--weeks", "2", "--revenue", "3")
    assert (found["ends"], found["first_score"]) == (lock["ends"], lock["next_score"])
    assert found["income"] == "2.5 tUSD", (
        "2/4 of the first week's 3, then 1/3: the other lock counts with its weight of 2"
    )
    assert economy.commands.json("stake", "project", "1", "--weeks", "2")["income"] == "0 tUSD"

"""Stakers change a parameter by commands: proposed, said, simulated, voted, queued, executed; and what is refused."""

import json
from pathlib import Path

import pytest

from tests.support.dao import BEN, CAROL, PENALTY, Dao
from tests.support.staked_economy import ANN
from usufruct.chain import Call, ChainAccess
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import checksum
from usufruct.governance import Proposals, grouped, whole_hundredths

pytestmark = pytest.mark.anvil


def test_a_parameter_is_changed_by_votes(dao: Dao, tmp_path: Path):
    """Ann votes by a command, Ben signs and Carol sends his vote; then it is queued and executed."""
    dry = dao.gov("propose", "--call", PENALTY, "--dry-run")
    assert [each["words"] for each in dry["calls"]] == ["VoteEscrow: exit penalty 20 % -> 25 %"]
    simulated = dry["simulation"]
    assert (simulated["simulated"], simulated["succeeds"]) == (True, True)
    assert simulated["calls"][0]["events"] == ["VoteEscrow: ExitPenaltySet(exitPenaltyBps 2500)"]
    change = {"contract": "VoteEscrow", "view": "exitPenaltyBps", "before": "2000", "after": "2500"}
    assert simulated["changes"] == [change]
    assert dao.gov("list") == [], "a dry run sends nothing"

    proposal = dao.propose(PENALTY)
    (listed,) = dao.gov("list")
    assert (listed["proposal"], listed["state"], listed["title"]) == (proposal, "pending", "Raise the penalty")
    dao.begin_voting()
    voted = dao.gov("vote", proposal, "for", "--reason", "less churn", wallet=ANN)
    ballot = tmp_path / "ballot.json"
    ballot.write_text(json.dumps(dao.gov("sign", proposal, "against", "--nonce", "0", wallet=BEN)))
    sent = dao.gov("send", str(ballot), wallet=CAROL)
    assert (sent["voter"], sent["support"]) == (checksum(DEVNET_ADDRESSES[BEN]), "against")
    shown = dao.gov("show", proposal[:10])
    assert [(each["voter"], each["support"], each["reason"]) for each in shown["votes"]] == [
        (DEVNET_ADDRESSES[ANN], "for", "less churn"),
        (DEVNET_ADDRESSES[BEN], "against", ""),
    ]
    votes_for, votes_against = (int(shown["proposal"][each]) for each in ("votesFor", "votesAgainst"))
    assert votes_for > votes_against > 0
    assert voted["votes"] == grouped(whole_hundredths(votes_for), 2)

    dao.end_voting()
    assert dao.gov("show", proposal)["proposal"]["state"] == "succeeded"
    assert dao.gov("queue", proposal, wallet=CAROL)["state"] == "queued"
    assert dao.commands.refused("gov", "execute", proposal, "--wallet", str(CAROL)).code == "timelock_running"
    dao.pass_time(2 * 86_400)
    assert dao.gov("execute", proposal, wallet=CAROL)["state"] == "executed"
    assert dao.commands.json("stake", "terms")["exit_penalty"] == "25 %"
    assert dao.gov("show", proposal)["simulation"] is None


FILE = """
description = "Call a stranger"
[[calls]]
target = "0x00000000000000000000000000000000000000aa"
data = "0xdeadbeef"
[[calls]]
call = "VoteEscrow.setExitPenalty(30%)"
"""


def test_what_cannot_be_is_one_clean_line(dao: Dao, tmp_path: Path):
    """Wrong calls and proposers; votes too early, twice, too late, without votes; a queue of what was defeated."""

    def refusal(*arguments: str, wallet: int | None = ANN) -> str:
        signed = ("--wallet", str(wallet)) if wallet is not None else ()
        error = dao.commands.refused("gov", *arguments, *signed)
        assert "\n" not in error.message
        return str(error.code)

    def proposing(call: str, *more: str, wallet: int | None = ANN) -> str:
        return refusal("propose", "--call", call, "--description", "x", *more, wallet=wallet)

    assert proposing("Nothing.set(1)") == "unknown_contract"
    assert proposing("VoteEscrow.setExitPenalty()") == "wrong_arguments"
    assert proposing("VoteEscrow.setExitPenalty(much)") == "invalid_argument"
    assert proposing(PENALTY, wallet=None) == "wallet_missing"
    assert proposing(PENALTY, wallet=CAROL) == "below_threshold"
    assert proposing("VoteEscrow.setExitPenalty(99%)") == "would_fail"
    assert refusal("propose", "--call", PENALTY) == "invalid_proposal"
    assert refusal("show", "0x1234", wallet=None) == "unknown_proposal"

    file = tmp_path / "proposal.toml"
    file.write_text(FILE)
    dry = dao.gov("propose", "--file", str(file), "--dry-run")
    assert [each["known"] for each in dry["calls"]] == [False, True]
    assert dry["calls"][0]["words"].startswith("WARNING: there is no contract at 0x000000000000")

    proposal = dao.propose(PENALTY)
    assert refusal("vote", proposal, "for") == "voting_not_open"
    assert refusal("queue", proposal) == "not_passed"
    assert refusal("cancel", proposal, wallet=BEN) == "not_cancellable"
    dao.begin_voting()
    assert refusal("vote", proposal, "perhaps") == "invalid_vote"
    assert refusal("vote", proposal, "for", wallet=CAROL) == "no_votes"
    ballot = dao.gov("sign", proposal, "for", "--reason", "why", wallet=BEN)

    def sending(**changed: object) -> str:
        file.with_name("ballot.json").write_text(json.dumps({**ballot, **changed}))
        return refusal("send", str(file.with_name("ballot.json")), wallet=CAROL)

    assert sending(support="against") == "governor_invalid_signature"
    assert sending(reason="another") == "governor_invalid_signature"
    assert sending(nonce="1") == sending(chainId="1") == sending(support="perhaps") == "invalid_vote"
    assert sending(voter=DEVNET_ADDRESSES[CAROL]) == "no_votes"
    dao.gov("vote", proposal, "against", wallet=ANN)
    assert refusal("vote", proposal, "for") == "already_voted"
    dao.end_voting()
    assert refusal("vote", proposal, "for", wallet=BEN) == "voting_closed"
    assert dao.gov("show", proposal)["proposal"]["state"] == "defeated"
    assert refusal("queue", proposal) == "not_passed"
    assert refusal("execute", proposal) == "not_queued"


def test_a_hostile_description_steers_no_terminal(dao: Dao):
    hostile = "<script>alert(1)</script>\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}gnp".encode() + b"\xff"
    call = dao.inside(_penalty)
    proposal = dao.propose_raw([call], hostile)
    done = dao.commands.run("gov", "show", proposal)
    assert done.exit_code == 0
    assert "<script>alert(1)</script>[2Jgnp\N{REPLACEMENT CHARACTER}" in done.stdout
    assert not {"\x1b", "\N{RIGHT-TO-LEFT OVERRIDE}"} & {*done.stdout}
    assert dao.commands.run("gov", "list").exit_code == 0


async def _penalty(chain: ChainAccess) -> Call:
    return Proposals(chain).escrow.set_exit_penalty(2_500)

"""What is known of proposals is the chain's: states, votes, simulations; also after a reorg and an odd vote."""

import asyncio
from typing import Any

import pytest

from tests.support.dao import BEN, PENALTY, Dao
from tests.support.devnet import Devnet
from tests.support.staked_economy import ANN, DOLLAR
from usufruct.chain import Call, ChainAccess, Client, RpcRefused, keccak
from usufruct.chain.contracts.platform_governor import GovernorRestrictedProposer
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.cli.support.proposals import effect_lines
from usufruct.core import Address
from usufruct.governance import Proposals
from usufruct.governance.simulation import Movement, Outcome, Simulation, Simulator

pytestmark = pytest.mark.anvil

STATES = ("pending", "active", "cancelled", "defeated", "succeeded", "queued", "expired", "executed")
WEEK = 7 * 86_400


def state_of(dao: Dao, proposal: str) -> str:
    """Return where a proposal stands, as we tell and as the contract does, if they agree."""

    async def states(chain: ChainAccess) -> tuple[str, str]:
        proposals = Proposals(chain)
        standing = await proposals.find(proposal)
        votes = await proposals.governor.proposal_votes(standing.proposal.number)
        tally = standing.tally
        counted = (votes.for_votes, votes.against_votes, votes.abstain_votes)
        assert counted == (tally.in_favour, tally.against, tally.abstained)
        assert standing.proposal.deadline == await proposals.governor.proposal_deadline(standing.proposal.number)
        return standing.state.value, STATES[await proposals.governor.state(standing.proposal.number)]

    ours, theirs = dao.inside(states)
    assert ours == theirs
    return ours


def test_states_are_the_contracts(dao: Dao):
    passes, fails = dao.propose(PENALTY, text="passes"), dao.propose(PENALTY, text="fails")
    cancelled, forgotten = dao.propose(PENALTY, text="cancelled"), dao.propose(PENALTY, text="forgotten")
    assert dao.gov("cancel", cancelled, wallet=ANN)["state"] == state_of(dao, cancelled) == "cancelled"
    assert state_of(dao, passes) == "pending"
    dao.begin_voting()
    for each in (passes, forgotten):
        dao.gov("vote", each, "abstain", wallet=BEN)
    dao.pass_time(4 * 86_400)
    for each in (passes, forgotten):
        dao.gov("vote", each, "for", wallet=ANN)
    assert state_of(dao, passes) == "active"
    dao.pass_time(86_400)
    assert state_of(dao, fails) == "defeated"
    dao.pass_time(2 * 86_400)
    assert state_of(dao, passes) == "succeeded"
    dao.gov("queue", passes, wallet=ANN)
    assert state_of(dao, passes) == "queued"
    dao.pass_time(2 * WEEK)
    assert state_of(dao, forgotten) == "expired"
    dao.gov("execute", passes, wallet=ANN)
    assert state_of(dao, passes) == "executed"


def test_a_reason_that_is_no_text_and_a_vote_that_a_reorg_took_back(dao: Dao):
    proposal = dao.propose(PENALTY)
    dao.begin_voting()

    async def vote_in_bytes(chain: ChainAccess) -> None:
        call = Proposals(chain).governor.cast_vote_with_reason(int(proposal, 16), 1, "ab")
        sent = Call(call.to, call.data.replace(b"ab".ljust(32, b"\0"), b"\xff\xfe".ljust(32, b"\0")))
        await Devnet(chain.client).send_as(DEVNET_ADDRESSES[ANN], sent)

    dao.inside(vote_in_bytes)
    assert [each["reason"] for each in dao.gov("show", proposal)["votes"]] == ["\N{REPLACEMENT CHARACTER}" * 2]
    assert state_of(dao, proposal) == "active"
    dao.inside(lambda chain: Devnet(chain.client).reorganise(1))
    assert dao.gov("show", proposal)["votes"] == []
    assert dao.gov("vote", proposal, "against", wallet=ANN)["support"] == "against"
    assert [each["support"] for each in dao.gov("show", proposal)["votes"]] == ["against"]


class WithoutSimulation(Client):
    """A node that does not know `eth_simulateV1`."""

    async def ask(self, method: str, *parameters: object) -> Any:
        if method == "eth_simulateV1":
            raise RpcRefused(method, -32601, "the method eth_simulateV1 does not exist")
        return await super().ask(method, *parameters)


COIN_BOX = Address("0x" + "c0" * 20)


def coin_box() -> bytes:
    """Return code that sends all its coins to whoever calls it: CALL(gas, caller, selfbalance, no data)."""
    return bytes.fromhex("5f5f5f5f47335af100")


async def simulates(chain: ChainAccess) -> None:
    proposals, ann = Proposals(chain), DEVNET_ADDRESSES[ANN]
    governor, known = proposals.governor, await proposals.known()
    own = await proposals.simulate([governor.set_voting_delay(7_200), governor.set_voting_period(86_400)])
    assert own.succeeds, "the governor takes calls to itself as if they came from `execute`"
    assert [(each.view, each.before, each.after) for each in own.changes] == [
        ("votingDelay", "86400", "7200"),
        ("votingPeriod", "432000", "86400"),
    ]
    out_of_bounds = await proposals.simulate([governor.set_voting_delay(1), governor.set_voting_period(86_400)])
    assert [each.succeeds for each in out_of_bounds.outcomes] == [False, True]
    assert "votingDelay" in out_of_bounds.outcomes[0].refusal
    assert not out_of_bounds.succeeds

    dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)
    payment = [dollar.transfer(ann, 5 * DOLLAR)]
    assert "InsufficientBalance" in (await proposals.simulate(payment)).outcomes[0].refusal
    await Devnet(chain.client).send_as(DEVNET_ADDRESSES[0], dollar.mint(proposals.timelock.address, 9 * DOLLAR))
    paid = await proposals.simulate(payment)
    assert set(paid.movements) == {
        Movement("tUSD", 6, proposals.timelock.address, "treasury", -5 * DOLLAR),
        Movement("tUSD", 6, ann, "", 5 * DOLLAR),
    }
    coins = await proposals.simulate([Call(ann, b"", 10**24)])
    assert "holds less" in coins.outcomes[0].refusal

    await Devnet(chain.client).set_code(COIN_BOX, coin_box())
    await Devnet(chain.client).set_balance(COIN_BOX, 10**24)
    comes_in = await proposals.simulate([Call(COIN_BOX, b"\1"), Call(ann, b"", 10**24)])
    assert comes_in.succeeds, "the first call brings the coins that the second one pays"
    too_late = await proposals.simulate([Call(ann, b"", 10**24), Call(COIN_BOX, b"\1")])
    assert [each.succeeds for each in too_late.outcomes] == [False, True]

    words = await proposals.explain([*payment, Call(ann, b"", 10**18), governor.set_guardian(ann)])
    assert [each.kind.value for each in words] == ["payment", "coins", "change"]
    unknown = await proposals.explain(
        [Call(dollar.address, b"\1\2\3\4"), Call(dollar.address, dollar.mint(ann, 1).data[:9])]
    )
    assert [each.kind.value for each in unknown] == ["unknown_function", "unreadable"]

    async with WithoutSimulation(chain.config.chain.rpc_url) as client:
        found: Simulation = await Simulator(client, known, governor.address).run(payment)
    assert not found.succeeds
    assert "eth_simulateV1 does not exist" in found.unavailable


def test_a_simulation_tells_what_the_timelock_would_do(dao: Dao):
    dao.inside(simulates)


def test_calls_that_fit_in_no_transaction_fail_together():
    outcomes = tuple(Outcome("", 10_000_000, ()) for _ in range(3))
    too_big = Simulation(5, outcomes, gas_limit=16_000_000)
    assert not too_big.succeeds
    assert too_big.reason == "the calls need 29,958,000 gas together, and a block has 16,000,000"
    assert str(effect_lines([], too_big)["simulation"]).startswith("FAILS on block 5: the calls need")
    fitting = Simulation(5, outcomes, gas_limit=30_000_000)
    assert fitting.succeeds, "not every chain limits transactions"
    over = "the calls need 29,958,000 gas together, and a chain with EIP-7825, such as Ethereum, takes 16,777,216 in a "
    assert fitting.reason == f"{over}transaction"
    assert str(effect_lines([], fitting)["simulation"]).startswith("succeeds on block 5: the calls need")
    at_cap = Simulation(5, (Outcome("", 1 << 24, ()),), gas_limit=30_000_000)
    assert (at_cap.is_over_cap, at_cap.reason) == (False, "")
    assert Simulation(unavailable="no node", outcomes=outcomes).reason == "no node"


def test_the_timelock_alone_cancels_what_is_queued(dao: Dao):
    """A proposal that has the timelock cancel another leaves no event of the governor about it."""
    proposal = dao.pass_proposal(PENALTY)
    dao.gov("queue", proposal, wallet=ANN)

    async def cancels(chain: ChainAccess) -> None:
        proposals, devnet = Proposals(chain), Devnet(chain.client)
        found = (await proposals.find(proposal)).proposal
        (call,) = found.calls
        governor = proposals.governor.address
        salt = int(governor, 16) << 96 ^ int.from_bytes(keccak(found.description))
        queued = await proposals.timelock.hash_operation_batch(
            [call.to], [0], [call.data], bytes(32), salt.to_bytes(32)
        )
        await devnet.set_balance(governor, 10**18)
        await devnet.send_as(governor, proposals.timelock.cancel(queued))

    assert state_of(dao, proposal) == "queued"
    dao.inside(cancels)
    assert state_of(dao, proposal) == "cancelled"
    assert dao.commands.refused("gov", "execute", proposal, "--wallet", str(ANN)).code == "not_queued"
    dao.pass_time(5 * WEEK)
    assert state_of(dao, proposal) == "cancelled"


def test_a_copy_of_a_proposal_is_refused_and_cannot_cancel_it(dao: Dao):
    """Mallory, who has enough votes, sends the very same proposal first: its id would be dead once it is cancelled."""

    async def copied(chain: ChainAccess) -> str:
        proposals, ann, mallory = Proposals(chain), DEVNET_ADDRESSES[ANN], DEVNET_ADDRESSES[BEN]
        call = await proposals.propose(ann, [proposals.escrow.set_exit_penalty(2_500)], "Raise it\n\nFor all.")
        with pytest.raises(GovernorRestrictedProposer):
            await chain.client.call(call, sender=mallory)
        await Devnet(chain.client).send_as(ann, call)
        (standing,) = await proposals.page()
        assert standing.proposal.description == f"Raise it\n\nFor all.\n#proposer={ann}".encode()
        assert standing.proposal.text == "Raise it\n\nFor all."
        assert standing.proposal.proposer == ann
        return standing.proposal.id

    proposal = dao.inside(copied)
    assert "#proposer" not in dao.commands.run("gov", "show", proposal).stdout
    assert dao.gov("show", proposal)["description"] == "Raise it\n\nFor all."


def test_two_processes_read_the_same_logs_at_once(dao: Dao):
    proposal = dao.propose(PENALTY)

    async def both(chain: ChainAccess) -> list[str]:
        found = await asyncio.gather(*(Proposals(chain).find(proposal) for _ in range(2)))
        return [each.proposal.id for each in found]

    assert dao.inside(both) == [proposal, proposal]

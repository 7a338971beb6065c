"""An installation with a governor on a devnet, whose stakers vote by commands."""

from pathlib import Path
from typing import Any

from tests.support.devnet import Devnet
from tests.support.staked_economy import ANN, BEN, Economy
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import DAY_SECONDS
from usufruct.governance import Proposals, proposal_id
from usufruct.staking.lock_model import WEEK_SECONDS

CAROL = 7
FLOOR = 20_000_000
VOTING_DELAY, VOTING_PERIOD, TIMELOCK_DELAY = DAY_SECONDS, 5 * DAY_SECONDS, 2 * DAY_SECONDS
PENALTY = "VoteEscrow.setExitPenalty(25%)"


class Dao(Economy):
    """Ann has 60 million votes, Ben 40 million; the escrow is the timelock's."""

    def __init__(self, folder: Path, rpc_url: str, *, made: bool = False, **more: object) -> None:
        """`made`: the folder is a copy of a DAO's, whose node has forgotten how far its clock was ahead."""
        super().__init__(folder, rpc_url, governance_quorum_floor=FLOOR, **more)
        if not made:
            for wallet, amount in ((ANN, 60_000_000), (BEN, 40_000_000)):
                self.stake("lock", str(amount), "--weeks", "52", wallet=wallet)
            self.inside(_hand_over)
        self.pass_time(WEEK_SECONDS + DAY_SECONDS)

    def gov(self, *arguments: str, wallet: int | None = None) -> Any:
        signed = ("--wallet", str(wallet)) if wallet is not None else ()
        return self.commands.json("gov", *arguments, *signed)

    def propose(self, *calls: str, text: str = "Raise the penalty", wallet: int = ANN) -> str:
        """Propose calls, and return the proposal's id."""
        words = [word for call in calls for word in ("--call", call)]
        return str(self.gov("propose", *words, "--description", text, wallet=wallet)["id"])

    def begin_voting(self) -> None:
        self.pass_time(VOTING_DELAY + 1)

    def end_voting(self) -> None:
        self.pass_time(VOTING_PERIOD)

    def pass_proposal(self, *calls: str) -> str:
        """Propose calls and vote for them until they passed; return the proposal's id."""
        found = self.propose(*calls)
        self.begin_voting()
        self.gov("vote", found, "for", wallet=ANN)
        self.end_voting()
        return found

    def propose_raw(self, calls: list[Call], description: bytes, proposer: int = ANN) -> str:
        """Propose without any check of ours; the description need not be text."""

        async def proposed(chain: ChainAccess) -> str:
            call = Proposals(chain).governor.propose(
                [each.to for each in calls], [each.value for each in calls], [each.data for each in calls], "#" * 96
            )
            room, length = b"#" * 96, (96).to_bytes(32, "big")
            text = description.ljust(96, b" ")
            assert len(text) == 96
            assert call.data.endswith(length + room)
            sent = Call(call.to, call.data.removesuffix(room) + text)
            await Devnet(chain.client).send_as(DEVNET_ADDRESSES[proposer], sent)
            return proposal_id(calls, text)

        return self.inside(proposed)


async def _hand_over(chain: ChainAccess) -> None:
    """Have the timelock accept the escrow, as the first proposal does."""
    proposals = Proposals(chain)
    escrow = VoteEscrow(proposals.escrow.address, chain.client)
    devnet = Devnet(chain.client)
    await devnet.set_balance(proposals.timelock.address, 10**18)
    await devnet.send_as(proposals.timelock.address, escrow.accept_ownership())

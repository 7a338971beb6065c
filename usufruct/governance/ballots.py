"""Votes that are signed by their voter, at any place and time, and sent by another account, which pays the gas."""

from dataclasses import dataclass

from usufruct.chain import Call
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, ChainId, Hash32
from usufruct.governance.errors import InvalidVote
from usufruct.governance.model import Support
from usufruct_client.eip712_messages import BALLOT, EXTENDED_BALLOT
from usufruct_client.typed_data import MessageHasher

_LONGEST_REASON = 1_000
_BALLOT, _WITH_REASON = MessageHasher(BALLOT), MessageHasher(EXTENDED_BALLOT)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote to sign, for one governor of one chain. `nonce`: how many signed votes of the voter it has taken."""

    chain_id: ChainId
    governor: Address
    proposal: Hash32
    voter: Address
    support: Support
    nonce: int
    reason: str = ""

    def sign(self, signer: KeySigner) -> bytes:
        """Return the voter's signature; raises `InvalidVote` when the reason is too long."""
        check_reason(self.reason)
        return signer.sign(self.digest())

    def digest(self) -> bytes:
        """Return what is signed: 32 bytes."""
        place = self.chain_id, self.governor
        vote = int(self.proposal, 16), int(self.support), self.voter, self.nonce
        if self.reason:
            return _WITH_REASON.digest(*place, *vote, self.reason, b"")
        return _BALLOT.digest(*place, *vote)


def check_reason(reason: str) -> None:
    """Check a voter's reason; raises `InvalidVote` when it is too long."""
    if len(reason) > _LONGEST_REASON:
        raise InvalidVote(f"reason has {len(reason)} characters; {_LONGEST_REASON} are allowed", field="reason")


def signed_vote(ballot: Ballot, signature: bytes) -> Call:
    """Return the call that casts a signed vote; any account may send it."""
    governor, number = PlatformGovernor(ballot.governor), int(ballot.proposal, 16)
    if ballot.reason:
        return governor.cast_vote_with_reason_and_params_by_sig(
            number, ballot.support, ballot.voter, ballot.reason, b"", signature
        )
    return governor.cast_vote_by_sig(number, ballot.support, ballot.voter, signature)

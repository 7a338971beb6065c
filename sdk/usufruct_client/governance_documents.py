"""The JSON documents of governance: proposals, what they do in words and simulated, votes, powers.

Votes are Staking Scores in atomic units of the platform token. Times are Unix seconds of the chain.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import (
    AddressText,
    Count,
    Decimals,
    Document,
    HashText,
    Seconds,
    Signature,
    Uint64,
    Uint256,
    Wish,
)

ProposalStateText = Literal["pending", "active", "cancelled", "defeated", "succeeded", "queued", "expired", "executed"]
SupportText = Literal["for", "against", "abstain"]
VerbText = Literal["vote", "queue", "execute", "cancel"]
_Reason = Annotated[StrictStr, Field(max_length=1_000)]
_Signed = Annotated[StrictStr, Field(pattern=r"^-?[0-9]{1,78}$")]


class ProposedCall(Document):
    """One call of a proposal. `words` say it in English, with the value that holds now and the new one.

    `known` is false where the contract or the function is not known, arguments cannot be read, or it carries such a
    call: then `words` begin with WARNING. Words leave out the end of a long text, and have … there; `data` is whole.
    `contract` is empty for an unknown contract; `function` is its signature, or the selector where it is not known.
    """

    target: AddressText
    value: Uint256
    data: StrictStr
    words: StrictStr
    known: StrictBool
    contract: StrictStr
    function: StrictStr


class CallOutcome(Document):
    """What a call would do now: `refusal` is empty where it succeeds; `events` are its events in words."""

    succeeds: StrictBool
    refusal: StrictStr
    gas: Count
    events: list[StrictStr]


class ViewChange(Document):
    """What a view of a contract would show otherwise."""

    contract: StrictStr
    view: StrictStr
    before: StrictStr
    after: StrictStr


class TokenMovement(Document):
    """By how much an account's balance of a token would change: decimal text, negative where it pays."""

    symbol: StrictStr
    decimals: Decimals
    account: AddressText
    name: StrictStr
    amount: _Signed


class SimulationFacts(Document):
    """A proposal's calls, run as the timelock on top of `block`. `reason` says why `simulated` is false.

    It also tells where all calls together need more gas than a block has; then `succeeds` is false. Above 2**24 gas,
    the most of a transaction where EIP-7825 holds, it tells that, and `succeeds` stays: not every chain has that limit.
    """

    simulated: StrictBool
    reason: StrictStr
    block: Count
    succeeds: StrictBool
    calls: list[CallOutcome]
    changes: list[ViewChange]
    movements: list[TokenMovement]


class VoteFacts(Document):
    """One account's vote; `reason` is its own text."""

    voter: AddressText
    support: SupportText
    weight: Uint256
    reason: StrictStr
    transaction: HashText


class ProposalFacts(Document):
    """A proposal as it stands at `now`. Votes are counted by the scores at `snapshot`; voting ends with `deadline`.

    Before the snapshot `quorum` is what it would be now. `executable_at` is 0 until the proposal is queued.
    `expires_at`: until when what passed must be queued, and what was queued executed.
    """

    id: HashText
    title: StrictStr
    proposer: AddressText
    state: ProposalStateText
    now: Seconds
    snapshot: Seconds
    deadline: Seconds
    executable_at: Seconds
    expires_at: Seconds
    votes_for: Uint256
    votes_against: Uint256
    votes_abstain: Uint256
    quorum: Uint256
    transaction: HashText


class ProposalList(Document):
    """`GET /v1/proposals`: a page of the proposals, the newest first."""

    proposals: list[ProposalFacts]
    page: Count
    pages: Count


class ProposalDetails(Document):
    """`GET /v1/proposals/{id}`: a proposal, what it does, and its votes, those with the most weight first.

    `simulation` is absent where the proposal can no longer be executed.
    """

    proposal: ProposalFacts
    description: StrictStr
    governor: AddressText
    calls: list[ProposedCall]
    simulation: SimulationFacts | None
    votes: list[VoteFacts]


class ProposalWish(Wish):
    """`POST /v1/proposals/{id}/transactions`: what the signed-in account wants to do; `vote` needs `support`."""

    action: VerbText
    support: SupportText | None = None
    reason: _Reason = ""


class SignedBallot(Wish):
    """A vote that its voter signed, for any account to send."""

    chain_id: Uint64
    governor: AddressText
    proposal: HashText
    voter: AddressText
    support: SupportText
    nonce: Uint256
    reason: _Reason
    signature: Signature


class DelegateFacts(Document):
    """An account that others let vote for them, and its votes of the running week."""

    account: AddressText
    votes: Uint256


class DelegateList(Document):
    """`GET /v1/delegates`: the accounts that others let vote for them, the one with most votes first."""

    delegates: list[DelegateFacts]


class PowerFacts(Document):
    """Who holds a role of a contract, as the chain says now.

    `name` is what the holder is called in the published table, empty for others. `published`: the table names this
    holder for this role. Where the contract does not tell, `name` is "not known" and `holder` the zero address.
    """

    contract: StrictStr
    address: AddressText
    role: StrictStr
    holder: AddressText
    name: StrictStr
    published: StrictBool


class GuardianFacts(Document):
    """The account that may cancel proposals, and nothing else, until a date that is fixed: Unix seconds."""

    account: AddressText
    until: Seconds
    is_over: StrictBool


class PowerList(Document):
    """`GET /v1/powers`: every role of every contract of the installation, and who holds it."""

    guardian: GuardianFacts | None
    powers: list[PowerFacts]


class HoldingFacts(Document):
    """A balance in atomic units. For the chain's coin, `token` is absent and `symbol` empty."""

    token: AddressText | None
    symbol: StrictStr
    decimals: Decimals
    amount: Uint256


class TreasuryFacts(Document):
    """`GET /v1/treasury`: what the timelock holds at a block: the coin, and tokens that the installation knows."""

    address: AddressText
    block: Count
    holdings: list[HoldingFacts]

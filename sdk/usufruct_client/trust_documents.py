"""The JSON documents of trusts: how the shareholders of a service decide about it.

Votes are shares in atomic units. Times are Unix seconds of the chain.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.governance_documents import ProposalStateText, SupportText, VoteFacts
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Document,
    HashText,
    Seconds,
    Uint128,
    Uint256,
    Wish,
)

TrustVerb = Literal["vote", "execute", "delegate"]
UnitText = Literal["text_token", "second", "byte", "image", "row", "step"]
_Reason = Annotated[StrictStr, Field(max_length=1_000)]


class TrustChangeFacts(Document):
    """One value that a call sets, as it is now and as it would be; `of` names a metadata entry.

    `key` is `input_price`, `output_price`, `call_price`, `cached_input`, `unit`, `context_window`, `uri`, `entry` or
    `holder`. `before` is empty where it is not known.
    """

    key: StrictStr
    of: StrictStr
    before: StrictStr
    after: StrictStr


class TrustCallFacts(Document):
    """One call of a proposal: `words` say all of it in English, `changes` what differs from now.

    `known` is false where its arguments cannot be read. `refusal`: why it would fail now, empty where it would not;
    absent where the proposal can no longer be executed.
    """

    target: AddressText
    data: StrictStr
    words: StrictStr
    known: StrictBool
    changes: list[TrustChangeFacts]
    refusal: StrictStr | None


class TrustProposalFacts(Document):
    """A proposal as it stands at `now`.

    `quorum`: the votes that it needs, for one that `dissolves` the trust in favour. Votes are
    the shares at `snapshot`; voting ends with `deadline`; what passed is executed until `expires_at`.
    """

    id: HashText
    title: StrictStr
    proposer: AddressText
    state: ProposalStateText
    now: Seconds
    snapshot: Seconds
    deadline: Seconds
    expires_at: Seconds
    votes_for: Uint256
    votes_against: Uint256
    votes_abstain: Uint256
    quorum: Uint256
    dissolves: StrictBool
    transaction: HashText


class TrustDetails(Document):
    """`GET /v1/trusts/{asset}`: a trust's terms, which never change, and a page of its proposals, the newest first.

    `threshold`: shares that a proposer needs; `quorum`: those that must vote.
    """

    asset: AssetHex
    trust: AddressText
    voting_delay: Seconds
    voting_period: Seconds
    grace_period: Seconds
    threshold: Uint256
    quorum: Uint256
    proposals: list[TrustProposalFacts]
    page: Count
    pages: Count


class TrustProposalDetails(Document):
    """`GET /v1/trusts/{asset}/proposals/{id}`: a proposal, what it changes, and the votes with the most weight."""

    proposal: TrustProposalFacts
    description: StrictStr
    trust: AddressText
    calls: list[TrustCallFacts]
    votes: list[VoteFacts]


class TrustWish(Wish):
    """`POST /v1/trusts/{asset}/transactions`: what the signed-in account wants to do.

    `vote` and `execute` need `proposal`, `vote` also `support`. `delegate` lets the account vote with its own shares.
    """

    action: TrustVerb
    proposal: HashText | None = None
    support: SupportText | None = None
    reason: _Reason = ""


class TrustDraftWish(Wish):
    """`POST /v1/trusts/{asset}/drafts` and `.../drafts/transactions`: what of a service is proposed to change.

    What is absent, or empty, stays as it is. Prices are atomic units of the service's payment token. A configuration is
    the SHA-256 of its document and where that is published; `description` begins with the title. `anyway`: propose it
    though a call would fail now.
    """

    description: StrictStr
    input_per_million: Uint128 | None = None
    output_per_million: Uint128 | None = None
    per_call: Uint128 | None = None
    cached_input_bps: Count | None = None
    unit: UnitText | None = None
    context_window: Count | None = None
    uri: StrictStr = ""
    endpoint: StrictStr = ""
    configuration_hash: StrictStr = ""
    published_at: StrictStr = ""
    anyway: StrictBool = False


class TrustDraftDetails(Document):
    """What a draft of shareholders would change, and whether the account that asked can propose it.

    `votes` are the account's now, absent where no one is signed in; `missing` are those it lacks for `threshold`.
    """

    trust: AddressText
    calls: list[TrustCallFacts]
    threshold: Uint256
    votes: Uint256 | None
    missing: Uint256 | None

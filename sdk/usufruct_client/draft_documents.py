"""The JSON documents of proposals that are being written: what can be changed, and what a draft would do.

Votes are Staking Scores in atomic units of the platform token, for drafts of shareholders atomic shares.
"""

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.governance_documents import ProposedCall, SimulationFacts
from usufruct_client.wire_types import AddressText, Document, HashText, Uint256, Wish, hex_bytes

MOST_CALLS = 20
"""Of a draft."""

_CallData = Annotated[bytes, hex_bytes(0, 24_000)]


class ParameterFacts(Document):
    """A parameter that a proposal can change: `now` is its value in English, `least` to `most` what its contract takes.

    `unit` is `bps` (hundredths of a per cent), `seconds`, `score`, `account` or `text`. Where any value is taken,
    `least` and `most` are absent; `or_zero`: 0 is taken beside them. `takes_value` is false where the call alone says
    what it does, as accepting an ownership does.
    """

    id: StrictStr
    contract: StrictStr
    address: AddressText
    function: StrictStr
    unit: StrictStr
    now: StrictStr
    takes_value: StrictBool
    least: Uint256 | None
    most: Uint256 | None
    or_zero: StrictBool


class ParameterList(Document):
    """`GET /v1/parameters`: the parameters of the platform that a proposal can change now."""

    parameters: list[ParameterFacts]


class DraftCall(Wish):
    """One call of a draft: written as `call`, such as `VoteEscrow.setExitPenalty(25%)`, or as `target` and `data`.

    `value` is wei of the chain's coin.
    """

    call: StrictStr = ""
    target: AddressText | None = None
    data: _CallData = b""
    value: Uint256 = 0


class DraftWish(Wish):
    """`POST /v1/proposals/drafts` and `.../drafts/transactions`: a proposal that is being written.

    The first line of `description` is its title. `anyway`: propose it though the simulation fails.
    """

    calls: Annotated[list[DraftCall], Field(min_length=1, max_length=MOST_CALLS)]
    description: StrictStr
    anyway: StrictBool = False


class DraftDetails(Document):
    """What a draft would do, and whether the account that asked can propose it.

    `id` is what its proposal would get: the account is a part of it. `votes` are the account's now, `missing` those it
    lacks for `threshold`. All three are absent where no one is signed in.
    """

    id: HashText | None
    calls: list[ProposedCall]
    simulation: SimulationFacts
    threshold: Uint256
    votes: Uint256 | None
    missing: Uint256 | None

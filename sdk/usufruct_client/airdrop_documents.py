"""The JSON documents of airdrops. Amounts are atomic units of the platform token, which has 18 decimals."""

from typing import Annotated

from pydantic import Field, StrictStr

from usufruct_client.wire_types import AddressText, Count, Document, HashText, Seconds, Uint256, Wish


class AirdropFacts(Document):
    """An airdrop that is served: the root of its tree, its accounts, and the sum of what it pays.

    `state` is `planned` before the contract is deployed, when the members about it are null; then `open`, then `ended`.
    `left` is what the contract holds; `treasury` gets that from `claimsEnd` on.
    """

    root: HashText
    accounts: Count
    units: Uint256
    state: StrictStr
    contract: AddressText | None = None
    claims_end: Seconds | None = None
    treasury: AddressText | None = None
    left: Uint256 | None = None


class AirdropList(Document):
    """`GET /v1/airdrops`."""

    airdrops: list[AirdropFacts]


class AirdropEntryFacts(Document):
    """`GET /v1/airdrops/{root}/{account}`: what `claim` of the airdrop's contract takes."""

    root: HashText
    index: Count
    account: AddressText
    units: Uint256
    proof: list[HashText]


class AirdropClaimFacts(Document):
    """`GET` and `POST /v1/airdrops/{root}/{account}/claim`: how an entry stands.

    `state` is `planned`, `open`, `pending`, `claimed`, `ended`, `unfunded` (the contract holds less than the amount) or
    `refused` (`reason` is the chain's). `transaction` is the relayer's, if it sent one.
    """

    root: HashText
    account: AddressText
    units: Uint256
    state: StrictStr
    transaction: HashText | None = None
    reason: StrictStr = ""
    contract: AddressText | None = None
    claims_end: Seconds | None = None
    treasury: AddressText | None = None


class AirdropLockWish(Wish):
    """`POST /v1/airdrops/{root}/{account}/lock-requests`: for how many weeks the signed-in account locks its entry."""

    weeks: Annotated[int, Field(strict=True, ge=1, le=52)]

"""The JSON documents of airdrops. Amounts are atomic units of the platform token, which has 18 decimals."""

from usufruct_client.wire_types import AddressText, Count, Document, HashText, Uint256


class AirdropFacts(Document):
    """An airdrop that is served: the root of its tree, its accounts, and the sum of what it pays."""

    root: HashText
    accounts: Count
    units: Uint256


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

"""The terms of an airdrop's contract, fixed at its deployment."""

from dataclasses import dataclass

from usufruct.chain import Client
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.core import Address, Conflict


class NotAnAirdrop(Conflict, code="not_an_airdrop"):
    """The contract at an address is not an Airdrop, or there is none."""


class OtherAirdrop(Conflict, code="other_airdrop"):
    """The contract at an address is an Airdrop of another tree or token."""


@dataclass(frozen=True, slots=True)
class AirdropTerms:
    """What a contract pays by which tree, until when (Unix seconds), and where the remainder goes.

    `escrow`: the VoteEscrow that entries can be locked in; the zero address: none.
    """

    token: Address
    root: bytes
    deadline: int
    treasury: Address
    escrow: Address


async def read_terms(client: Client, place: Address) -> AirdropTerms:
    """Return the terms of the airdrop at `place`.

    Raises:
        NotAnAirdrop: when the code there is not that of an Airdrop.
    """
    if not Airdrop.ARTIFACT.is_runtime(await client.code_at(place)):
        raise NotAnAirdrop(
            f"the contract at {place} is not an Airdrop of this version; give the address that `usufruct airdrop "
            "deploy` printed",
            address=place,
        )
    airdrop = Airdrop(place, client)
    return AirdropTerms(
        await airdrop.token(),
        await airdrop.root(),
        await airdrop.deadline(),
        await airdrop.treasury(),
        await airdrop.escrow(),
    )

"""What `usufruct doctor` asks about deals."""

from collections.abc import AsyncIterator

from usufruct.chain import ChainAccess
from usufruct.chain.contracts.deal_room import DealRoom, Phase
from usufruct.chain.contracts.levels import Levels
from usufruct.core import ZERO_ADDRESS, checksum, id_to_bytes
from usufruct.core.address_lists import read_deals
from usufruct.core.diagnostics import Finding, bad, good

_ID_LENGTH = 66


async def check_deals(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that deals go by the installation's levels, and that the deals to show exist."""
    room = DealRoom(chain.deployments.address(DealRoom), chain.client)
    levels, copied, fee = chain.deployments.address(Levels), await room.levels(), await room.platform_fee()
    if levels == copied:
        yield good("deals", f"the fee of deals to come is {fee.bps / 100:g} %; fees go to {checksum(fee.sink)}")
    else:
        yield bad(
            "deals",
            f"deals go by the levels {checksum(copied)}, the installation has {checksum(levels)}",
            "run `usufruct deploy`, which creates a deal room for the installation's levels",
        )
    for name in sorted(read_deals(chain.config.platform_token.deals)):
        if len(name) != _ID_LENGTH:
            continue
        found = await room.deal_of(id_to_bytes(name))
        if found.phase is Phase.UNKNOWN or found.issuer == ZERO_ADDRESS:
            remedy = "correct `platform_token.deals`; `usufruct deal list` names all deals"
            yield bad("deals", f"{checksum(room.address)} has no deal {name}", remedy)

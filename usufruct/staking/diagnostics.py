"""What `usufruct doctor` asks about airdrops."""

from collections.abc import AsyncIterator

from usufruct.core import checksum, format_units, moment
from usufruct.core.diagnostics import Finding, bad, good, skipped
from usufruct.staking.airdrop_claims import AirdropClaims, EntryState
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS


async def check_airdrops(claims: AirdropClaims) -> AsyncIterator[Finding]:
    """Check that each configured contract is its file's airdrop, and holds tokens until claims end."""
    for airdrop in claims.served:
        found = await claims.overview(airdrop)
        if found.terms is None or airdrop.place is None:
            yield skipped("airdrops", f"{airdrop.root} has no contract yet; `usufruct airdrop deploy` prints it")
            continue
        held, end = format_units(found.left, TOKEN_DECIMALS), moment(found.terms.deadline)
        text = f"{checksum(airdrop.place)} holds {held} tokens; claims end {end}"
        if found.left or found.state is EntryState.ENDED:
            yield good("airdrops", text)
        else:
            yield bad("airdrops", text, "unless all were claimed, run `usufruct airdrop deploy` again, which funds it")

"""The till pays only payees that its owner listed."""

from usufruct.app import Installation
from usufruct.assets import Listing
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import KeystoreMissing, Role, signer_of
from usufruct.cli.support.progress import Progress
from usufruct.core import Address, Denied, checksum
from usufruct.gateway import Operator
from usufruct.payments.settlement import list_payee


async def list_payee_of(installation: Installation, listing: Listing, payee: Address, progress: Progress) -> None:
    """Have the till pay a listing's payee; the owner's key lists one that is not listed yet."""
    till = Till(installation.get(Operator).till, installation.client)
    kind = PayeeKind.SHARES if listing.registered else PayeeKind.PLAIN
    if await till.payees(payee) is kind:
        return
    try:
        owner = installation.sender(signer_of(Role.OWNER, installation.config))
    except KeystoreMissing as missing:
        raise Denied(
            f"the till {checksum(till.address)} does not list {checksum(payee)}, and the owner's key is not here; "
            f"where it is, run `usufruct till payee {checksum(payee)} --as {kind.name.lower()}`",
            code="payee_not_listed",
        ) from missing
    with progress.working(f"listing {checksum(payee)} as a payee of the till, by the owner's key"):
        await list_payee(till, owner, payee, kind)

"""The owner's settings of the till, each sent unless it is as wanted."""

from secrets import token_hex

from usufruct.chain import Sender
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.core import ZERO_ADDRESS, Address


async def allow_claims(till: Till, sender: Sender, key: Address, *, allowed: bool) -> bool:
    """Let a key claim for the till, or no more; tells whether a transaction was needed."""
    if await till.claim_keys(key) is allowed:
        return False
    await sender.execute(till.set_claim_key(key, allowed=allowed), f"claim-key/{till.address}/{key}/{token_hex(4)}")
    return True


async def list_payee(till: Till, sender: Sender, pay_to: Address, kind: PayeeKind) -> bool:
    """Have the till pay an address, as `kind`, unless it does; tells whether a transaction was needed."""
    if await till.payees(pay_to) is kind:
        return False
    await sender.execute(till.set_payee(pay_to, kind), f"payee/{till.address}/{pay_to}/{token_hex(4)}")
    return True


async def cap_payees(till: Till, sender: Sender, token: Address, cap: int, pay_to: Address = ZERO_ADDRESS) -> bool:
    """Cap what the till pays one payee a day, or each without a cap; 0 lifts the cap.

    Tells whether a transaction was needed; a payee's own cap is always written, for it may equal that of all.
    """
    if pay_to == ZERO_ADDRESS and await till.daily_cap(pay_to, token) == cap:
        return False
    key = f"cap/{till.address}/{token}/{pay_to}/{token_hex(4)}"
    await sender.execute(till.set_daily_cap(pay_to, token, cap), key)
    return True

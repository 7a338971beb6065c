"""The owner's settings of the till, each sent unless it is as wanted, and the steps that deploy the till with them.

A deployed till may be used by the claim key, and pays the operator's fee account up to a daily cap.
"""

from secrets import token_hex

from usufruct.chain import Sender, amount_of, token_facts
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.chain.escrow import SETTLEMENT
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, Address, checksum
from usufruct.core.components import DeployStep


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


def deploy_steps(site: DeploySite, config: Config) -> list[DeployStep]:
    """Return the steps; a cap that is set stays."""
    setup, sender = site.setup, site.sender
    creation = Till.deploy(setup.owner, SETTLEMENT)
    till = Till(address_of(Till, creation), site.client)

    async def allowed() -> bool:
        return await till.claim_keys(setup.claim_key)

    async def listed() -> bool:
        return await till.payees(setup.fee_sink) is not PayeeKind.NONE

    async def capped() -> bool:
        return await till.daily_cap(ZERO_ADDRESS, setup.token) > 0

    async def cap() -> bool:
        facts = await token_facts(site.client, setup.token)
        most = amount_of(config.claims.daily_cap, "claims.daily_cap", facts)
        return await cap_payees(till, sender, setup.token, most)

    return [
        site.creation(Till, creation),
        site.setting(
            f"let claim key {checksum(setup.claim_key)} claim",
            till.address,
            allowed,
            lambda: allow_claims(till, sender, setup.claim_key, allowed=True),
        ),
        site.setting(
            f"list fee account {checksum(setup.fee_sink)} as payee",
            till.address,
            listed,
            lambda: list_payee(till, sender, setup.fee_sink, PayeeKind.PLAIN),
        ),
        site.setting(
            f"cap what a payee gets a day at {config.claims.daily_cap} of the token", till.address, capped, cap
        ),
    ]

"""What settlement deploys: the till, which the claim key may use, and which pays the fee sink up to a daily cap."""

from usufruct.chain import amount_of, token_facts
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.chain.escrow import SETTLEMENT
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, checksum
from usufruct.core.components import DeployStep
from usufruct.payments.settlement.till_settings import allow_claims, cap_payees, list_payee


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
            f"list fee sink {checksum(setup.fee_sink)} as payee",
            till.address,
            listed,
            lambda: list_payee(till, sender, setup.fee_sink, PayeeKind.PLAIN),
        ),
        site.setting(
            f"cap what a payee gets a day at {config.claims.daily_cap} of the token", till.address, capped, cap
        ),
    ]

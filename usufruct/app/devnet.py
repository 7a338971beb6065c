"""A devnet made ready for an installation."""

from contextlib import AsyncExitStack

from usufruct.chain import (
    Deployments,
    Role,
    Sender,
    Terms,
    amount_of,
    cap_payees,
    connect,
    deploy_devnet,
    fee_sink_of,
    open_till,
    signer_of,
    token_of,
)
from usufruct.chain.contracts.till import Till
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, ChainId
from usufruct.store import ensure_current, open_database

DEVNET_FEE_BPS = 250
"""The protocol fee of devnets: 2.5 %."""


async def set_up_devnet(config: Config) -> Deployments:
    """Deploy everything on the configured devnet and write down where it stands; idempotent.

    The owner's key deploys, and makes the claim key the till's.
    """
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        database = open_database(config.database.url)
        stack.push_async_callback(database.close)
        await ensure_current(database)
        chain_id = ChainId(config.chain.id)
        owner = signer_of(Role.OWNER, config)
        sender = Sender(client, owner, database, chain_id, poll_seconds=config.chain.poll_milliseconds / 1000)
        terms = Terms(owner.address, owner.address, fee_sink_of(config), DEVNET_FEE_BPS)
        deployments = await deploy_devnet(client, sender, chain_id, terms)
        till = Till(deployments.address(Till), client)
        await open_till(till, sender, signer_of(Role.CLAIM, config).address, terms.fee_sink)
        token = await token_of(config, client, deployments)
        if not await till.daily_cap(ZERO_ADDRESS, token.address):
            cap = amount_of(config.claims.daily_cap, "claims.daily_cap", token)
            await cap_payees(till, sender, token.address, cap)
        deployments.write(config.data.folder)
        return deployments

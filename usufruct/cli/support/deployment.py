"""What `deploy` and `init` do on a chain: each step looks at what is there, so that it can be run again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory

from usufruct.app import deploy_steps
from usufruct.chain import Call, ChainAccess, Client, FeePolicy, check_chain_id, market_offer, open_chain_unchecked
from usufruct.chain.deployment import Deployments, DeploySite, Setup, public_contracts
from usufruct.chain.keys import KeySigner, Role, keystore_address, signer_of, write_keystore
from usufruct.config import Config, DatabaseConfig, DataConfig
from usufruct.core import ZERO_ADDRESS, Address, checksum, divide_up
from usufruct.core.components import DeployStep
from usufruct.store import ensure_current

Plan = Sequence[tuple[DeployStep, int]]
"""Steps in order, and the gas each takes; 0: it is done."""


async def plan_of(chain: ChainAccess, site: DeploySite) -> Plan:
    """Check the chain, and return what is to be deployed on it; nothing is sent."""
    await site.check()
    return [(step, await step.gas()) for step in deploy_steps(chain.config, site)]


def gas_of(plan: Plan) -> int:
    """Return the gas that a plan takes."""
    return sum(gas for _, gas in plan)


def addresses_of(deployments: Deployments) -> dict[str, str]:
    """Return the contracts' addresses by name, as they are printed."""
    return {name: checksum(each.address) for name, each in deployments.contracts.items()}


_SUPPLIED = (Role.CLAIM, Role.RELAYER)
_SUPPLY_GAS = 20_000_000
"""Gas that the claim key and the relayer begin with, each: enough for some fifty claims or two hundred deposits."""
_TRANSFER_GAS = 21_000
_SPARE_PERCENT = 150
"""What is asked for, of what is needed: fees move, and rollups take something on top for the data."""
_LEAST_FUNDING, _STEP = 5 * 10**14, 10**12
"""Wei: the least that is asked for, and what it is rounded up to a multiple of."""
_POLL_SECONDS = 2.0
_FAUCET_WEI = 10**19


@dataclass(frozen=True, slots=True)
class Funding:
    """What the owner's address needs before the contracts can be deployed, in wei; `held`: what it has."""

    owner: Address
    needed: int
    held: int

    @property
    def missing(self) -> int:
        """What is still to be sent there."""
        return max(0, self.needed - self.held)


def make_keys(config: Config) -> dict[Role, Address]:
    """Make the keystore files of the roles that have none, all under one password; return every role's address."""
    config.keys.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found: dict[Role, Address] = {}
    password, scrypt_n = config.keys.password.reveal(), config.keys.scrypt_n
    for role in Role:
        path = config.keys.folder / f"{role}.json"
        known = keystore_address(path) if path.exists() else None
        found[role] = known or write_keystore(path, token_bytes(32), password, scrypt_n=scrypt_n)
    return found


async def prepare_rehearsal(config: Config) -> None:
    """Put on the rehearsal's chain what a public one has already, paid by a key that is forgotten afterwards."""
    with TemporaryDirectory(prefix="usufruct-faucet-") as place:
        database = DatabaseConfig(f"sqlite:///{place}/outbox.db")
        once = replace(config.chain, confirmations=1)
        elsewhere = replace(config, data=DataConfig(Path(place)), database=database, chain=once)
        async with open_chain_unchecked(elsewhere) as chain:
            await check_chain_id(chain.client, config)
            await ensure_current(chain.database)
            faucet, none = KeySigner(token_bytes(32)), ZERO_ADDRESS
            await chain.client.ask("anvil_setBalance", faucet.address, hex(_FAUCET_WEI))
            setup = Setup(none, none, none, 0, wrapped_native=none, token=none, claim_key=none, treasury=none)
            site = DeploySite(chain.client, chain.sender(faucet), chain.deployments, setup)
            for step in public_contracts(site):
                await step.take()


async def funding_of(client: Client, gas: int, keys: dict[Role, Address]) -> Funding:
    """Return what the owner's address needs for steps of so much gas, and to supply the claim key and the relayer.

    Once the contracts are deployed a quarter of the usual supply is enough to go on: fees may have risen meanwhile.
    """
    price = (await market_offer(client, FeePolicy())).max_fee
    supplies = [role for role in _SUPPLIED if await client.balance(keys[role]) < _least_supply(price)]
    needed = 0
    if gas:
        wanted = FeePolicy().gas_limit(gas) + len(supplies) * (_SUPPLY_GAS + _TRANSFER_GAS)
        needed = divide_up(max(_LEAST_FUNDING, divide_up(price * wanted * _SPARE_PERCENT, 100)), _STEP) * _STEP
    elif supplies:
        needed = len(supplies) * (_least_supply(price) + price * _TRANSFER_GAS)
    return Funding(keys[Role.OWNER], needed, await client.balance(keys[Role.OWNER]))


async def wait_for_funds(client: Client, funding: Funding) -> None:
    """Wait until the owner's address holds what it needs."""
    while await client.balance(funding.owner) < funding.needed:  # noqa: ASYNC110 - the chain sends no event
        await asyncio.sleep(_POLL_SECONDS)


async def supply_keys(chain: ChainAccess, keys: dict[Role, Address]) -> None:
    """Send gas money from the owner to the claim key and the relayer, where they have little."""
    sender = chain.sender(signer_of(Role.OWNER, chain.config))
    price = (await market_offer(chain.client, FeePolicy())).max_fee
    for position, role in enumerate(_SUPPLIED):
        to, key = keys[role], f"supply/{role}/{keys[role]}"
        known = await sender.find(key)
        if known is None and await chain.client.balance(to) >= _least_supply(price):
            continue
        held = await chain.client.balance(sender.address)
        share = held // (len(_SUPPLIED) - position) - 2 * price * _TRANSFER_GAS
        await sender.execute(known.call if known else Call(to, b"", min(price * _SUPPLY_GAS, share)), key)


def _least_supply(price: int) -> int:
    return price * _SUPPLY_GAS // 4

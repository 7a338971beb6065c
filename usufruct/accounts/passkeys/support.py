"""What a chain has for passkey accounts: the EntryPoint, the factory, and the precompile that checks P-256 cheaply."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from usufruct.chain import ChainAccess, Client
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.deployment import Deployments
from usufruct.chain.entry_point import ENTRY_POINT, PACKAGE
from usufruct.chain.p256 import GAS_WITHOUT_P256, has_p256
from usufruct.core import Address, checksum, format_units
from usufruct.core.diagnostics import Finding, good, skipped
from usufruct.core.networks import is_local

COIN_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class PasskeySupport:
    """What a chain has; `factory` is None where ours is not deployed.

    `gas_price`: of the newest block, in atomic units of the chain's coin.
    """

    entry_point: bool
    factory: Address | None
    precompile: bool
    gas_price: int = 0

    @property
    def works(self) -> bool:
        """Whether accounts can be created and can act."""
        return self.entry_point and self.factory is not None

    @property
    def more_coins(self) -> int:
        """What a signature costs more, in atomic units of the chain's coin at the newest block's price of gas."""
        return 0 if self.precompile else GAS_WITHOUT_P256 * self.gas_price

    @property
    def price(self) -> str:
        """What the precompile's absence costs, in words; empty where it is there."""
        if self.precompile:
            return ""
        coins = format_units(self.more_coins, COIN_DECIMALS)
        return (
            f"no P-256 precompile: {GAS_WITHOUT_P256:,} gas more for each signature, now {coins} of the chain's coin, "
            "which the relayer pays within its bounds"
        )


async def passkey_support(client: Client, deployments: Deployments) -> PasskeySupport:
    """Ask the chain what it has for passkey accounts."""
    code, precompile, head = await asyncio.gather(client.code_at(ENTRY_POINT), has_p256(client), client.head())
    known = PasskeyAccountFactory.__name__ in deployments.contracts
    factory = deployments.address(PasskeyAccountFactory) if known else None
    return PasskeySupport(bool(code), factory, precompile, head.base_fee)


async def check_support(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that passkey accounts work on the chain; without them everything else does."""
    found = await passkey_support(chain.client, chain.deployments)
    if not found.entry_point:
        why = f"; start it again to fetch npm's {PACKAGE}" if is_local(chain.chain_id) else ""
        text = f"off: chain {chain.chain_id} has no EntryPoint 0.9 at {checksum(ENTRY_POINT)}{why}"
        yield skipped("passkeys", text)
    elif found.factory is None:
        yield skipped("passkeys", "off: the factory is not deployed; `usufruct deploy` does it")
    else:
        yield good("passkeys", f"EntryPoint 0.9 is there; {found.price or 'so is the P-256 precompile'}")

"""What a chain has for passkey accounts: the EntryPoint, the factory, and the precompile that checks P-256 cheaply."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from usufruct.chain import Call, ChainAccess, Client
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.deployment import Deployments
from usufruct.chain.entry_point import ENTRY_POINT, PACKAGE
from usufruct.core import Address, checksum
from usufruct.core.diagnostics import Finding, good, skipped
from usufruct.core.networks import is_local

_P256 = Address("0x" + "0100".rjust(40, "0"))
"""Where RIP-7212 and EIP-7951 put it."""

_TRUE = bytes(31) + b"\x01"
_SIGNED = bytes.fromhex(
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
)
"""RIP-7212's first test vector: hash, r, s, x, y."""

GAS_WITHOUT_PRECOMPILE = 347_000
"""What a signature of a passkey costs more then (docs/protocol/accounts.md, Gas)."""


@dataclass(frozen=True, slots=True)
class PasskeySupport:
    """What a chain has; `factory` is None where ours is not deployed."""

    entry_point: bool
    factory: Address | None
    precompile: bool

    @property
    def works(self) -> bool:
        """Whether accounts can be created and can act."""
        return self.entry_point and self.factory is not None

    @property
    def price(self) -> str:
        """What the precompile's absence costs, in words; empty where it is there."""
        return "" if self.precompile else f"no P-256 precompile: {GAS_WITHOUT_PRECOMPILE:,} gas more for each signature"


async def passkey_support(client: Client, deployments: Deployments) -> PasskeySupport:
    """Ask the chain what it has for passkey accounts."""
    code, answer = await asyncio.gather(client.code_at(ENTRY_POINT), client.call(Call(_P256, _SIGNED)))
    known = PasskeyAccountFactory.__name__ in deployments.contracts
    factory = deployments.address(PasskeyAccountFactory) if known else None
    return PasskeySupport(bool(code), factory, answer == _TRUE)


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

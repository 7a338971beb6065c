"""The precompile that checks signatures of passkeys (P-256) cheaply, which not every chain has."""

from usufruct.chain.client import Client
from usufruct.chain.contract_base import Call
from usufruct.core import Address

__all__ = ["GAS_WITHOUT_P256", "has_p256"]

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

GAS_WITHOUT_P256 = 347_000
"""What a signature of a passkey costs more then (docs/protocol/accounts.md, Gas)."""


async def has_p256(client: Client) -> bool:
    """Tell whether a chain has the precompile."""
    return await client.call(Call(_P256, _SIGNED)) == _TRUE

"""Signatures of wallets: by a key, by a contract (ERC-1271), or by a contract that is not created yet (ERC-6492).

A contract is asked by one `eth_call` that creates nothing (`SignatureCheck`). What it answers holds for its own address
only. Its gas, its answer and the time are bounded, and few are asked at once: a wallet's contract may be anyone's.
"""

import asyncio

from usufruct.chain import Client, Revert, RpcRefused
from usufruct.chain.contracts.signature_check import SignatureCheck
from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import Address, Unavailable

_KEY_BYTES = 65
_ASKER = Address("0x00000000000000000000000000000000000000a5")
"""Has no key and no code. Not the zero address: some contracts take any signature where that one asks, to simulate."""

_MOST_GAS = 4_000_000
"""Creates a wallet and checks a passkey where the chain has no precompile for it, several times over."""


class SignatureUnchecked(Unavailable, code="signature_unchecked"):
    """The chain could not be asked in time whether a wallet's contract takes a signature; try again."""


class WalletSignatures:
    """Tells whether a wallet signed a hash. Without a client, only signatures by keys are known."""

    def __init__(self, client: Client | None = None, *, seconds: float = 5.0, most_at_once: int = 8) -> None:
        """Ask contracts through `client`, `most_at_once` of them, each within `seconds` with the wait for its turn."""
        self._client = client
        self._seconds = seconds
        self._turns = asyncio.Semaphore(most_at_once)

    async def has_signed(self, wallet: Address, digest: bytes, signature: bytes) -> bool:
        """Tell whether a wallet signed 32 bytes, as the chain is now.

        Raises:
            SignatureUnchecked, RpcUnavailable: when it could be a contract's, and the chain does not answer.
        """
        if len(signature) == _KEY_BYTES and _is_by_key(wallet, digest, signature):
            return True
        return self._client is not None and await self._is_taken(self._client, wallet, digest, signature)

    async def _is_taken(self, client: Client, wallet: Address, digest: bytes, signature: bytes) -> bool:
        check = SignatureCheck.deploy(wallet, digest, signature)
        try:
            async with asyncio.timeout(self._seconds), self._turns:
                answer = await client.create(check, sender=_ASKER, gas=_MOST_GAS)
        except (Revert, RpcRefused):  # what is not ABI-encoded, and a contract that takes all the gas
            return False
        except TimeoutError as error:
            message = f"the chain did not say in {self._seconds:g} s whether {wallet} takes the signature; try again"
            raise SignatureUnchecked(message, wallet=wallet) from error
        return answer == (1).to_bytes(32, "big")


def _is_by_key(wallet: Address, digest: bytes, signature: bytes) -> bool:
    try:
        return recover_signer(digest, signature) == wallet
    except InvalidSignature:
        return False

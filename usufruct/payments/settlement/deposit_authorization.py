"""A payer's signature over a deposit: what it means, how it travels, and what the chain is given of it."""

from dataclasses import dataclass

from usufruct.chain import keccak, word
from usufruct.core import Hash32, Invalid, hash32_from_bytes, id_to_bytes
from usufruct.payments.pricing import ChannelConfig
from usufruct_client.wire import SignedDeposit


class InvalidDeposit(Invalid, code="invalid_deposit"):
    """A member of a deposit is missing or malformed."""


@dataclass(frozen=True, slots=True)
class DepositAuthorization:
    """A payer's signed word to put `amount` atomic units into the channel of `config`, between two chain times.

    `salt` tells several deposits into one channel apart; the signature is the payer's, 65 bytes or an ERC-1271 one.
    """

    config: ChannelConfig
    amount: int
    valid_after: int
    valid_before: int
    salt: int
    signature: bytes

    @classmethod
    def of(cls, config: ChannelConfig, deposit: SignedDeposit) -> "DepositAuthorization":
        """Return the deposit into a channel that a document describes."""
        signed = deposit.authorization.erc3009_authorization
        return cls(
            config=config,
            amount=deposit.amount,
            valid_after=signed.valid_after,
            valid_before=signed.valid_before,
            salt=int(signed.salt, 16),
            signature=signed.signature,
        )

    def nonce(self, channel: Hash32) -> Hash32:
        """Return the EIP-3009 nonce: it names the channel, so that the money cannot be put into another."""
        return hash32_from_bytes(keccak(id_to_bytes(channel) + word(self.salt)))

    def collector_data(self) -> bytes:
        """Return what the collector is given: `abi.encode(validAfter, validBefore, salt, signature)`."""
        padded = self.signature + bytes(-len(self.signature) % 32)
        head = (self.valid_after, self.valid_before, self.salt, 128, len(self.signature))
        return b"".join(map(word, head)) + padded

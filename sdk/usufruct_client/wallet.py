"""The payer: the key that holds the money and, if you like, another that signs the vouchers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from usufruct_client.eip712_messages import Domain
from usufruct_client.errors import Invalid
from usufruct_client.identifiers import Address, Hash32
from usufruct_client.signing import Deposit, Signer, sign_deposit, sign_voucher
from usufruct_client.wire import ChannelConfig
from usufruct_client.x402 import Requirements, SignedVoucher


@dataclass(frozen=True, slots=True)
class Wallet:
    """The payer's signer, and the session key that signs vouchers in its place.

    A session key can promise money of the channels that name it, to the operator they name; it can neither deposit nor
    withdraw.
    """

    payer: Signer = field(repr=False)
    voucher_key: Signer | None = field(default=None, repr=False)

    @classmethod
    def from_key(cls, key: str | bytes, voucher_key: str | bytes | None = None) -> "Wallet":
        """Make a wallet of private keys: 32 bytes, or 64 hexadecimal digits.

        Raises:
            Invalid: when one is not a private key; it is not shown.
        """
        return cls(_account(key, "key"), None if voucher_key is None else _account(voucher_key, "voucher_key"))

    @property
    def address(self) -> str:
        """The payer's address, in lower case."""
        return self.payer.address.lower()

    @property
    def authorizer(self) -> str:
        """The address that vouchers are signed by, in lower case."""
        return (self.voucher_key or self.payer).address.lower()

    def config(self, terms: Requirements, salt: str) -> ChannelConfig:
        """Return the channel of this wallet to the operator of `terms`."""
        return ChannelConfig(
            payer=Address(self.address),
            payer_authorizer=Address(self.authorizer),
            receiver=terms.operator,
            receiver_authorizer=terms.receiver_authorizer,
            token=terms.token,
            withdraw_delay=terms.withdraw_delay,
            salt=Hash32(salt),
        )

    def voucher(self, channel: str, max_claimable: int, chain_id: int) -> SignedVoucher:
        """Sign a voucher."""
        signature = sign_voucher(self.voucher_key or self.payer, channel, max_claimable, chain_id)
        return SignedVoucher(Hash32(channel), max_claimable, signature)

    def deposit(self, channel: str, terms: Requirements, amount: int, valid_before: int) -> Deposit:
        """Authorize a deposit of `amount` into `channel` under the token's domain."""
        token = Domain(terms.token_name, terms.token_version).data(terms.chain_id, terms.token)
        return sign_deposit(self.payer, channel, token, amount, valid_before)


@contextmanager
def recursion_limit_kept() -> Iterator[None]:
    """Restore the recursion limit in the end: py_ecc, below eth-account, raises it so far that deep JSON kills us."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _account(key: str | bytes, name: str) -> Signer:
    with recursion_limit_kept():
        from eth_account import Account  # takes most of a second to load
    try:
        account: Signer = Account.from_key(key)
    except Exception:  # whatever it is, its text may show the key
        raise Invalid(f"{name} must be a private key: 32 bytes, or 64 hexadecimal digits", field=name) from None
    return account

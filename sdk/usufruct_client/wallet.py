"""The payer: the key that holds the money and, if you like, another that signs the vouchers."""

import secrets
from dataclasses import dataclass, field

from eth_account import Account

from usufruct_client.errors import Invalid
from usufruct_client.identifiers import Address, Hash32
from usufruct_client.signing import Deposit, Signer, checksummed, sign_deposit, sign_voucher
from usufruct_client.wire import ChannelConfig
from usufruct_client.x402 import Requirements


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
            receiver=Address(terms.operator),
            receiver_authorizer=Address(terms.receiver_authorizer),
            token=Address(terms.token),
            withdraw_delay=terms.withdraw_delay,
            salt=Hash32(salt),
        )

    def voucher(self, channel: str, max_claimable: int, chain_id: int) -> dict[str, str]:
        """Sign a voucher; return it as it travels."""
        signature = sign_voucher(self.voucher_key or self.payer, channel, max_claimable, chain_id)
        return {"channelId": channel, "maxClaimableAmount": str(max_claimable), "signature": signature}

    def deposit(self, channel: str, terms: Requirements, amount: int, valid_before: int) -> Deposit:
        """Authorize a deposit of `amount` into `channel` under the token's domain."""
        token = {
            "name": terms.token_name,
            "version": terms.token_version,
            "chainId": terms.chain_id,
            "verifyingContract": checksummed(terms.token),
        }
        return sign_deposit(self.payer, channel, token, amount, valid_before, random_salt())


def random_salt() -> str:
    """Return 32 random bytes as `0x` and hex."""
    return "0x" + secrets.token_hex(32)


def _account(key: str | bytes, name: str) -> Signer:
    try:
        account: Signer = Account.from_key(key)
    except Exception:  # whatever it is, its text may show the key
        raise Invalid(f"{name} must be a private key: 32 bytes, or 64 hexadecimal digits", field=name) from None
    return account

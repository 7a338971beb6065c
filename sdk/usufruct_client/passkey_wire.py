"""The JSON documents of passkeys and of the operations of passkey accounts. Bytes are `0x` and hex."""

from typing import Annotated

from pydantic import Field, StrictStr

from usufruct_client.wire import ChannelConfig, PasskeyRequest, SignedDeposit, SignedReview
from usufruct_client.wire_types import (
    AddressText,
    Count,
    Document,
    HashText,
    Seconds,
    ShortBytes,
    Uint256,
    Wish,
    hex_bytes,
)

__all__ = [
    "AddressSignerWish",
    "CallFacts",
    "CallsFacts",
    "NewSignerWish",
    "OperationFacts",
    "PasskeyAssertion",
    "PasskeyChallenge",
    "PasskeyDepositWish",
    "PasskeyMade",
    "PasskeyOperationWish",
    "PasskeyRequest",
    "PasskeyReviewWish",
    "PasskeySignIn",
    "PaymentWish",
    "PendingFacts",
    "RecoveryStartWish",
    "RecoveryWish",
    "RemovalWish",
    "SignerFacts",
    "UserOperation",
    "WalletFacts",
]

_Calldata = Annotated[bytes, hex_bytes(0, 16_384)]


class PasskeyChallenge(Document):
    """What a passkey is asked to sign, once and within five minutes; `rp_id` is the host that it is bound to."""

    challenge: ShortBytes
    rp_id: StrictStr


class PasskeyMade(Wish):
    """`POST /v1/passkeys`: what `navigator.credentials.create` answered to a challenge."""

    authenticator_data: ShortBytes
    client_data: ShortBytes


class PasskeySignIn(Wish):
    """`POST /v1/sessions/passkey`: what `navigator.credentials.get` answered to a challenge.

    `account`: where to look for a passkey that the site does not know.
    """

    credential_id: ShortBytes
    authenticator_data: ShortBytes
    client_data: ShortBytes
    signature: ShortBytes
    account: AddressText | None = None


class PasskeyAssertion(Wish):
    """What `navigator.credentials.get` answered to a 32-byte hash, which the account's passkey so signed."""

    credential_id: ShortBytes
    authenticator_data: ShortBytes
    client_data: ShortBytes
    signature: ShortBytes


class PasskeyDepositWish(Wish):
    """`POST /v1/account/passkey-deposits`: a deposit whose authorization a passkey signed; its `signature` is empty.

    `seen`: as in `DepositWish`.
    """

    channel_config: ChannelConfig
    deposit: SignedDeposit
    assertion: PasskeyAssertion
    seen: Count | None = None


class PasskeyReviewWish(Wish):
    """`POST /v1/account/passkey-reviews`: a review that a passkey signed; its `signature` is empty."""

    review: SignedReview
    assertion: PasskeyAssertion


class UserOperation(Wish):
    """An operation of a passkey account, packed as ERC-4337's EntryPoint 0.9 takes it; the relayer pays its gas."""

    sender: AddressText
    nonce: Uint256
    init_code: _Calldata
    call_data: _Calldata
    account_gas_limits: HashText
    pre_verification_gas: Uint256
    gas_fees: HashText
    paymaster_and_data: _Calldata
    signature: _Calldata


class PasskeyOperationWish(Wish):
    """`POST /v1/passkeys/operations`: an operation whose hash a passkey signed; its `signature` is empty."""

    operation: UserOperation
    assertion: PasskeyAssertion


class OperationFacts(Document):
    """How an operation stands: pending, succeeded, failed or cancelled; `reason` says why it failed."""

    hash: HashText
    state: StrictStr
    transaction: HashText | None
    reason: StrictStr


class SignerFacts(Document):
    """One signer of a passkey account: its ERC-7913 bytes, and what it is called here."""

    signer: ShortBytes
    kind: StrictStr
    label: StrictStr
    created_at: Seconds | None


class PendingFacts(Document):
    """A recovery or change that waits: when it can be finished, and until when; seconds since 1970."""

    since: Seconds
    until: Seconds


class CallFacts(Document):
    """A call that can be sent: to a contract, with calldata, without coins."""

    to: AddressText
    data: Annotated[bytes, hex_bytes(0, 65_536)]


class WalletFacts(Document):
    """`GET /v1/account/wallet`: a passkey account, with all that is needed to use it without this site.

    `creation` makes the account where it does not exist; anyone may send it. `delay` in seconds.
    """

    account: AddressText
    chain_id: int
    entry_point: AddressText
    exists: bool
    creation: CallFacts
    signers: list[SignerFacts]
    recovery_wallet: AddressText | None
    delay: Seconds
    recovery: PendingFacts | None
    change: PendingFacts | None


class CallsFacts(Document):
    """Calls to be sent in order, from any address with gas."""

    calls: list[CallFacts]


class CallWish(Wish):
    """A call of a contract, without coins."""

    to: AddressText
    data: Annotated[bytes, hex_bytes(4, 16_384)]


class CallsWish(Wish):
    """`POST /v1/account/wallet/operations`: calls that one operation is to make, in order."""

    calls: Annotated[list[CallWish], Field(min_length=1, max_length=8)]


class NewSignerWish(Wish):
    """`POST /v1/account/wallet/passkeys`: another passkey, as `navigator.credentials.create` answered."""

    authenticator_data: ShortBytes
    client_data: ShortBytes
    label: StrictStr


class AddressSignerWish(Wish):
    """`POST /v1/account/wallet/addresses`: a wallet that is to sign as well."""

    address: AddressText


class RemovalWish(Wish):
    """`POST /v1/account/wallet/removals`: a signer that is to sign no more."""

    signer: ShortBytes


class RecoveryWish(Wish):
    """`POST /v1/account/wallet/recovery`: the recovery wallet and its delay in days; null and 0 for none."""

    wallet: AddressText | None
    days: int


class PaymentWish(Wish):
    """`POST /v1/account/wallet/payments`: atomic units of the token, to an address."""

    to: AddressText
    amount: Uint256


class RecoveryStartWish(Wish):
    """`POST /v1/recoveries`: the account, and the new passkey that is to replace its signers."""

    account: AddressText
    authenticator_data: ShortBytes
    client_data: ShortBytes

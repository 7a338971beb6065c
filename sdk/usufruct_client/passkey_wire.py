"""The JSON documents of passkeys and of the operations of passkey accounts. Bytes are `0x` and hex."""

from typing import Annotated

from pydantic import StrictStr

from usufruct_client.wire import ChannelConfig, PasskeyRequest, SignedDeposit
from usufruct_client.wire_types import AddressText, Document, HashText, ShortBytes, Uint256, Wish, hex_bytes

__all__ = [
    "OperationFacts",
    "PasskeyAssertion",
    "PasskeyChallenge",
    "PasskeyDepositWish",
    "PasskeyMade",
    "PasskeyOperationWish",
    "PasskeyRequest",
    "PasskeySignIn",
    "UserOperation",
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
    """`POST /v1/sessions/passkey`: what `navigator.credentials.get` answered to a challenge."""

    credential_id: ShortBytes
    authenticator_data: ShortBytes
    client_data: ShortBytes
    signature: ShortBytes


class PasskeyAssertion(Wish):
    """What `navigator.credentials.get` answered to a 32-byte hash, which the account's passkey so signed."""

    credential_id: ShortBytes
    authenticator_data: ShortBytes
    client_data: ShortBytes
    signature: ShortBytes


class PasskeyDepositWish(Wish):
    """`POST /v1/account/passkey-deposits`: a deposit whose authorization a passkey signed; its `signature` is empty."""

    channel_config: ChannelConfig
    deposit: SignedDeposit
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

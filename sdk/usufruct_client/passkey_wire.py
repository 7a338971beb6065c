"""The JSON documents of passkeys and of the operations of passkey accounts. Bytes are `0x` and hex."""

from typing import Annotated

from pydantic import StrictStr

from usufruct_client.wire_types import AddressText, Document, HashText, Uint256, Wish, hex_bytes

_Proof = Annotated[bytes, hex_bytes(1, 4_096)]
_Calldata = Annotated[bytes, hex_bytes(0, 16_384)]


class PasskeyChallenge(Document):
    """What a passkey is asked to sign, once and within five minutes; `rp_id` is the host that it is bound to."""

    challenge: _Proof
    rp_id: StrictStr


class PasskeyMade(Wish):
    """`POST /v1/passkeys`: what `navigator.credentials.create` answered to a challenge."""

    authenticator_data: _Proof
    client_data: _Proof


class PasskeySignIn(Wish):
    """`POST /v1/sessions/passkey`: what `navigator.credentials.get` answered to a challenge."""

    credential_id: _Proof
    authenticator_data: _Proof
    client_data: _Proof
    signature: _Proof


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


class OperationFacts(Document):
    """How an operation stands: pending, succeeded, failed or cancelled; `reason` says why it failed."""

    hash: HashText
    state: StrictStr
    transaction: HashText | None
    reason: StrictStr

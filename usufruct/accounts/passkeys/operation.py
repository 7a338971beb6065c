"""An operation of a passkey account: the calls in it, the hash that is signed, and its limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from usufruct.accounts.passkeys.passkey_store import Passkey
from usufruct.accounts.passkeys.webauthn import KEY_BYTES, Assertion, RelyingParty
from usufruct.chain import Call, UnreadableAnswer
from usufruct.chain.codec import decode, encode
from usufruct.chain.contracts.entry_point import PackedUserOperation
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.entry_point import ENTRY_POINT
from usufruct.core import Address, ChainId, Invalid
from usufruct_client.eip712_messages import USER_OPERATION
from usufruct_client.passkey_wire import PasskeyAssertion
from usufruct_client.typed_data import MessageHasher

BATCH_MODE = b"\x01" + bytes(31)
"""ERC-7821: a batch, executed whole or not at all."""

_HASHER = MessageHasher(USER_OPERATION)
_BATCH = ("(address,uint256,bytes)[]",)
_PROOF = ("bytes32", "bytes32", "uint256", "uint256", "bytes", "string")
_SIGNATURE = ("bytes[]", "bytes[]")
_ADDRESS_BYTES = 20


class InvalidOperation(Invalid, code="invalid_operation"):
    """An operation that the relayer does not read; names the field."""


@dataclass(frozen=True, slots=True)
class GasLimits:
    """Gas that an operation may take: to check its signature, and for its calls."""

    verification: int
    calls: int

    def packed(self) -> bytes:
        """Return it as EntryPoint takes it: two numbers of 16 bytes."""
        return self.verification.to_bytes(16, "big") + self.calls.to_bytes(16, "big")

    @classmethod
    def unpacked(cls, word: bytes) -> "GasLimits":
        """Read what `packed` wrote."""
        return cls(int.from_bytes(word[:16], "big"), int.from_bytes(word[16:], "big"))


def new_operation(
    account: Address, calls: Sequence[Call], nonce_key: int, limits: GasLimits, sequence: int = 0
) -> PackedUserOperation:
    """Return an unsigned operation of an account that exists; the relayer pays.

    `sequence`: how many operations were made under `nonce_key` before.
    """
    batch = encode(_BATCH, (tuple((call.to, call.value, call.data) for call in calls),))
    return PackedUserOperation(
        sender=account,
        nonce=nonce_key << 64 | sequence,
        init_code=b"",
        call_data=PasskeyAccount(account).execute(BATCH_MODE, batch, value=0).data,
        account_gas_limits=limits.packed(),
        pre_verification_gas=0,
        gas_fees=bytes(32),
        paymaster_and_data=b"",
        signature=b"",
    )


def operation_hash(chain_id: ChainId, operation: PackedUserOperation) -> bytes:
    """Return the 32 bytes that a signer signs, as `EntryPoint.getUserOpHash` does."""
    return _HASHER.digest(
        chain_id,
        ENTRY_POINT,
        operation.sender,
        operation.nonce,
        operation.init_code,
        operation.call_data,
        f"0x{operation.account_gas_limits.hex()}",
        operation.pre_verification_gas,
        f"0x{operation.gas_fees.hex()}",
        operation.paymaster_and_data,
    )


def calls_of(operation: PackedUserOperation) -> list[Call]:
    """Return the batch in an operation, read strictly.

    Raises:
        InvalidOperation: when its calldata is not `execute` with a batch.
    """
    head, arguments = operation.call_data[:4], operation.call_data[4:]
    execute = PasskeyAccount(operation.sender).execute(BATCH_MODE, b"", value=0).data[:4]
    try:
        if head != execute:
            raise InvalidOperation("callData must call execute(bytes32,bytes)", field="callData")
        mode, content = decode(("bytes32", "bytes"), arguments)
        if mode != BATCH_MODE:
            raise InvalidOperation(f"the mode must be a batch, not 0x{mode.hex()}", field="callData")
        (batch,) = decode(_BATCH, content)
    except UnreadableAnswer as error:
        raise InvalidOperation(f"callData is malformed: {error.message}", field="callData") from error
    calls = [Call(to, data, value) for to, value, data in batch]
    wanted = new_operation(operation.sender, calls, 0, GasLimits(0, 0)).call_data
    if operation.call_data != wanted:  # the same calls in other bytes: a reader could be shown something else
        raise InvalidOperation("callData is not in its canonical encoding", field="callData")
    return calls


@dataclass(frozen=True, slots=True)
class PasskeySignature:
    """An account's signature by one passkey: its signer's 84 bytes, and the assertion."""

    signer: bytes
    assertion: Assertion

    @property
    def key(self) -> bytes:
        """The passkey's public key: x and y."""
        return self.signer[-KEY_BYTES:]

    @classmethod
    def read(cls, signature: bytes) -> "PasskeySignature | None":
        """Read an account's signature, with s made low; None where an address signed.

        Raises:
            InvalidOperation: when it is neither.
        """
        try:
            signers, proofs = decode(_SIGNATURE, signature)
            if len(signers) != 1 or len(proofs) != 1:
                raise InvalidOperation("signature must be of one signer", field="signature")
            if len(signers[0]) == _ADDRESS_BYTES:
                return None
            if len(signers[0]) != _ADDRESS_BYTES + KEY_BYTES:
                raise InvalidOperation("the signer is neither a passkey nor an address", field="signature")
            r, s, _, _, data, client = decode(_PROOF, proofs[0])
        except UnreadableAnswer as error:
            raise InvalidOperation(f"signature is malformed: {error.message}", field="signature") from error
        numbers = (int.from_bytes(word, "big") for word in (r, s))
        return cls(signers[0], Assertion(data, client.encode(), *numbers).normalized())

    def write(self, challenge: bytes) -> bytes:
        """Return it as the account takes it; raises as `Assertion.proof`."""
        return encode(_SIGNATURE, ((self.signer,), (self.assertion.proof(challenge),)))


def signature_of(answer: PasskeyAssertion, passkey: Passkey, digest: bytes, site: RelyingParty) -> bytes:
    """Return a passkey's answer to a 32-byte hash as the account's signature.

    Raises:
        PasskeyRefused: when the passkey did not sign this hash, at this site, with its user verified.
    """
    assertion = Assertion.of_der(answer.authenticator_data, answer.client_data, answer.signature)
    found = PasskeySignature(passkey.signer, assertion)
    assertion.check(found.key, digest, site)
    return found.write(digest)


def signed(operation: PackedUserOperation, signature: bytes) -> PackedUserOperation:
    """Return an operation with its signature."""
    return replace(operation, signature=signature)

"""The relayer: it sends what owners of accounts signed, and pays the gas, within bounds.

It bundles for itself: each operation goes to the EntryPoint in a separate transaction, with both gas fees 0, so that
the account needs neither coin nor paymaster. An operation is checked here without asking the node, then simulated; what
it can cost at most is counted in the database before it is sent, and what it did cost after.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.accounts.passkeys.allowed_calls import AllowedCalls
from usufruct.accounts.passkeys.operation import (
    GasLimits,
    InvalidOperation,
    PasskeySignature,
    calls_of,
    operation_hash,
    signed,
)
from usufruct.accounts.passkeys.relay_store import GWEI, Relayed, RelayState, RelayStore, creation_hash
from usufruct.accounts.passkeys.relay_store import RelayBounds as Bounds
from usufruct.accounts.passkeys.webauthn import RelyingParty
from usufruct.chain import Call, ChainAccess, FeePolicy, Receipt, Revert, Sender, State, market_offer
from usufruct.chain.contracts.entry_point import (
    EntryPoint,
    PackedUserOperation,
    UserOperationEvent,
    UserOperationRevertReason,
)
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.entry_point import ENTRY_POINT
from usufruct.core import Address, ChainId, Clock, Conflict, Hash32, Unavailable, divide_up, hash32_from_bytes

_CLONE = bytes.fromhex("363d3d373d3d3d363d73"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
"""ERC-1167's runtime code, before and after the implementation's address."""

_SENT_ALREADY = "send_key_reused"
"""The sender's code when another call was sent under a name."""


class OperationRefused(Conflict, code="operation_refused"):
    """The chain would refuse the operation, or its calls; nothing was sent and nothing is spent."""


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Limits of one operation, in gas: what its signer's proof may take, its calls, and what is beside them."""

    most_verification: int = 700_000
    most_calls: int = 1_000_000
    beside: int = 100_000
    most_creation: int = 400_000
    wait_seconds: float = 60.0


class Relay:
    """Sends operations with the relayer's key."""

    def __init__(
        self, chain: ChainAccess, sender: Sender, allowed: AllowedCalls, bounds: Bounds, clock: Clock,
        policy: RelayPolicy | None = None,
    ) -> None:  # fmt: skip
        """Send with `sender`; pay for `allowed` calls within `bounds`."""
        self.store = RelayStore(chain.database)
        self._client = chain.client
        self._chain_id: ChainId = chain.chain_id
        self._sender = sender
        self._allowed = allowed
        self._bounds = bounds
        self._clock = clock
        self._policy = policy or RelayPolicy()
        self._entry_point = EntryPoint(ENTRY_POINT, chain.client)
        self._factory = PasskeyAccountFactory(chain.deployments.address(PasskeyAccountFactory), chain.client)
        self._code = b""

    async def send(self, operation: PackedUserOperation, site: RelyingParty) -> Relayed:
        """Send an operation of an account that exists, and wait for its end; the same again is only looked up.

        Raises:
            InvalidOperation, PasskeyRefused, CallNotRelayed: when it is not one that is sent here.
            OperationRefused: when the chain would refuse it, or its calls.
            RelayLimited: when it could cost more than is paid in a day.
            Unavailable: when it is not final yet; ask for it again.
        """
        digest = self.digest(operation)
        ready, hash_ = self._checked(operation, digest, site), hash32_from_bytes(digest)
        await self.check_calls(operation.sender, calls_of(operation))
        known = await self.store.find(hash_)
        if known is None or known.state is RelayState.CANCELLED:
            await self._simulate(ready)
            most = GasLimits.unpacked(ready.account_gas_limits)
            gas = most.verification + most.calls + self._policy.beside
            await self._reserve(hash_, ready.sender, gas)
        elif known.state is not RelayState.PENDING:
            return known
        return await self._finish(hash_, ready.sender, self._handle(ready))

    async def send_call(self, hash_: Hash32, account: Address, call: Call, gas: int) -> Relayed:
        """Send a call that holds the account's signature, and wait for its end; the same again is only looked up.

        `hash_` names it, `gas` is the most that it may take. The contract is not checked here: the caller must know it.

        Raises:
            Revert: when the contract would refuse it; nothing was sent.
            OperationRefused, RelayLimited, Unavailable: as `send`.
        """
        known = await self.store.find(hash_)
        if known is None or known.state is RelayState.CANCELLED:
            await self._client.call(call, sender=self._sender.address)
            await self._reserve(hash_, account, gas)
        elif known.state is not RelayState.PENDING:
            return known
        return await self._finish(hash_, account, call)

    async def create(self, account: Address, creation: Call, *, funded: bool = True) -> None:
        """Create an account by its factory, unless it exists, and wait until it does.

        One that is not `funded` is created only while creations took less than their part of the day's coins.

        Raises:
            OperationRefused: when the factory makes no account, or another.
            RelayLimited, Unavailable: as `send`.
        """
        if await self._client.code_at(account):
            return
        try:
            made = await self._client.call(creation, sender=self._sender.address)
        except Revert as refusal:
            raise OperationRefused(f"the account cannot be created: {refusal.message}") from refusal
        if made[-20:].hex() != account[2:]:
            raise OperationRefused(f"these terms are not those of {account}", account=account)
        hash_ = creation_hash(account)
        await self._reserve(hash_, account, self._policy.most_creation, creates_unfunded=not funded)
        ended = await self._finish(hash_, account, creation)
        if ended.state is not RelayState.SUCCEEDED and not await self._client.code_at(account):
            raise OperationRefused(f"the account was not created: {ended.reason}", account=account)

    async def check_calls(self, account: Address, calls: Sequence[Call]) -> None:
        """Refuse calls that the relayer does not pay for.

        Raises:
            CallNotRelayed: names the call.
        """
        await self._allowed.check(account, calls)

    async def earn(self, account: Address, calls: Sequence[Call]) -> bool:
        """Tell whether these calls bring an account enough money to pay for the account's creation."""
        return await self._allowed.earn(account, calls)

    async def justify_creation(self, account: Address, calls: Sequence[Call]) -> bool:
        """Tell whether one of these calls is a reason to create an account that has no money."""
        return await self._allowed.justify_creation(account, calls)

    def digest(self, operation: PackedUserOperation) -> bytes:
        """Return the 32 bytes that a signer signs for an operation on this chain."""
        return operation_hash(self._chain_id, operation)

    async def find(self, hash_: Hash32) -> Relayed | None:
        """Return how an operation stands, as far as it is known; one that was sent is looked up on the chain."""
        known = await self.store.find(hash_)
        sent = await self._sender.find(_key(hash_)) if known and known.state is RelayState.PENDING else None
        return known if known is None or sent is None else await self._finish(hash_, known.account, sent.call)

    def _checked(self, operation: PackedUserOperation, digest: bytes, site: RelyingParty) -> PackedUserOperation:
        """Check everything that needs no node, and return the operation with its signature as the chain takes it."""
        if operation.init_code or operation.paymaster_and_data:
            raise InvalidOperation(
                "initCode and paymasterAndData must be empty; accounts are made here", field="initCode"
            )
        if any(operation.gas_fees) or operation.pre_verification_gas:
            raise InvalidOperation("gasFees and preVerificationGas must be 0: the relayer pays", field="gasFees")
        limits, policy = GasLimits.unpacked(operation.account_gas_limits), self._policy
        if limits.verification > policy.most_verification or limits.calls > policy.most_calls:
            raise InvalidOperation(
                f"at most {policy.most_verification:,} gas to check the signature and {policy.most_calls:,} for the "
                f"calls, not {limits.verification:,} and {limits.calls:,}",
                field="accountGasLimits",
            )
        signature = PasskeySignature.read(operation.signature)
        if signature is None:
            return operation
        signature.assertion.check(signature.key, digest, site)
        return signed(operation, signature.write(digest))

    def _handle(self, operation: PackedUserOperation) -> Call:
        return self._entry_point.handle_ops([operation], self._sender.address)

    async def _simulate(self, operation: PackedUserOperation) -> None:
        """Have the node run it: first the signature and the nonce, then the calls, whose failure would not show."""
        calls = Call(operation.sender, operation.call_data)
        await self._check_account(operation.sender)
        try:
            await self._client.call(self._handle(operation), sender=self._sender.address)
            await self._client.call(calls, sender=ENTRY_POINT)
        except Revert as refusal:
            raise OperationRefused(f"the chain would refuse it: {refusal.message}", reason=refusal.code) from refusal

    async def _check_account(self, account: Address) -> None:
        """Refuse an account with another code than the factory's clones have: it could cost what it likes."""
        if not self._code:
            implementation = await self._factory.implementation()
            self._code = _CLONE[0] + bytes.fromhex(implementation[2:]) + _CLONE[1]
        found = await self._client.code_at(account)
        if found != self._code:
            what = "another contract" if found else "not created yet"
            raise OperationRefused(f"{account} is {what}; the relayer serves accounts of {self._factory.address}")

    async def _reserve(self, hash_: Hash32, account: Address, gas: int, *, creates_unfunded: bool = False) -> None:
        offer = await market_offer(self._client, FeePolicy())
        planned = Relayed(hash_, account, gas, divide_up(gas * offer.max_fee, GWEI))
        await self.store.reserve(planned, self._bounds, self._clock.now(), creates_unfunded=creates_unfunded)

    async def _finish(self, hash_: Hash32, account: Address, call: Call) -> Relayed:
        """Send what is counted, unless it was sent, and wait for its end."""
        key, policy = _key(hash_), self._policy
        try:
            await self._sender.send(call, key, most_gas=policy.most_verification + policy.most_calls + policy.beside)
        except (Revert, Conflict) as refusal:
            if refusal.code == _SENT_ALREADY:  # signed twice, in two tabs: the one that was sent counts for both
                return await self._end_of(hash_, account)
            await self.store.finish(Relayed(hash_, account, 0, 0, RelayState.CANCELLED, None, refusal.message))
            raise OperationRefused(f"the chain refuses it: {refusal.message}", reason=refusal.code) from refusal
        return await self._end_of(hash_, account)

    async def _end_of(self, hash_: Hash32, account: Address) -> Relayed:
        """Wait for the end of what was sent under a name, and note that with what it cost."""
        sent = await self._sender.wait(_key(hash_), self._policy.wait_seconds)
        if sent.state is State.DISPLACED:
            await self.store.finish(Relayed(hash_, account, 0, 0, RelayState.CANCELLED, None, "displaced"))
            raise OperationRefused("another transaction took its place; sign it again")
        receipt = await self._client.receipt(sent.hash) if sent.hash else None
        if sent.state is State.PENDING or receipt is None:
            raise Unavailable(f"{hash_} is on its way; ask for it again", code="operation_pending", hash=hash_)
        gwei = divide_up(receipt.gas_used * receipt.gas_price, GWEI)
        state, reason = self._outcome(hash_, receipt)
        ended = Relayed(hash_, account, receipt.gas_used, gwei, state, receipt.hash, reason)
        await self.store.finish(ended)
        return ended

    def _outcome(self, hash_: Hash32, receipt: Receipt) -> tuple[RelayState, str]:
        """Return what became of a mined transaction: its status alone tells nothing of an operation's calls."""
        if not receipt.succeeded:
            return RelayState.FAILED, "the transaction was refused"
        wanted = bytes.fromhex(hash_[2:])
        ends = [each for each in UserOperationEvent.among(receipt.logs, ENTRY_POINT) if each.user_op_hash == wanted]
        if not ends or ends[0].success:  # an account's creation has no such event
            return RelayState.SUCCEEDED, ""
        why = [
            each for each in UserOperationRevertReason.among(receipt.logs, ENTRY_POINT) if each.user_op_hash == wanted
        ]
        data = why[0].revert_reason if why else b""
        return RelayState.FAILED, self._client.refusal(data).message


def _key(hash_: Hash32) -> str:
    return f"operation/{hash_}"

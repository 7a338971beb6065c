"""What a passkey account is on the chain now, and what its owner can sign: settings, payments, recovery."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbits

from usufruct.accounts.passkeys.operation import GasLimits, calls_of, new_operation, signature_of, signed
from usufruct.accounts.passkeys.passkey_store import Passkey
from usufruct.accounts.passkeys.passkeys import Funds, Passkeys
from usufruct.accounts.passkeys.relay import Relay
from usufruct.accounts.passkeys.relay_store import Relayed, RelayState
from usufruct.accounts.passkeys.webauthn import RelyingParty
from usufruct.chain import Call, Client, keccak
from usufruct.chain.contracts.entry_point import EntryPoint, PackedUserOperation
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.entry_point import ENTRY_POINT
from usufruct.core import (
    ZERO_ADDRESS,
    Address,
    ChainId,
    Conflict,
    Denied,
    Hash32,
    Invalid,
    checksum,
    hash32_from_bytes,
)
from usufruct_client.eip712_messages import USER_OPERATION
from usufruct_client.passkey_wire import PasskeyAssertion, UserOperation
from usufruct_client.wire import PasskeyRequest, SigningRequest

SEND = "/v1/passkeys/operations"

_LIMITS = GasLimits(700_000, 700_000)
_DAY = 86_400
_ADDRESS_BYTES = 20
_KEY_BITS = 192
"""Of a nonce; the rest of it counts what was made under such a key."""
_LAST_SEQUENCE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class AccountSigner:
    """One signer of an account: its bytes, and the passkey of this site that it is, if it is one."""

    signer: bytes
    passkey: Passkey | None = None

    @property
    def address(self) -> Address | None:
        """The address that signs; None for a passkey."""
        return Address(f"0x{self.signer.hex()}") if len(self.signer) == _ADDRESS_BYTES else None

    @property
    def id(self) -> str:
        """The signer's bytes as 0x and hex."""
        return f"0x{self.signer.hex()}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A recovery or change that waits: Keccak-256 of what it is, when it can be finished, and until when."""

    id: bytes
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class WalletState:
    """A passkey account now; `recovery_wallet` is None where none is named, `delay` in seconds."""

    account: Address
    exists: bool
    signers: Sequence[AccountSigner]
    recovery_wallet: Address | None = None
    delay: int = 0
    recovery: Pending | None = None
    change: Pending | None = None


class Wallet:
    """The verbs of a passkey account's owner; each returns what a passkey is asked to sign."""

    def __init__(
        self, passkeys: Passkeys, relay: Relay, funds: Funds, client: Client, chain_id: ChainId, token: Address
    ) -> None:
        """Read accounts from `client`'s chain; payments are made in `token`."""
        self._passkeys = passkeys
        self._relay = relay
        self._funds = funds
        self._client = client
        self._chain_id = chain_id
        self._token = token

    async def state(self, account: Address) -> WalletState:
        """Return what an account is now."""
        known = await self._passkeys.store.list(account)
        mine = {each.signer: each for each in known}
        if not await self._passkeys.exists(account):
            return WalletState(account, False, [AccountSigner(each.signer, each) for each in known if each.first])
        contract = PasskeyAccount(account, self._client)
        signers, recovery, running, change = await asyncio.gather(
            contract.get_signers(0, 8), contract.recovery(), contract.running_recovery(), contract.announced_change()
        )
        return WalletState(
            account,
            True,
            [AccountSigner(each, mine.get(each)) for each in signers],
            None if recovery.wallet == ZERO_ADDRESS else recovery.wallet,
            recovery.delay,
            Pending(running.id, running.from_, running.until) if any(running.id) else None,
            Pending(change.id, change.from_, change.until) if any(change.id) else None,
        )

    async def is_at_risk(self, state: WalletState) -> bool:
        """Tell whether an account would be lost with its only signer: it was used, or holds money."""
        if len(state.signers) > 1 or state.recovery_wallet:
            return False
        return state.exists or await Erc20(self._token, self._client).balance_of(state.account) > 0

    async def add_signer(self, account: Address, signer: bytes) -> SigningRequest:
        """Ask for a signature that makes `signer` (84 bytes of a passkey, or an address) a signer, at once."""
        return await self._request(account, PasskeyAccount(account).add_signers([signer]))

    async def remove_signer(self, account: Address, signer: bytes) -> SigningRequest:
        """Ask for a signature that removes a signer; with a recovery wallet, first for one that announces it.

        Raises:
            Conflict: when it is the last signer.
        """
        state = await self.state(account)
        if len(state.signers) < 2:
            raise Conflict("the last signer stays; add another first", code="last_signer", field="signer")
        return await self._announced(state, PasskeyAccount(account).remove_signers([signer]))

    async def set_recovery(self, account: Address, wallet: Address | None, days: int) -> SigningRequest:
        """Ask for a signature that names the recovery wallet, or none; where one is named, first to announce it.

        Raises:
            Invalid: when the delay is not from 1 to 30 days, or the wallet is the account itself.
        """
        if wallet is not None and not 1 <= days <= 30:
            raise Invalid(f"the delay must be from 1 to 30 days, not {days}", code="invalid_delay", field="days")
        if wallet == account:
            raise Invalid("the recovery wallet must be another wallet", code="invalid_wallet", field="wallet")
        delay = days * _DAY if wallet else 0
        change = PasskeyAccount(account).set_recovery(wallet or ZERO_ADDRESS, delay)
        return await self._announced(await self.state(account), change)

    async def veto(self, account: Address) -> SigningRequest:
        """Ask for a signature that ends the running recovery."""
        return await self._request(account, PasskeyAccount(account).veto_recovery())

    async def cancel(self, account: Address) -> SigningRequest:
        """Ask for a signature that cancels the announced change."""
        return await self._request(account, PasskeyAccount(account).cancel_change())

    async def pay(self, account: Address, to: Address, amount: int) -> SigningRequest:
        """Ask for a signature that pays `amount` atomic units of the token."""
        return await self._request(account, Erc20(self._token).transfer(to, amount))

    async def owns(self, account: Address) -> bool:
        """Tell whether an address is a passkey account of this site."""
        return bool(await self._passkeys.store.list(account))

    async def call(self, account: Address, calls: Sequence[Call]) -> SigningRequest:
        """Ask for a signature over calls that the relayer pays for, as one operation.

        Raises:
            CallNotRelayed: names the call that it does not pay for.
        """
        await self._relay.check_calls(account, calls)
        return await self._request(account, *calls)

    async def call_once(self, account: Address, calls: Sequence[Call], name: Hash32) -> SigningRequest:
        """Ask for a signature over calls that are made once under a name, as one operation; raises as `call`.

        The same calls and name give the same operation, in every tab, unless its calls have failed on the chain.
        """
        await self._relay.check_calls(account, calls)
        key, tried = _nonce_key(name), await self.turn(account, name)
        operations = [new_operation(account, calls, key, _LIMITS, each) for each in range(max(0, tried - 1), tried + 1)]
        known = await self._relay.store.find(hash32_from_bytes(self._relay.digest(operations[0])))
        is_made = known is not None and known.state is not RelayState.FAILED
        return await self._asked(operations[0] if is_made else operations[-1])

    async def turn(self, account: Address, name: Hash32) -> int:
        """Return how many operations of an account were made under a name."""
        return await EntryPoint(ENTRY_POINT, self._client).get_nonce(account, _nonce_key(name)) & _LAST_SEQUENCE

    async def call_in_turn(self, account: Address, calls: Sequence[Call], name: Hash32, turn: int) -> SigningRequest:
        """Ask for a signature over calls as the operation number `turn` under a name; raises as `call`.

        Of several operations for one turn, whatever their calls, the chain makes one.
        """
        await self._relay.check_calls(account, calls)
        return await self._asked(new_operation(account, calls, _nonce_key(name), _LIMITS, turn))

    async def send(
        self, account: Address, operation: PackedUserOperation, answer: PasskeyAssertion, site: RelyingParty
    ) -> Relayed:
        """Send what a passkey of the account signed; creates the account before, where its money or income pays for it.

        Raises:
            PasskeyRefused: when the passkey did not sign this.
            As `Passkeys.ensure_exists` and `Relay.send`.
        """
        ready = await self._signed(account, operation, answer, site)
        await self._passkeys.ensure_exists(account, self._relay, self._funds, calls_of(ready))
        return await self._relay.send(ready, site)

    async def export(
        self, account: Address, operation: PackedUserOperation, answer: PasskeyAssertion, site: RelyingParty
    ) -> list[Call]:
        """Return the calls that do what a passkey signed, in order: anyone can send them, from any address with gas."""
        ready = await self._signed(account, operation, answer, site)
        creation = [] if await self._passkeys.exists(account) else [await self._passkeys.creation(account)]
        return [*creation, EntryPoint(ENTRY_POINT).handle_ops([ready], account)]

    async def check_recovery_wallet(self, account: Address, wallet: Address) -> None:
        """Refuse a wallet that the account does not name.

        Raises:
            Denied: says so.
        """
        state = await self.state(account)
        if state.recovery_wallet != wallet:
            raise Denied(
                f"{wallet} is not the recovery wallet of {account}; sign in with the one that it names",
                code="not_recovery_wallet",
                field="account",
            )

    async def finish_recovery(self, account: Address) -> Call:
        """Return the call that finishes the running recovery, which anyone may send.

        Raises:
            Conflict: when none runs to a passkey of this site, or its delay has not passed.
        """
        state = await self.state(account)
        passkeys = await self._passkeys.store.list(account)
        new = next((each for each in passkeys if state.recovery and keccak(each.signer) == state.recovery.id), None)
        if state.recovery is None or new is None:
            raise Conflict(f"no recovery of {account} to a passkey of this site is running", code="no_recovery")
        return PasskeyAccount(account).finish_recovery(new.signer)

    async def _signed(
        self, account: Address, operation: PackedUserOperation, answer: PasskeyAssertion, site: RelyingParty
    ) -> PackedUserOperation:
        if operation.sender != account:
            message = f"{account} is signed in, and the operation is of {operation.sender}"
            raise Denied(message, code="other_account", field="sender")
        passkey = await self._passkeys.signer_of(account, answer.credential_id)
        return signed(operation, signature_of(answer, passkey, self._relay.digest(operation), site))

    async def _announced(self, state: WalletState, change: Call) -> SigningRequest:
        """Ask for a change that must have been announced: for the announcement, unless the change can be made now."""
        if state.recovery_wallet is None:
            return await self._request(state.account, change)
        known = state.change and state.change.id == keccak(change.data)
        if state.change and known:
            if (now := (await self._client.head()).timestamp) < state.change.since:
                raise Conflict(
                    f"the change is announced; it can be made from {state.change.since} on, and it is {now}",
                    code="delay_not_passed",
                    since=state.change.since,
                )
            return await self._request(state.account, change)
        return await self._request(state.account, PasskeyAccount(state.account).announce_change(change.data))

    async def _request(self, account: Address, *calls: Call) -> SigningRequest:
        return await self._asked(new_operation(account, calls, randbits(_KEY_BITS), _LIMITS))

    async def _asked(self, operation: PackedUserOperation) -> SigningRequest:
        account, wire = operation.sender, unsigned(operation)
        shown = {name: value for name, value in wire.as_json().items() if name != "signature"}
        shown["sender"] = checksum(account)
        assert USER_OPERATION.domain is not None
        domain = USER_OPERATION.domain.data(self._chain_id, ENTRY_POINT)
        credentials = [each.credential for each in await self._passkeys.signers(account)]
        body = {"operation": wire.as_json()}
        document = USER_OPERATION.document(domain, shown)
        return SigningRequest(document, SEND, body, ["assertion"], PasskeyRequest(account, credentials))


def _nonce_key(name: Hash32) -> int:
    return int(name, 16) >> 256 - _KEY_BITS


def unsigned(operation: PackedUserOperation) -> UserOperation:
    """Return an operation as it travels."""
    return UserOperation(
        operation.sender,
        operation.nonce,
        operation.init_code,
        operation.call_data,
        hash32_from_bytes(operation.account_gas_limits),
        operation.pre_verification_gas,
        hash32_from_bytes(operation.gas_fees),
        operation.paymaster_and_data,
        operation.signature,
    )

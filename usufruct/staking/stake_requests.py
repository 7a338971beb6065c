"""What the signed-in account signs or sends to change its lock: one operation, one permitted call, or transactions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

from usufruct.accounts.passkeys import Wallet
from usufruct.chain import Call, ChainAccess, keccak
from usufruct.chain.contracts.vote_escrow import Permit
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, checksum, hash32_from_bytes
from usufruct.staking.errors import InvalidStake, StakeOutdated
from usufruct.staking.stake_changes import StakeChange, StakeChanges, amount_of, weeks_of
from usufruct.staking.stakes import Stake, Stakes
from usufruct_client.eip712_messages import PERMIT, Domain
from usufruct_client.stake_documents import PermittedStake, StakeRequest, StakeWish
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import SigningRequest

PERMITS = "/v1/staking/permitted-calls"

_PERMIT_SECONDS = 3_600
_MARK_DIGITS = 16
_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class StakeSteps:
    """What an account signs or sends for a wish: an operation, a permit, or calls; `sent`: they were sent already."""

    operation: SigningRequest | None = None
    permit: SigningRequest | None = None
    calls: Sequence[Call] = ()
    sent: bool = False

    def document(self, chain_id: int) -> StakeRequest:
        """Return them as they travel."""
        transactions = [stake_transaction(chain_id, call, sent=self.sent) for call in self.calls]
        return StakeRequest(self.operation, self.permit, transactions)


class StakeRequests:
    """Makes requests for each kind of account.

    `wallet` asks passkeys, where there are any; `demo` signs for a local chain's demo account.
    """

    def __init__(self, stakes: Stakes, chain: ChainAccess, wallet: Wallet | None, demo: KeySigner | None) -> None:
        self.stakes = stakes
        self.changes = StakeChanges(stakes)
        self._chain = chain
        self._wallet = wallet
        self._demo = demo
        self._name = hash32_from_bytes(keccak(f"staking in {stakes.escrow.address}".encode()))

    async def holds_passkey(self, account: Address) -> bool:
        """Tell whether an account is a passkey account of this site."""
        return self._wallet is not None and await self._wallet.owns(account)

    async def seen(self, stake: Stake) -> str:
        """Return a mark of an account's lock as it is now: another after each change that was made here."""
        lock, turn = stake.lock, await self._turn(stake.holder)
        state = (stake.holder, lock.amount, lock.end, lock.renewal, turn)
        return keccak(" ".join(map(str, state)).encode()).hex()[:_MARK_DIGITS]

    async def steps(self, wish: StakeWish, seen: str | None = None) -> StakeSteps:
        """Return what an account signs or sends for a wish. `seen`: the mark that its reader saw.

        A passkey signs one operation for each turn: two tabs cannot do two. The demo account's calls are sent.

        Raises:
            StakeOutdated: when the lock has changed since.
            InvalidStake, StakeUnfunded, StakeRefused: as `StakeChanges.read`.
            CallNotRelayed: when the relayer does not pay for it.
        """
        account = wish.account
        if seen is not None and seen != await self.seen(await self.stakes.of(account)):
            raise StakeOutdated("the lock has changed since the page was made; load it again", field="seen")
        change = await self.changes.read(wish)
        if self._wallet is not None and await self._wallet.owns(account):
            calls = [*self._approval(change), *change.calls]
            turn = await self._wallet.turn(account, self._name)
            return StakeSteps(await self._wallet.call_in_turn(account, calls, self._name, turn))
        if self._demo is not None and account == self._demo.address:
            await self._send_for_demo(change)
            return StakeSteps(calls=change.calls, sent=True)
        if change.locked and not await self._chain.client.code_at(account):
            return StakeSteps(permit=await self._permit(wish))
        return StakeSteps(calls=[*self._approval(change), *change.calls])

    def permitted_call(self, signed: PermittedStake) -> Call:
        """Return the one call that locks tokens by a permit that the account signed.

        Raises:
            InvalidStake: when it lacks what its action needs.
        """
        wish = StakeWish(signed.account, signed.action, signed.amount, signed.weeks)
        permit = Permit(signed.deadline, signed.signature[64], signed.signature[:32], signed.signature[32:64])
        if signed.action == "lock":
            return self.stakes.escrow.lock_with_permit(amount_of(wish), weeks_of(wish), permit)
        return self.stakes.escrow.increase_with_permit(amount_of(wish), permit)

    async def _turn(self, account: Address) -> int:
        if self._wallet is not None and await self._wallet.owns(account):
            return await self._wallet.turn(account, self._name)
        return await self.stakes.token.nonces(account)

    def _approval(self, change: StakeChange) -> list[Call]:
        """Return the approval of exactly the tokens that a change takes."""
        return [self.stakes.token.approve(self.stakes.escrow.address, change.locked)] if change.locked else []

    async def _send_for_demo(self, change: StakeChange) -> None:
        assert self._demo is not None
        sender, mark = self._chain.sender(self._demo), token_hex(8)
        for index, call in enumerate([*self._approval(change), *change.calls]):
            await sender.execute(call, f"stake/{change.wish.action}/{mark}/{index}")

    async def _permit(self, wish: StakeWish) -> SigningRequest:
        """Return the permit (ERC-2612) of exactly the tokens that a wish locks, for a wallet to sign."""
        token = self.stakes.token
        domain, nonce, head = (
            await token.eip712_domain(),
            await token.nonces(wish.account),
            await self.stakes.client.head(),
        )
        deadline = head.timestamp + _PERMIT_SECONDS
        message = {
            "owner": checksum(wish.account),
            "spender": checksum(self.stakes.escrow.address),
            "value": str(amount_of(wish)),
            "nonce": str(nonce),
            "deadline": str(deadline),
        }
        kind = replace(PERMIT, domain=Domain(domain.name, domain.version))
        assert kind.domain is not None
        document = kind.document(kind.domain.data(self._chain.chain_id, token.address), message)
        if wish.action not in ("lock", "increase"):
            raise InvalidStake(f"{wish.action} takes no permit", field="action")
        signed = PermittedStake(wish.account, wish.action, amount_of(wish), deadline, _EMPTY, wish.weeks)
        return SigningRequest(document, PERMITS, signed.as_json(), ["signature"])


def stake_transaction(chain_id: int, call: Call, *, sent: bool = False) -> ExchangeTransaction:
    """Return a call as a transaction that a wallet sends."""
    return ExchangeTransaction(chain_id, call.to, f"0x{call.data.hex()}", call.value, sent=sent)

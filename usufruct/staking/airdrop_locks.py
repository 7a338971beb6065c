"""An account's own entry of an airdrop, claimed straight into a lock: by its passkey, or by its wallet."""

from usufruct.accounts.passkeys import Wallet
from usufruct.chain import Call, ChainAccess, Revert, keccak
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, hash32_from_bytes
from usufruct.staking.airdrop_claims import AirdropClaims, EntryState, EntryStatus, NotClaimable, entry_refusal
from usufruct.staking.served_airdrops import ServedAirdrop
from usufruct.staking.stake_requests import StakeSteps


class NotLockable(NotClaimable, code="airdrop_not_lockable"):
    """The entry cannot be claimed into a lock here; it can be claimed without."""


class AirdropLocks:
    """Makes the requests of accounts that lock their entries. Questions raise `RpcUnavailable`."""

    def __init__(
        self, claims: AirdropClaims, chain: ChainAccess, wallet: Wallet | None, demo: KeySigner | None
    ) -> None:
        """`wallet` asks passkeys, where there are any; `demo` signs for a local chain's demo account."""
        self.chain_id = chain.chain_id
        self._claims = claims
        self._chain = chain
        self._wallet = wallet
        self._demo = demo

    async def allows(self, found: EntryStatus) -> bool:
        """Tell whether an entry can be claimed into a lock of this installation's escrow."""
        airdrop, terms = found.airdrop.place, found.terms
        if found.state is not EntryState.OPEN or airdrop is None or terms is None:
            return False
        deployed = self._chain.deployments
        if VoteEscrow.__name__ not in deployed.contracts or terms.escrow != deployed.address(VoteEscrow):
            return False
        return await VoteEscrow(terms.escrow, self._chain.client).lockers(airdrop)

    async def unlocked(self, found: EntryStatus, account: Address) -> int:
        """Return how many tokens of a paid entry an account can lock now: what it holds, atomic units.

        Anyone may claim for an account; then the tokens arrive without a lock.
        """
        terms = found.terms
        deployed = self._chain.deployments
        if found.state is not EntryState.CLAIMED or terms is None or VoteEscrow.__name__ not in deployed.contracts:
            return 0
        return await PlatformToken(terms.token, self._chain.client).balance_of(account)

    async def holds_passkey(self, account: Address) -> bool:
        """Tell whether an account is a passkey account of this site."""
        return self._wallet is not None and await self._wallet.owns(account)

    async def steps(self, airdrop: ServedAirdrop, account: Address, weeks: int) -> StakeSteps:
        """Return what an account signs or sends to claim its entry into a lock of so many weeks.

        Raises:
            NoSuchEntry: when the airdrop pays it nothing.
            NotClaimable: when the entry is not open, or the contracts would refuse it; the code says why.
        """
        found = await self._claims.status(airdrop, account)
        if found.state is not EntryState.OPEN:
            raise entry_refusal(found)
        if not await self.allows(found):
            raise NotLockable("this airdrop may not lock entries here; claim it without a lock", field="root")
        call = await self._checked(found, account, weeks)
        if self._wallet is None or not await self._wallet.owns(account):
            return StakeSteps(calls=[call], sent=await self._send_for_demo(call, account, found))
        name = hash32_from_bytes(keccak(f"airdrop {airdrop.place} entry {found.entry.index}".encode()))
        return StakeSteps(await self._wallet.call_once(account, [call], name))

    async def _send_for_demo(self, call: Call, account: Address, found: EntryStatus) -> bool:
        """Send a call of the local chain's demo account, once for an entry; tell whether the account is that one."""
        if self._demo is None or account != self._demo.address:
            return False
        key = f"airdrop/lock/{found.airdrop.place}/{found.entry.index}"
        await self._chain.sender(self._demo).execute(call, key)
        return True

    async def _checked(self, found: EntryStatus, account: Address, weeks: int) -> Call:
        assert found.airdrop.place is not None
        entry = found.entry
        call = Airdrop(found.airdrop.place).claim_and_lock(entry.index, entry.amount, weeks, entry.proof)
        try:
            await self._chain.client.call(call, sender=account)
        except Revert as refusal:
            message = (
                f"the escrow would refuse the lock: {refusal.message}; choose other weeks, or claim without a lock"
            )
            raise NotLockable(message, field="weeks") from refusal
        return call

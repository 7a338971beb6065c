"""Put an airdrop on the chain, fund it from the token's reserve, and claim its entries."""

from secrets import token_hex

from usufruct.chain import ChainAccess, Sender
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import address_of, deployment_of
from usufruct.core import ZERO_ADDRESS, Address, Conflict, Hash32
from usufruct.staking.airdrop_file import AirdropEntry, AirdropFile


class Airdrops:
    """The airdrops of an installation's platform token."""

    def __init__(self, chain: ChainAccess) -> None:
        """Work on the chain where the token is.

        Raises:
            NotDeployed: when the installation has no platform token.
        """
        self._client = chain.client
        self._deployments = chain.deployments
        self._token = PlatformToken(chain.deployments.address(PlatformToken), chain.client)

    @property
    def escrow(self) -> Address:
        """Return the installation's VoteEscrow; the zero address if it has none."""
        deployed = VoteEscrow.__name__ in self._deployments.contracts
        return self._deployments.address(VoteEscrow) if deployed else ZERO_ADDRESS

    async def deploy(
        self, sender: Sender, file: AirdropFile, deadline: int, treasury: Address, escrow: Address
    ) -> Address:
        """Deploy the contract of a file, fund it with the sum of its entries, and return its address.

        `sender` must be the token's owner, `deadline` is Unix seconds. With the same terms and database nothing is done
        twice.

        Raises:
            Conflict: when the contract is there, and this database has not deployed it.
            Revert: the contracts' own errors: another sender, a reserve that is too small, a deadline out of range.
        """
        creation = Airdrop.deploy(self._token.address, file.root, deadline, treasury, escrow)
        place = address_of(Airdrop, creation)
        key = f"airdrop/deploy/{place}"
        if not await self._client.code_at(place):
            await self._client.create(creation, sender=sender.address)
            await sender.execute(deployment_of(Airdrop, creation), key)
        elif await sender.find(key) is None:
            raise Conflict(
                f"the airdrop at {place} was deployed from another database, which knows whether it was funded; "
                "deploy from there, or let claims end on another day",
                code="airdrop_deployed_elsewhere",
            )
        await sender.execute(self._token.fund_airdrop(place, file.total), f"airdrop/fund/{place}")
        return place

    async def let_lock(self, sender: Sender, place: Address, escrow: Address) -> bool:
        """Let an airdrop lock entries in the escrow, if `sender` owns the escrow; tells whether it may lock them."""
        contract = VoteEscrow(escrow, self._client)
        if escrow == ZERO_ADDRESS or await contract.lockers(place):
            return escrow != ZERO_ADDRESS
        if await contract.owner() != sender.address:
            return False
        await sender.execute(
            contract.set_locker(place, allowed=True), f"airdrop/locker/{escrow}/{place}/{token_hex(4)}"
        )
        return True

    async def claim(
        self, sender: Sender, place: Address, file: AirdropFile, account: Address
    ) -> tuple[AirdropEntry, Hash32]:
        """Claim an account's entry; the tokens go to the account. Return the entry and the transaction.

        Raises:
            NoSuchEntry: when the file has no entry of the account.
            Conflict: when the contract at `place` has another tree than the file.
            Revert: the contract's own errors: the entry was paid before, or claims have ended.
        """
        airdrop, entry = await self._entry(place, file, account)
        call = airdrop.claim(entry.index, account, entry.amount, entry.proof)
        sent = await sender.execute(call, f"airdrop/claim/{place}/{entry.index}")
        return entry, sent.hash

    async def claim_and_lock(
        self, sender: Sender, place: Address, file: AirdropFile, weeks: int
    ) -> tuple[AirdropEntry, Hash32]:
        """Claim the sender's entry straight into a lock. Return the entry and the transaction.

        Raises:
            NoSuchEntry, Conflict: as for `claim`.
            Revert: the contracts' own errors: the entry was paid before, or the airdrop may not lock.
        """
        airdrop, entry = await self._entry(place, file, sender.address)
        call = airdrop.claim_and_lock(entry.index, entry.amount, weeks, entry.proof)
        sent = await sender.execute(call, f"airdrop/lock/{place}/{entry.index}")
        return entry, sent.hash

    async def _entry(self, place: Address, file: AirdropFile, account: Address) -> tuple[Airdrop, AirdropEntry]:
        airdrop, entry = Airdrop(place, self._client), file.entry_of(account)
        root = await airdrop.root()
        if root != file.root:
            raise Conflict(
                f"the airdrop at {place} has root 0x{root.hex()}, the file 0x{file.root.hex()}; give the file it was "
                "deployed from",
                code="other_airdrop",
            )
        return airdrop, entry

"""Put an airdrop on the chain, fund it from the token's reserve, and claim its entries."""

from secrets import token_hex

from usufruct.chain import ChainAccess, Sender, word
from usufruct.chain.contracts.airdrop import Airdrop, Swept
from usufruct.chain.contracts.platform_token import AirdropFunded, PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Creation, address_of, deployment_of
from usufruct.core import ZERO_ADDRESS, Address, Conflict, Hash32, hash32_from_bytes
from usufruct.staking.airdrop_file import AirdropEntry, AirdropFile
from usufruct.staking.airdrop_terms import AirdropTerms, OtherAirdrop, read_terms

_BLOCKS = 2_000
"""How many blocks' logs are asked for at once."""


class NotAnEscrow(Conflict, code="not_an_escrow"):
    """An airdrop's entries cannot be locked in this contract."""


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
        self._first_block = chain.deployments.first_block(PlatformToken)

    @property
    def escrow(self) -> Address:
        """Return the installation's VoteEscrow; the zero address if it has none."""
        deployed = VoteEscrow.__name__ in self._deployments.contracts
        return self._deployments.address(VoteEscrow) if deployed else ZERO_ADDRESS

    async def deploy(
        self, sender: Sender, file: AirdropFile, deadline: int, treasury: Address, escrow: Address
    ) -> Address:
        """Deploy the contract of a file, fund it with the sum of its entries, and return its address.

        `sender` must be the token's owner, `deadline` is Unix seconds. The contract has no owner: one that a stranger
        deployed with these terms is used. Funds are counted by the token's events, and only what is missing is sent.

        Raises:
            NotAnEscrow: when `escrow` locks no platform tokens; nothing was sent.
            NotAnAirdrop, OtherAirdrop: when the contract there is another, or has other terms.
            Revert: the contracts' own errors: another sender, a reserve that is too small, a deadline out of range.
        """
        await self._check_escrow(escrow)
        terms = AirdropTerms(self._token.address, file.root, deadline, treasury, escrow)
        creation = Airdrop.deploy(terms.token, terms.root, deadline, treasury, escrow)
        place = address_of(Airdrop, creation)
        await self._create(sender, place, creation)
        found = await read_terms(self._client, place)
        if found != terms:
            raise OtherAirdrop(f"the airdrop at {place} has the terms {found}, not {terms}", address=place)
        await self._fund(sender, place, file.total)
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

    async def _check_escrow(self, escrow: Address) -> None:
        """Check that entries can be locked in a contract, which cannot be changed later."""
        if escrow == ZERO_ADDRESS:
            return
        is_escrow = VoteEscrow.ARTIFACT.is_runtime(await self._client.code_at(escrow))
        if not is_escrow or await VoteEscrow(escrow, self._client).token() != self._token.address:
            raise NotAnEscrow(
                f"{escrow} is not a VoteEscrow of the platform token; leave --escrow out to take the installation's",
                address=escrow,
            )

    async def _create(self, sender: Sender, place: Address, creation: Creation) -> None:
        """Send the creation, unless the contract exists; another may send the same first."""
        if await self._client.code_at(place):
            return
        await self._client.create(creation, sender=sender.address)
        try:
            await sender.execute(deployment_of(Airdrop, creation), f"airdrop/deploy/{place}")
        except Conflict:
            if not await self._client.code_at(place):
                raise

    async def _fund(self, sender: Sender, place: Address, total: int) -> None:
        """Send from the reserve what was not sent yet; claims may have taken a part of it since."""
        key = f"airdrop/fund/{place}"
        if sent := await sender.find(key):
            await sender.execute(sent.call, key)
        elif missing := max(0, total - await self._funded(place)):
            await sender.execute(self._token.fund_airdrop(place, missing), key)

    async def _funded(self, place: Address) -> int:
        """Return what the token's owner has funded an airdrop with, by the token's events."""
        topics = [AirdropFunded.TOPIC, hash32_from_bytes(word(int(place, 16)))]
        head, total = await self._client.block_number(), 0
        for first in range(self._first_block, head + 1, _BLOCKS):
            last = min(first + _BLOCKS - 1, head)
            logs = await self._client.logs(first, last, addresses=[self._token.address], topics=topics)
            total += sum(each.amount for each in AirdropFunded.among(logs, self._token.address))
        return total

    async def sweep(self, sender: Sender, place: Address) -> tuple[int, Address, Hash32 | None]:
        """Send what an airdrop has left to its treasury; return the amount, the treasury and the transaction, if any.

        Raises:
            NotAnAirdrop: when the contract there is another.
            ClaimsRunning: before the deadline.
        """
        terms = await read_terms(self._client, place)
        if not await PlatformToken(terms.token, self._client).balance_of(place):
            return 0, terms.treasury, None
        receipt = await sender.execute(Airdrop(place).sweep(), f"airdrop/sweep/{place}/{token_hex(8)}")
        (swept,) = Swept.among(receipt.logs, place)
        return swept.amount, swept.treasury, receipt.hash

    async def claim(
        self, sender: Sender, place: Address, file: AirdropFile, account: Address
    ) -> tuple[AirdropEntry, Hash32]:
        """Claim an account's entry; the tokens go to the account. Return the entry and the transaction.

        Raises:
            NoSuchEntry: when the file has no entry of the account.
            OtherAirdrop: when the contract at `place` has another tree than the file.
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
            NoSuchEntry, OtherAirdrop: as for `claim`.
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
            raise OtherAirdrop(
                f"the airdrop at {place} has root 0x{root.hex()}, the file 0x{file.root.hex()}; give the file it was "
                "deployed from",
                address=place,
            )
        return airdrop, entry

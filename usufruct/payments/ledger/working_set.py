"""What the hot verbs of one transaction read, and what they change: the same for both databases.

A back end reads the rows that a group of verbs needs (`Needs`), the verbs decide in memory one after the other, and the
back end writes all changes with one statement a table. A verb that refuses changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from usufruct.core import AssetId, Hash32, value
from usufruct.payments.ledger.errors import AccountUnknown
from usufruct.payments.ledger.records import Account, Call, Replay
from usufruct.payments.pricing import VerifiedVoucher


@value
class Entry:
    """One movement of money between two accounts of an account; `amount` is above 0."""

    account: Hash32
    call: Hash32 | None
    asset: AssetId | None
    debit: str
    credit: str
    amount: int


@value
class Needs:
    """The rows a verb reads."""

    account: Hash32
    call: Hash32 | None
    key: str | None = None
    """Its idempotency key; the scope follows from the account."""
    promise: int | None = None
    """Amount of the voucher that came with it, to be refused when a claim carried it."""


@value
class KeptKey:
    """A taken idempotency key: its call, and the sealed answer once there is one."""

    scope: str
    key: str
    call: Hash32
    body_hash: Hash32
    sealed: bytes | None
    expires_at: int


@dataclass(slots=True)
class WorkingSet:
    """Rows by identifier, and the changes to them; `now` is the database's clock."""

    now: int
    accounts: dict[Hash32, Account] = field(default_factory=dict)
    calls: dict[Hash32, Call] = field(default_factory=dict)
    keys: dict[tuple[str, str], KeptKey] = field(default_factory=dict)
    key_of: dict[Hash32, KeptKey] = field(default_factory=dict)
    published: set[tuple[Hash32, int]] = field(default_factory=set)
    opened: list[tuple[Call, VerifiedVoucher]] = field(default_factory=list)
    """New calls, each with the voucher that covers it."""
    ended: list[tuple[Call, int]] = field(default_factory=list)
    """Final calls, each with the epoch that its row must have before."""
    touched: dict[Hash32, Account] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    keys_freed: list[Hash32] = field(default_factory=list)
    keys_taken: list[KeptKey] = field(default_factory=list)
    answers_kept: list[KeptKey] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.opened or self.ended or self.keys_freed)

    def account(self, account: Hash32) -> Account:
        """Return an account as the verbs before left it.

        Raises:
            AccountUnknown: when there is none.
        """
        found = self.accounts.get(account)
        if found is None:
            raise AccountUnknown(account)
        return found

    def put_account(self, account: Account) -> None:
        """Change an account."""
        self.accounts[account.id] = self.touched[account.id] = account

    def add_call(self, call: Call, voucher: VerifiedVoucher) -> None:
        """Add a call."""
        self.calls[call.lease.call] = call
        self.opened.append((call, voucher))

    def end_call(self, call: Call, before: int) -> None:
        """Make a call final whose row has the epoch `before`."""
        self.calls[call.lease.call] = call
        self.ended.append((call, before))

    def load_keys(self, keys: Iterable[KeptKey]) -> None:
        """Take rows of idempotency keys in."""
        for key in keys:
            self.keys[key.scope, key.key] = self.key_of[key.call] = key

    def take_key(self, key: KeptKey) -> None:
        """Give an idempotency key to its call."""
        self.load_keys([key])
        self.keys_taken.append(key)

    def keep_answer(self, key: KeptKey) -> None:
        """Keep an answer under its call's idempotency key."""
        self.load_keys([key])
        self.answers_kept.append(key)

    def free_key(self, call: Hash32) -> None:
        """Give the call's idempotency key back, if it has one."""
        key = self.key_of.pop(call, None)
        if key is not None:
            del self.keys[key.scope, key.key]
            self.keys_taken = [taken for taken in self.keys_taken if taken.call != call]
            self.keys_freed.append(call)

    def move(self, entry: Entry) -> None:
        """Add an entry; none for an amount of 0."""
        if entry.amount:
            self.entries.append(entry)


Admitted = tuple[Call, Account]
"""A call that was opened, or was open already under the same id, and its account after it."""

Admission = Admitted | Replay

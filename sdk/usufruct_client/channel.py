"""One channel as its payer knows it: what it holds, what was charged, what calls are under way. Pure rules.

The payer never knows less than the gateway may rightly ask for: `charged + the ceilings of open calls` covers what the
gateway has charged and reserved, whatever order calls arrive and end in. A call whose end was not seen counts in full,
as doubtful, until the gateway names a lower number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from usufruct_client.signing import Deposit
from usufruct_client.wire import ChannelConfig

FORGOTTEN_SECONDS = 3_600
"""A call open for longer is abandoned: its process has died. Answers take half an hour at most."""


DEPOSIT_SPARE_SECONDS = 10
"""A deposit that expires sooner is not sent again."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An open call: its ceiling, since when, and the most the channel has stood at meanwhile without it.

    `peak` is what the gateway may rightly say was charged and reserved before this call. `alone`: no other call has
    been open beside it.
    """

    ceiling: int
    opened: int
    peak: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """A deposit that was signed and has not arrived. `slot`: the call that carries it now, or empty.

    `unsure`: it was sent, and only the gateway knows what became of it: it always counts.
    """

    deposit: Deposit
    slot: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """All that is known of a channel; amounts in atomic units of its token.

    `balance` is what the escrow holds. `deposited` is all that was ever sent to it, whatever the gateway says came of
    it or came back: it counts against the budget, and never falls. `doubtful` is the part of `charged` without a
    bill. `signed` is the highest voucher ever signed. `loose` are amounts and expiries of deposits that
    were signed, and replaced before they left: until they expire they could still leave.
    """

    id: str
    origin: str
    chain_id: int
    config: ChannelConfig
    balance: int = 0
    deposited: int = 0
    charged: int = 0
    doubtful: int = 0
    signed: int = 0
    receipt_signer: str = ""
    pending: Pending | None = None
    slots: Mapping[str, Slot] = field(default_factory=dict)
    loose: tuple[tuple[int, int], ...] = ()

    @property
    def promised(self) -> int:
        """What the next voucher starts from: charged, and the ceilings of all open calls."""
        return self.charged + sum(slot.ceiling for slot in self.slots.values())

    def exposed(self, now: int) -> int:
        """Return what was put in or may yet be put in by what we signed."""
        waiting = self.pending.deposit.amount if self.pending else 0
        return self.deposited + waiting + sum(amount for amount, expiry in self.loose if expiry > now)

    def waiting(self, needed: int, now: int) -> Deposit | None:
        """Return the deposit that was signed already, if it is enough and holds long enough to be sent again."""
        deposit = self.pending.deposit if self.pending else None
        enough = deposit and deposit.amount >= needed and deposit.valid_before > now + DEPOSIT_SPARE_SECONDS
        return deposit if enough else None

    def opened(self, name: str, ceiling: int, now: int) -> "Channel":
        """Open a call; those beside it learn of it."""
        before = self.promised
        slots = {
            other: replace(slot, peak=max(slot.peak, before + ceiling - slot.ceiling), alone=False)
            for other, slot in self.slots.items()
        }
        return replace(self, slots={**slots, name: Slot(ceiling, now, before, alone=not slots)})

    def ended(self, name: str, charge: int) -> "Channel":
        """End a call with its charge; nothing changes for one that was given up before."""
        if name not in self.slots:
            return self
        others = {other: slot for other, slot in self.slots.items() if other != name}
        return replace(self, slots=others, charged=self.charged + charge)

    def abandoned(self, name: str) -> "Channel":
        """Give a call up: its ceiling counts as charged."""
        if name not in self.slots:
            return self
        ceiling = self.slots[name].ceiling
        return replace(self.ended(name, ceiling), doubtful=self.doubtful + ceiling)._free(name, unsure=True)

    def corrected(self, name: str, told: int) -> "Channel":
        """Take over what the gateway says was charged and reserved before call `name`.

        Alone, it is the whole truth. Beside other calls a number up to the call's peak means only that they overtook
        each other; a higher one is believed, and none is believed to be lower: it may be older than what we know.
        """
        slot = self.slots.get(name)
        if slot is None or (not slot.alone and told <= slot.peak):
            return self
        if slot.alone:
            return replace(self, charged=told, doubtful=0)
        raised = max(0, told - self.charged)
        return replace(self, charged=self.charged + raised, doubtful=self.doubtful + raised)

    def carrying(self, pending: Pending, now: int) -> "Channel":
        """Send a deposit along with a call.

        One that it replaces counts until it expires; always, if it may have been made.
        """
        loose = tuple((amount, expiry) for amount, expiry in self.loose if expiry > now)
        carried, old = replace(self, pending=pending, loose=loose), self.pending
        if old is None:
            return carried
        if old.deposit == pending.deposit:
            return replace(carried, pending=replace(pending, unsure=old.unsure or bool(old.slot)))
        if old.unsure:
            return replace(carried, deposited=self.deposited + old.deposit.amount)
        return replace(carried, loose=(*loose, (old.deposit.amount, old.deposit.valid_before)))

    def arrived(self) -> "Channel":
        """Count the pending deposit as money in the channel."""
        if self.pending is None:
            return self
        amount = self.pending.deposit.amount
        return replace(self, balance=self.balance + amount, deposited=self.deposited + amount, pending=None)

    def not_arrived(self, name: str, *, unsure: bool, spoilt: bool = False) -> "Channel":
        """Free the deposit that call `name` carried for the next call; a `spoilt` one, which was sent, only counts."""
        if self.pending is None or self.pending.slot != name:
            return self
        if not spoilt:
            return self._free(name, unsure=unsure)
        return replace(self, pending=None, deposited=self.deposited + self.pending.deposit.amount)

    def refunded(self, amount: int) -> "Channel":
        """Take out what came back, by the gateway's word: it makes no room for deposits.

        If no call is open, no more than what is left can have been charged.
        """
        balance = self.balance - amount
        left = replace(self, balance=balance)
        if self.slots or self.charged <= balance:
            return left
        return replace(left, charged=balance, doubtful=max(0, self.doubtful - (self.charged - balance)))

    def tidied(self, now: int) -> "Channel":
        """Give up calls that were forgotten, and deposits that have expired.

        An expired deposit that was sent is taken for made: a voucher shows whether it was.
        """
        tidy = self
        for name, slot in self.slots.items():
            if now - slot.opened > FORGOTTEN_SECONDS:
                tidy = tidy.abandoned(name)
        if tidy.pending is None or tidy.pending.deposit.valid_before > now:
            return tidy
        return tidy.arrived() if tidy.pending.unsure or tidy.pending.slot else replace(tidy, pending=None)

    def _free(self, name: str, *, unsure: bool) -> "Channel":
        if self.pending is None or self.pending.slot != name:
            return self
        return replace(self, pending=replace(self.pending, slot="", unsure=unsure or self.pending.unsure))

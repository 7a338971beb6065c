"""What the relayer pays for: the one list of contracts and functions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from usufruct.chain import Call
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelConfig
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.escrow import SETTLEMENT
from usufruct.core import ZERO_ADDRESS, Address, Denied

MOST_CALLS = 8
"""In one operation."""


class CallNotRelayed(Denied, code="call_not_relayed"):
    """The relayer does not pay for this call; the account can make it by another relayer, or its owner send it."""


class RelayedCalls(Protocol):
    """Calls of another package that the relayer pays for too."""

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for this call of an account; raises `Unavailable` without the chain."""

    async def earns(self, account: Address, call: Call) -> bool:
        """Tell whether this call brings an account enough money to pay for the account's creation."""
        return False

    async def justifies_creation(self, account: Address, call: Call) -> bool:
        """Tell whether an account without money is created for this call, within its part of the day's coins."""
        return False


class MoreRelayedCalls(dict[str, Callable[[], RelayedCalls]]):
    """Calls of other packages that the relayer pays for, by package; each entry is built at the first operation."""


@dataclass(frozen=True, slots=True)
class AllowedCalls:
    """Selectors by contract; those under the zero address are the account's own settings. `others`: asked last."""

    selectors: frozenset[tuple[Address, bytes]]
    others: Sequence[RelayedCalls] = ()

    @classmethod
    def of(cls, examples: Iterable[Call], others: Sequence[RelayedCalls] = ()) -> "AllowedCalls":
        """Allow the functions that these calls call, whatever their arguments."""
        return cls(frozenset((call.to, call.data[:4]) for call in examples), others)

    async def check(self, account: Address, calls: Sequence[Call]) -> None:
        """Refuse a batch with a call that is not on the list.

        Raises:
            CallNotRelayed: names the call.
        """
        if not 0 < len(calls) <= MOST_CALLS:
            raise CallNotRelayed(f"an operation has 1 to {MOST_CALLS} calls, not {len(calls)}", field="callData")
        for call in calls:
            if not await self._pays_for(account, call):
                raise CallNotRelayed(
                    f"the relayer does not pay for 0x{call.data[:4].hex()} of {call.to}; send the operation yourself",
                    field="callData",
                    to=call.to,
                )

    async def earn(self, account: Address, calls: Sequence[Call]) -> bool:
        """Tell whether one of these calls brings an account enough money to pay for the account's creation."""
        for call in calls:
            for each in self.others:
                if await each.earns(account, call):
                    return True
        return False

    async def justify_creation(self, account: Address, calls: Sequence[Call]) -> bool:
        """Tell whether one of these calls is a reason to create an account that has no money."""
        for call in calls:
            for each in self.others:
                if await each.justifies_creation(account, call):
                    return True
        return False

    async def _pays_for(self, account: Address, call: Call) -> bool:
        if call.value or call.to == ZERO_ADDRESS:
            return False
        to = ZERO_ADDRESS if call.to == account else call.to
        if (to, call.data[:4]) in self.selectors:
            return True
        for each in self.others:
            if await each.pays_for(account, call):
                return True
        return False


_PROTECTING = {
    each.data[:4]
    for each in (
        PasskeyAccount(ZERO_ADDRESS).add_signers([]),
        PasskeyAccount(ZERO_ADDRESS).set_recovery(ZERO_ADDRESS, 0),
    )
}


def protect(account: Address, calls: Sequence[Call]) -> bool:
    """Tell whether calls give an account another signer or a recovery wallet, and do nothing else."""
    return bool(calls) and all(call.to == account and not call.value and call.data[:4] in _PROTECTING for call in calls)


def relayed_calls(token: Address, others: Sequence[RelayedCalls] = ()) -> AllowedCalls:
    """Return what passkey accounts do here: pay, leave the escrow, and change their own settings."""
    money, escrow, account = Erc20(token), BatchSettlement(SETTLEMENT), PasskeyAccount(ZERO_ADDRESS)
    none = ZERO_ADDRESS
    channel = ChannelConfig(none, none, none, none, none, 0, bytes(32))
    return AllowedCalls.of(
        [
            money.approve(ZERO_ADDRESS, 0),
            money.transfer(ZERO_ADDRESS, 0),
            escrow.initiate_withdraw(channel, 0),
            escrow.finalize_withdraw(channel),
            account.add_signers([]),
            account.remove_signers([]),
            account.set_recovery(ZERO_ADDRESS, 0),
            account.announce_change(b""),
            account.cancel_change(),
            account.veto_recovery(),
        ],
        others,
    )

"""The one place that chooses a funding source by the kind of an account."""

from collections.abc import Iterable
from typing import TypeVar

from usufruct.payments.ledger import Account, AccountIdentity, AccountKind
from usufruct.payments.settlement.escrow_channels import EscrowChannels
from usufruct.payments.settlement.funding_source import FundingSource
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.pass_credits import PassCredits

A = TypeVar("A", Account, AccountIdentity)


class FundingSources:
    """The funding sources of one installation."""

    def __init__(self, context: SettlementContext) -> None:
        self.channels = EscrowChannels(context)
        self.credits = PassCredits(context)
        self._by_kind: dict[AccountKind, FundingSource] = {
            AccountKind.ESCROW_CHANNEL: self.channels,
            AccountKind.PASS_CREDITS: self.credits,
        }

    def of(self, kind: AccountKind) -> FundingSource:
        """Return the funding source of a kind of account."""
        return self._by_kind[kind]

    def divided(self, accounts: Iterable[A]) -> list[tuple[FundingSource, list[A]]]:
        """Divide accounts by funding source; a source without any is left out."""
        found: dict[AccountKind, list[A]] = {}
        for account in accounts:
            found.setdefault(account.kind, []).append(account)
        return [(source, found[kind]) for kind, source in self._by_kind.items() if kind in found]

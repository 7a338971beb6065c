"""Read activated pass credits from the chain."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Client, Header, NoAnswer
from usufruct.chain.contracts.access_pass import AccessPass, UnknownPlan
from usufruct.payments.ledger import AccountIdentity, AccountKind, AccountReading
from usufruct.payments.pricing import ActivatedCredits, PassTerms
from usufruct.payments.settlement.channel_reader import Reader

CLOSING = 86_400
"""Seconds before credits can be given back in which their account takes no new call: what it owes is burned."""

_MANY = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """What AccessPass tells of an account: credits left and burned in all, and from when on they may be given back."""

    left: int = 0
    burned: int = 0
    closes_at: int = 0


class PassReader(Reader[ActivatedCredits]):
    """Reads activated credits; refunds since the confirmed block and a pending closing count at once."""

    def __init__(self, client: Client, terms: PassTerms, confirmations: int = 1) -> None:
        super().__init__(client, confirmations)
        self._terms = terms
        self._contract = AccessPass(terms.contract, client)

    async def _at(self, configs: Sequence[ActivatedCredits], block: Header, head: Header) -> list[AccountReading]:
        found: list[AccountReading] = []
        for start in range(0, len(configs), _MANY):
            some = configs[start : start + _MANY]
            found += await asyncio.gather(*(self._account(activated, block, head) for activated in some))
        return found

    async def _account(self, activated: ActivatedCredits, block: Header, head: Header) -> AccountReading:
        now = await self._standing(activated, head)
        then = now if head == block else await self._standing(activated, block)
        closing = now.left and now.closes_at and now.closes_at - head.timestamp < CLOSING
        return AccountReading(
            identity=credits_identity(self._terms, activated),
            block=block.number,
            balance=min(then.left + then.burned, now.left + now.burned),
            total_claimed=then.burned,
            withdraw_at=now.closes_at if closing else 0,
        )

    async def _standing(self, activated: ActivatedCredits, block: Header) -> Standing:
        contract = self._contract.at_block(block.number)
        try:
            found = await contract.standing(activated.plan, activated.holder, activated.meter)
        except (UnknownPlan, NoAnswer):  # the plan or the contract is younger than that block
            return Standing()
        return Standing(found.left, found.burned, found.closes_at)


def credits_identity(terms: PassTerms, activated: ActivatedCredits) -> AccountIdentity:
    """Return the ledger account that activated credits fund."""
    id_, holder = terms.account_id(activated), activated.holder
    return AccountIdentity(id_, AccountKind.PASS_CREDITS, terms.chain_id, holder, holder, terms.token)

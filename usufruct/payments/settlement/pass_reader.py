"""Accounts of pass credits as the chain has them, read in the shape of channels."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Client, Header, NoAnswer
from usufruct.chain.contracts.access_pass import AccessPass, UnknownPlan
from usufruct.payments.ledger import AccountReading
from usufruct.payments.pricing import ChannelConfig, Escrow, PassTerms, channel_id, plan_of
from usufruct.payments.settlement.channel_reader import Reader

CLOSING = 86_400
"""So many seconds before credits can be given back, their account takes no new call: what it owes is burned."""

_MANY = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """What AccessPass tells of an account: credits left and burned in all, and from when on they may be given back."""

    left: int = 0
    burned: int = 0
    closes_at: int = 0


class PassReader(Reader):
    """Reads accounts; credits that went since the block that counts are gone, and a closing is seen at once."""

    def __init__(self, client: Client, escrow: Escrow, terms: PassTerms, confirmations: int = 1) -> None:
        super().__init__(client, confirmations)
        self._escrow = escrow
        self._contract = AccessPass(terms.contract, client)

    async def _at(self, configs: Sequence[ChannelConfig], block: Header, head: Header) -> list[AccountReading]:
        found: list[AccountReading] = []
        for start in range(0, len(configs), _MANY):
            some = configs[start : start + _MANY]
            found += await asyncio.gather(*(self._account(config, block, head) for config in some))
        return found

    async def _account(self, config: ChannelConfig, block: Header, head: Header) -> AccountReading:
        now = await self._standing(config, head)
        then = now if head == block else await self._standing(config, block)
        closing = now.left and now.closes_at and now.closes_at - head.timestamp < CLOSING
        return AccountReading(
            id=channel_id(self._escrow, config),
            chain_id=self._escrow.chain_id,
            config=config,
            block=block.number,
            balance=min(then.left + then.burned, now.left + now.burned),
            total_claimed=then.burned,
            withdraw_at=now.closes_at if closing else 0,
        )

    async def _standing(self, config: ChannelConfig, block: Header) -> Standing:
        contract = self._contract.at_block(block.number)
        try:
            found = await contract.standing(plan_of(config), config.payer, config.receiver)
        except (UnknownPlan, NoAnswer):  # at that block there was no such plan, or no contract yet
            return Standing()
        return Standing(found.left, found.burned, found.closes_at)

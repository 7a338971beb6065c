"""Whether a service's owners gave a payer the money that it was called with, as the chain's transfers show.

A person who reviews their own service by a second wallet has to fund it. What is looked at is bounded: the payment
token's transfers from an owner to the payer, in some blocks before each of the payer's last deposits and their first.
"""

from collections.abc import Callable, Iterable

from usufruct.chain import Client, Outbox
from usufruct.chain.contracts.erc20 import Transfer
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import Ledger

LOOK_BACK_BLOCKS = 10_000
LATEST_DEPOSITS = 2
_RANGE_BLOCKS = 2_000
_MOST_DEPOSITS = 500


class Funding:
    """Looks for transfers of the payment token between accounts."""

    def __init__(self, client: Callable[[], Client], sent: Outbox, ledger: Ledger, token: Address) -> None:
        """Look up in which block a deposit was made in `sent`."""
        self._client = client
        self._sent = sent
        self._ledger = ledger
        self._token = token

    async def came_from(self, givers: Iterable[Address], payer: Address) -> bool:
        """Tell whether one of `givers` sent the payer money before one of the deposits that are looked at.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        others = sorted(set(givers) - {payer})
        if not others:
            return False
        topics: list[Hash32 | list[Hash32]] = [Transfer.TOPIC, [_topic(each) for each in others], _topic(payer)]
        for first, last in await self._spans(payer):
            for start in range(first, last + 1, _RANGE_BLOCKS):
                end = min(last, start + _RANGE_BLOCKS - 1)
                logs = await self._client().logs(start, end, addresses=[self._token], topics=topics)
                if any(each.value for each in Transfer.among(logs, self._token)):
                    return True
        return False

    async def _spans(self, payer: Address) -> list[tuple[int, int]]:
        """Return the blocks to look at, without those that are in two spans."""
        deposits = await self._ledger.deposits_of(payer, _MOST_DEPOSITS)
        looked_at = {each.outbox_id for each in (*deposits[:LATEST_DEPOSITS], *deposits[-1:])}
        sent = [await self._sent.find(each) for each in looked_at]
        spans: list[tuple[int, int]] = []
        for block in sorted(each.block for each in sent if each is not None and each.block is not None):
            first = max(0, block - LOOK_BACK_BLOCKS)
            if spans:
                first = max(first, spans[-1][1] + 1)
            if first <= block:
                spans.append((first, block))
        return spans


def _topic(account: Address) -> Hash32:
    return Hash32("0x" + "00" * 12 + account[2:])

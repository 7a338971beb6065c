"""What to offer for gas, and how much more when an offer was not taken. All fees in wei per gas."""

import logging
from dataclasses import dataclass

from usufruct.chain.answers import FeeHistory
from usufruct.chain.client import Client
from usufruct.chain.rpc_errors import RpcRefused, RpcUnreadable
from usufruct.core import Unavailable, divide_up

_log = logging.getLogger(__name__)

GWEI = 10**9

TRANSACTION_GAS = 1 << 24
"""The most gas one transaction may ask for (EIP-7825)."""


class FeesOverCap(Unavailable, code="fees_over_cap"):
    """The chain asks more for gas than the operator allows."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Limits of what is offered.

    `cap`: never offer more in total. `least_tip`: offer the block's maker at least this. `bump_percent_tenths`: a
    replacement offers at least so many tenths of a percent more (nodes refuse under 10 %). `bump_after_blocks`: replace
    when so many blocks passed an offer by. `gas_margin_percent`: gas allowed beyond the estimate.
    """

    cap: int = 500 * GWEI
    least_tip: int = GWEI // 1000
    bump_percent_tenths: int = 125
    bump_after_blocks: int = 3
    gas_margin_percent: int = 25

    def gas_limit(self, estimate: int) -> int:
        """Return the gas to allow for a call that was estimated to take `estimate`."""
        roomy = divide_up(estimate * (100 + self.gas_margin_percent), 100)
        return max(estimate, min(roomy, TRANSACTION_GAS))


@dataclass(frozen=True, slots=True)
class Offer:
    """The most to pay in total, and of that the most to the block's maker."""

    max_fee: int
    tip: int


async def market_offer(client: Client, policy: FeePolicy) -> Offer:
    """Return an offer that holds while the base fee doubles, within the cap.

    Raises:
        FeesOverCap: when the cap is under what the next block asks.
        RpcUnavailable: when the node does not tell what gas costs.
    """
    history = await _fee_history(client)
    # without a history, from the newest block: base fees rise by an eighth at most
    base = history.base_fees[-1] if history.base_fees else divide_up((await client.head()).base_fee * 9, 8)
    tips = sorted(history.tips)
    tip = max(policy.least_tip, tips[len(tips) // 2] if tips else 0)
    if base + tip > policy.cap:
        raise FeesOverCap(
            f"gas costs {base + tip} wei now and the cap is {policy.cap}; wait, or raise the cap", price=base + tip
        )
    return Offer(min(policy.cap, 2 * base + tip), tip)


async def _fee_history(client: Client) -> FeeHistory:
    try:
        return await client.fee_history()
    except (RpcRefused, RpcUnreadable) as error:  # a node without the method, or with an unusual answer
        _log.debug("fees are read from the newest block: %s", error.message)
        return FeeHistory((), ())


def better_offer(old: Offer, market: Offer, policy: FeePolicy) -> Offer | None:
    """Return a replacement's offer: the market's, but enough more than `old`; None when that passes the cap."""
    factor = 1000 + policy.bump_percent_tenths
    tip = max(market.tip, divide_up(old.tip * factor, 1000))
    max_fee = max(market.max_fee, divide_up(old.max_fee * factor, 1000), tip)
    return Offer(max_fee, tip) if max_fee <= policy.cap else None

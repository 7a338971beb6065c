"""What we tell a payer: the `PAYMENT-REQUIRED` and `PAYMENT-RESPONSE` headers."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.core import Address, Hash32, checksum
from usufruct.core.price_cards import PriceCard
from usufruct.payments.ledger import Account
from usufruct.payments.x402.payment import IDENTIFIER
from usufruct_client.wire import Terms
from usufruct_client.x402 import SCHEME, VERSION

_DECLARATION = {
    "info": {"required": False},
    "schema": {
        "type": "object",
        "properties": {
            "required": {"type": "boolean"},
            "id": {"type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[a-zA-Z0-9_-]+$"},
        },
        "required": ["required"],
    },
}

_DEPOSIT_SECONDS = 600
"""For how long payers authorize a deposit."""

DEPOSIT_CEILINGS = 3
"""Ceilings that a deposit is asked for: stock clients count their last stream at its ceiling, the next call needs
another, and what was charged takes the third. x402's own clients never deposit less by themselves."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What an operator takes, whatever the call, as x402 says it."""

    terms: Terms

    @property
    def network(self) -> str:
        """The chain's CAIP-2 name."""
        return f"eip155:{self.terms.chain_id}"

    def requirements(
        self, amount: int, quote: str = "", channel: Account | None = None, card: PriceCard | None = None
    ) -> dict[str, Any]:
        """Return the entry of `accepts`: at most `amount` for this call; with a channel's numbers, to sign again by."""
        terms = self.terms
        extra: dict[str, Any] = {
            "receiverAuthorizer": checksum(terms.till),
            "withdrawDelay": terms.withdraw_delay,
            "name": terms.token.name,
            "version": terms.token.version or "1",
            "assetTransferMethod": "eip3009",
            "minDeposit": str(max(DEPOSIT_CEILINGS * amount, terms.least_deposit)),
        }
        if quote:
            extra["quote"] = quote
        if card is not None:
            extra["priceCard"] = card.as_json()
        if channel is not None:
            extra |= _state(channel)
        return {
            "scheme": SCHEME,
            "network": self.network,
            "amount": str(amount),
            "asset": checksum(terms.token.address),
            "payTo": checksum(terms.till),
            "maxTimeoutSeconds": _DEPOSIT_SECONDS,
            "extra": extra,
        }

    def payment_required(
        self, url: str, error: str, requirements: Mapping[str, Any], extensions: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return a `PAYMENT-REQUIRED` header's value; `extensions` are added by name to the payment identifier's."""
        return _encoded(
            {
                "x402Version": VERSION,
                "error": error,
                "resource": {"url": url, "mimeType": "application/json"},
                "accepts": [requirements],
                "extensions": {IDENTIFIER: _DECLARATION, **(extensions or {})},
            }
        )

    def payment_response(
        self,
        payer: Address,
        charged: int | None,
        transaction: Hash32 | None = None,
        amount: int | None = None,
        total: int | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return a `PAYMENT-RESPONSE` header's value: `charged` for a call, `amount` for a deposit or a refund.

        `total` is what the channel was charged in all: a stock client that counts otherwise leaves its count, and its
        balance, as they are. `extensions` are those of x402, by name.
        """
        extra: dict[str, Any] = {} if charged is None else {"chargedAmount": str(charged)}
        if total is not None:
            extra["channelState"] = {"chargedCumulativeAmount": str(total)}
        response: dict[str, Any] = {
            "success": True,
            "transaction": transaction or "",
            "network": self.network,
            "payer": payer,
            "amount": "" if amount is None else str(amount),
            "extra": extra,
        }
        return _encoded(response | {"extensions": extensions} if extensions else response)


def _state(channel: Account) -> dict[str, Any]:
    """Return a channel's numbers as stock clients read them; reserved counts as charged: the next voucher covers it."""
    assert channel.voucher is not None
    reading = channel.reading
    return {
        "channelState": {
            "channelId": reading.id,
            "balance": str(channel.usable),
            "totalClaimed": str(reading.total_claimed),
            "withdrawRequestedAt": reading.withdraw_at,
            "refundNonce": "0",
            "chargedCumulativeAmount": str(channel.charged + channel.reserved),
        },
        "voucherState": {
            "signedMaxClaimable": str(channel.voucher.max_claimable),
            "signature": "0x" + channel.voucher.signature.hex(),
        },
    }


def _encoded(content: Mapping[str, Any]) -> bytes:
    return base64.b64encode(orjson.dumps(content))

"""Call a Usufruct gateway: pay by x402 within a limit and a budget, or make and fund bearer keys (`Gateway`).

::

    wallet = Wallet.from_key(key)
    gateway = connect("https://gateway.example", wallet, limit=5_000, budget=1_000_000, store="channels.db")
    client = OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.client())
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usufruct_client.answer import AnswerReader
    from usufruct_client.channel import Channel
    from usufruct_client.connection import Connection, connect
    from usufruct_client.errors import (
        BadAnswer,
        ClientError,
        DepositPending,
        GatewayRefused,
        GatewayUnavailable,
        Invalid,
        Mistrusted,
        NotAllowed,
        OfferMismatch,
        OverBudget,
        OverLimit,
        RefundRefused,
        Refused,
        StoreFault,
        TermsChanged,
        TradePending,
    )
    from usufruct_client.gateway import (
        Gateway,
        KeyUse,
        NewKey,
        bearer_headers,
        check_channel,
        new_channel,
        proof_headers,
    )
    from usufruct_client.offer_receipt import Evidence
    from usufruct_client.paid_call import Refund
    from usufruct_client.purse import Purse
    from usufruct_client.receipt import Agreed, Dispute, Receipt, faults, proves, read_receipt
    from usufruct_client.signing import Signer, channel_id
    from usufruct_client.spending_rules import Rules
    from usufruct_client.store import Store
    from usufruct_client.text import text_hash
    from usufruct_client.transport import AsyncPayingTransport, BearerTransport, Bill, PayingTransport
    from usufruct_client.wallet import Wallet

__all__ = [
    "Agreed",
    "AnswerReader",
    "AsyncPayingTransport",
    "BadAnswer",
    "BearerTransport",
    "Bill",
    "Channel",
    "ClientError",
    "Connection",
    "DepositPending",
    "Dispute",
    "Evidence",
    "Gateway",
    "GatewayRefused",
    "GatewayUnavailable",
    "Invalid",
    "KeyUse",
    "Mistrusted",
    "NewKey",
    "NotAllowed",
    "OfferMismatch",
    "OverBudget",
    "OverLimit",
    "PayingTransport",
    "Purse",
    "Receipt",
    "Refund",
    "RefundRefused",
    "Refused",
    "Rules",
    "Signer",
    "Store",
    "StoreFault",
    "TermsChanged",
    "TradePending",
    "Wallet",
    "bearer_headers",
    "channel_id",
    "check_channel",
    "connect",
    "faults",
    "new_channel",
    "proof_headers",
    "proves",
    "read_receipt",
    "text_hash",
]

_MODULES = (
    *("errors", "text", "signing", "receipt", "offer_receipt", "wallet", "channel", "spending_rules", "store"),
    *("answer", "transport", "paid_call", "purse", "gateway", "connection"),
)
"""In the order in which they are searched for a name: those that load no HTTP client first."""


def __getattr__(name: str) -> Any:
    """Load the module of a name when it is first used: a server that reads receipts loads no HTTP client."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = (import_module(f"{__name__}.{module}") for module in _MODULES)
    globals()[name] = found = next(vars(each)[name] for each in modules if name in vars(each))
    return found

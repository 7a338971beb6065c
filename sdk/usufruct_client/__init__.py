"""Call a Usufruct gateway: pay by x402 within a limit and a budget, or make and fund bearer keys (`Gateway`).

`Markets` and `AsyncMarkets` read its market data.

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
        DataChanged,
        DepositPending,
        GatewayRefused,
        GatewayUnavailable,
        Invalid,
        MissingLibrary,
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
    from usufruct_client.market_table import MarketTable
    from usufruct_client.markets import AsyncMarkets, Markets
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
    "AsyncMarkets",
    "AsyncPayingTransport",
    "BadAnswer",
    "BearerTransport",
    "Bill",
    "Channel",
    "ClientError",
    "Connection",
    "DataChanged",
    "DepositPending",
    "Dispute",
    "Evidence",
    "Gateway",
    "GatewayRefused",
    "GatewayUnavailable",
    "Invalid",
    "KeyUse",
    "MarketTable",
    "Markets",
    "MissingLibrary",
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

_NAMES_OF = {
    "answer": "AnswerReader",
    "channel": "Channel",
    "connection": "Connection connect",
    "errors": "BadAnswer ClientError DataChanged DepositPending GatewayRefused GatewayUnavailable Invalid "
    "MissingLibrary Mistrusted NotAllowed OfferMismatch OverBudget OverLimit RefundRefused Refused StoreFault "
    "TermsChanged TradePending",
    "gateway": "Gateway KeyUse NewKey bearer_headers check_channel new_channel proof_headers",
    "market_table": "MarketTable",
    "markets": "AsyncMarkets Markets",
    "offer_receipt": "Evidence",
    "paid_call": "Refund",
    "purse": "Purse",
    "receipt": "Agreed Dispute Receipt faults proves read_receipt",
    "signing": "Signer channel_id",
    "spending_rules": "Rules",
    "store": "Store",
    "text": "text_hash",
    "transport": "AsyncPayingTransport BearerTransport Bill PayingTransport",
    "wallet": "Wallet",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load the module of a name when it is first used: a server that reads receipts loads no HTTP client."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = vars(import_module(f"{__name__}.{_MODULE_OF[name]}"))[name]
    return found

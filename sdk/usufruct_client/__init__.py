"""Pay a Usufruct gateway by x402: many calls at once on one channel, within a limit and a budget.

::

    wallet = Wallet.from_key(key)
    gateway = connect("https://gateway.example", wallet, limit=5_000, budget=1_000_000, store="channels.db")
    client = OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.client())
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usufruct_client.channel import Channel
    from usufruct_client.connection import Connection, connect
    from usufruct_client.conversation import Refund
    from usufruct_client.errors import (
        BadAnswer,
        ClientError,
        DepositPending,
        Invalid,
        Mistrusted,
        NotAllowed,
        OverBudget,
        OverLimit,
        RefundRefused,
        Refused,
        StoreFault,
        TermsChanged,
    )
    from usufruct_client.purse import Purse
    from usufruct_client.receipt import Dispute, Receipt
    from usufruct_client.rules import Rules
    from usufruct_client.signing import Signer
    from usufruct_client.store import Store
    from usufruct_client.transport import AsyncPayingTransport, PayingTransport
    from usufruct_client.wallet import Wallet

__all__ = [
    "AsyncPayingTransport",
    "BadAnswer",
    "Channel",
    "ClientError",
    "Connection",
    "DepositPending",
    "Dispute",
    "Invalid",
    "Mistrusted",
    "NotAllowed",
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
    "Wallet",
    "connect",
]

_MODULES = (
    *("channel", "connection", "conversation", "errors", "purse", "receipt", "rules", "signing", "store"),
    *("transport", "wallet"),
)


def __getattr__(name: str) -> Any:
    """Load the client when one of its names is first used: importing eth-account takes most of a second.

    So a program that needs only `usufruct_client.eip712` does not wait for the rest.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for module in _MODULES:
        members = vars(import_module(f"{__name__}.{module}"))
        globals().update({each: members[each] for each in __all__ if each in members})
    return globals()[name]

"""Calls as the transactions that a seller's wallet is asked to send."""

from typing import Literal

from usufruct.chain import Call
from usufruct.core import ChainId
from usufruct_client.sale_documents import WalletTransaction

What = Literal["register", "share", "payee", "price", "retire", "collect"]


def for_wallet(what: What, chain_id: ChainId, *calls: Call) -> list[WalletTransaction]:
    """Return calls as transactions of a wallet, in their order."""
    return [WalletTransaction(what, chain_id, each.to, f"0x{each.data.hex()}", each.value) for each in calls]

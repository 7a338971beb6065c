"""Calls as the transactions that a seller's wallet is asked to send, unless a devnet's owner sends them here."""

from collections.abc import Callable
from typing import Literal

from usufruct.chain import Call, Sender
from usufruct.core import Address, ChainId
from usufruct_client.sale_documents import WalletTransaction

What = Literal["register", "share", "payee", "price", "retire", "collect", "cap", "owner"]

DevnetOwner = Callable[[], Sender] | None
"""Makes the sender of a devnet's owner; None on other chains."""


def for_wallet(what: What, chain_id: ChainId, *calls: Call) -> list[WalletTransaction]:
    """Return calls as transactions of a wallet, in their order."""
    return [WalletTransaction(what, chain_id, each.to, f"0x{each.data.hex()}", each.value) for each in calls]


def sender_of(seller: Address, devnet_owner: DevnetOwner) -> Sender | None:
    """Return the sender of a seller who is a devnet's owner; None where the seller's own wallet sends."""
    sender = devnet_owner() if devnet_owner else None
    return sender if sender is not None and sender.address == seller else None

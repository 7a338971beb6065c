"""Chains by their id: those that are not public (devnets, a rehearsal's), and names and explorers of public ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from usufruct.core.ids import ChainId

__all__ = ["DEVNET_CHAIN_ID", "REHEARSAL_CHAIN_ID", "PublicNetwork", "is_devnet", "is_local", "public_network"]

DEVNET_CHAIN_ID = ChainId(31337)
"""Of the embedded devnet, and of anvil and hardhat by default."""

REHEARSAL_CHAIN_ID = ChainId(313370)
"""Of a local chain that behaves like a public one: no rich accounts, no well-known keys, a block each second."""


@dataclass(frozen=True, slots=True)
class PublicNetwork:
    """What people call a chain, and a site that shows its accounts and transactions; both empty where not known."""

    name: str = ""
    explorer: str = ""


_PUBLIC: Mapping[int, PublicNetwork] = {
    1: PublicNetwork("Ethereum", "https://etherscan.io"),
    10: PublicNetwork("OP Mainnet", "https://optimistic.etherscan.io"),
    137: PublicNetwork("Polygon", "https://polygonscan.com"),
    8453: PublicNetwork("Base", "https://basescan.org"),
    42161: PublicNetwork("Arbitrum One", "https://arbiscan.io"),
    84532: PublicNetwork("Base Sepolia", "https://sepolia.basescan.org"),
    11155111: PublicNetwork("Sepolia", "https://sepolia.etherscan.io"),
}

_DEVNETS = frozenset({DEVNET_CHAIN_ID, ChainId(1337)})


def is_devnet(chain_id: int) -> bool:
    """Tell whether a chain is a developer's: publicly known keys may sign there, and nothing on it has a value."""
    return chain_id in _DEVNETS


def is_local(chain_id: int) -> bool:
    """Whether a chain runs on the user's machine, with play money: a devnet, or a rehearsal's."""
    return is_devnet(chain_id) or chain_id == REHEARSAL_CHAIN_ID


def public_network(chain_id: int) -> PublicNetwork:
    """Return name and explorer of a public chain."""
    return _PUBLIC.get(chain_id, PublicNetwork())

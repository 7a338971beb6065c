"""Chains that are not public: devnets, and the local chain of a rehearsal."""

from usufruct.core.ids import ChainId

__all__ = ["DEVNET_CHAIN_ID", "REHEARSAL_CHAIN_ID", "is_devnet", "is_local"]

DEVNET_CHAIN_ID = ChainId(31337)
"""Of the embedded devnet, and of anvil and hardhat by default."""

REHEARSAL_CHAIN_ID = ChainId(313370)
"""Of a local chain that behaves like a public one: no rich accounts, no well-known keys, a block each second."""

_DEVNETS = frozenset({DEVNET_CHAIN_ID, ChainId(1337)})


def is_devnet(chain_id: int) -> bool:
    """Tell whether a chain is a developer's: publicly known keys may sign there, and nothing on it has a value."""
    return chain_id in _DEVNETS


def is_local(chain_id: int) -> bool:
    """Whether a chain runs on the user's machine, with play money: a devnet, or a rehearsal's."""
    return is_devnet(chain_id) or chain_id == REHEARSAL_CHAIN_ID

"""The only place where things are wired together: one installation, from its configuration."""

from usufruct.app.access import (
    FEE_SINK,
    ChainAccess,
    NodeUnfit,
    WrongChain,
    amount_of,
    connect,
    fee_sink_of,
    open_chain,
    token_address,
    token_of,
)
from usufruct.app.devnet import DEVNET_FEE_BPS, set_up_devnet
from usufruct.app.installation import Installation, open_installation
from usufruct.app.roles import Role, claim_address, signer_of
from usufruct.app.serving import AddressTaken, serve, show_metrics

__all__ = [
    "DEVNET_FEE_BPS",
    "FEE_SINK",
    "AddressTaken",
    "ChainAccess",
    "Installation",
    "NodeUnfit",
    "Role",
    "WrongChain",
    "amount_of",
    "claim_address",
    "connect",
    "fee_sink_of",
    "open_chain",
    "open_installation",
    "serve",
    "set_up_devnet",
    "show_metrics",
    "signer_of",
    "token_address",
    "token_of",
]

"""The composition root: an installation is a list of components, opened from its configuration."""

from usufruct.app.components import build_components, start_components
from usufruct.app.context import context_of
from usufruct.app.devnet import DEVNET_FEE_BPS, set_up_devnet
from usufruct.app.installation import Installation, open_installation
from usufruct.app.serving import AddressTaken, serve, show_metrics

__all__ = [
    "DEVNET_FEE_BPS",
    "AddressTaken",
    "Installation",
    "build_components",
    "context_of",
    "open_installation",
    "serve",
    "set_up_devnet",
    "show_metrics",
    "start_components",
]

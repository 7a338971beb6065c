"""The composition root: an installation is a list of components, opened from its configuration."""

from usufruct.app.components import build_components, start_components
from usufruct.app.deploying import DEVNET_FEE_BPS, carry_out, deploy_steps, set_up_devnet, site_of
from usufruct.app.installation import Installation, open_context, open_installation
from usufruct.app.serving import AddressTaken, serve, show_metrics

__all__ = [
    "DEVNET_FEE_BPS",
    "AddressTaken",
    "Installation",
    "build_components",
    "carry_out",
    "deploy_steps",
    "open_context",
    "open_installation",
    "serve",
    "set_up_devnet",
    "show_metrics",
    "site_of",
    "start_components",
]

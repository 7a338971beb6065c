"""The packages that make up an installation: adding one is a line here."""

from collections.abc import Sequence
from importlib import import_module

from usufruct.assets import Listings
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostics
from usufruct.gateway import ServiceQuality
from usufruct.market import ServiceFailures
from usufruct.payments.settlement import Payee

PACKAGES = (
    "store",
    "web",
    "chain",
    "accounts",
    "accounts.passkeys",
    "accounts.notifications",
    "payments.ledger",
    "payments.settlement",
    "payments.x402",
    "assets",
    "gateway",
    "market",
    "market.trade",
    "staking",
    "staking.deals",
    "governance",
    "governance.trusts",
    "analytics",
    "indices",
    "service_data",
    "console",
)
"""Each has a module `component` with `build(context) -> Component`."""


def build_components(context: Context, packages: Sequence[str] = PACKAGES) -> list[Component]:
    """Build each package's component from its view of the context, and join what packages of one layer need."""
    context.provide_later(Payee, lambda: context.get(Listings))
    context.provide_later(ServiceFailures, lambda: context.get(ServiceQuality))
    built = [import_module(f"usufruct.{name}.component").build(context.view(name)) for name in packages]
    context.provide(Diagnostics, Diagnostics([each for component in built for each in component.diagnostics]))
    return built


async def start_components(components: Sequence[Component]) -> None:
    """Start each component, in order."""
    for component in components:
        if component.start is not None:
            await component.start()

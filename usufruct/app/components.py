"""The packages that make up an installation: adding one is a line here."""

from collections.abc import Sequence
from importlib import import_module

from usufruct.core.components import Component, Context

PACKAGES = (
    "store",
    "chain",
    "accounts",
    "payments.ledger",
    "payments.settlement",
    "payments.x402",
    "assets",
    "gateway",
)
"""Each has a module `component` with `build(context) -> Component`."""


def build_components(context: Context, packages: Sequence[str] = PACKAGES) -> list[Component]:
    """Build each package's component from its view of the context."""
    return [import_module(f"usufruct.{name}.component").build(context.view(name)) for name in packages]


async def start_components(components: Sequence[Component]) -> None:
    """Start each component, in order."""
    for component in components:
        if component.start is not None:
            await component.start()

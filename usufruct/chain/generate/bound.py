"""Which contracts have Python bindings: the one list."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """One contract to bind: its name in Solidity, and in Python where that differs."""

    contract: str
    python: str = ""

    @property
    def name(self) -> str:
        """Return the name of the Python class."""
        return self.python or self.contract


BOUND = (
    Bound("AccessPass"),
    Bound("AssetRegistry"),
    Bound("BatchSettlement"),
    Bound("ERC3009DepositCollector"),
    Bound("IERC20Metadata", "Erc20"),
    Bound("Shares"),
    Bound("TestDollar"),
    Bound("Till"),
    Bound("WrappedNative"),
)

"""What the demo shows, in figures, and what it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from usufruct.core import Address, Faulty, format_units
from usufruct.core.price_cards import PriceCard

PRICES = PriceCard(
    input_per_million=500_000, output_per_million=1_500_000, per_call=20, context_window=8_192, version=1
)
DEPOSIT = 2_000_000
SPENDING_LIMIT = 1_000_000
OWNERS = {"owner, 70 %": 5, "owner, 20 %": 6, "owner, 10 %": 7}
"""The owners, and the devnet accounts they are; the first one registers."""

PARTS = {"owner, 20 %": 20_000_000_000_000, "owner, 10 %": 10_000_000_000_000}
"""What the first owner gives the others, in atomic shares."""

PAYER = 4
QUESTION = "How does the money of a call reach the owners?"
AGENTS_QUESTION = "Do I get unused money back without asking?"
ANOTHER_QUESTION = "What can the operator do, and what not?"
LEASE_SECONDS = 3


class DemoFailed(Faulty):
    """The demo did not show what it promises."""

    code = "demo_failed"


@dataclass
class Outcome:
    """What happened, in atomic units of the test dollar; `conserved` is computed from chain logs alone."""

    rpc_url: str
    addresses: Mapping[str, Address]
    assets: list[str] = field(default_factory=list)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    charged: int = 0
    claimed: int = 0
    settled: int = 0
    protocol_fee: int = 0
    payouts: dict[str, int] = field(default_factory=dict)
    conserved: bool = False
    gas_per_call: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it with amounts of money as text."""
        money = {name: str(getattr(self, name)) for name in ("charged", "claimed", "settled", "protocol_fee")}
        payouts = {who: str(amount) for who, amount in self.payouts.items()}
        return {**vars(self), **money, "payouts": payouts, "seconds": round(self.seconds, 1)}


def dollars(amount: int) -> str:
    """Write atomic units of the test dollar as dollars."""
    return format_units(amount, 6)


def demand(holds: bool, otherwise: str) -> None:
    """Fail the demo unless something holds."""
    if not holds:
        raise DemoFailed(otherwise)

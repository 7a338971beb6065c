"""What the demo is made of and what it shows: its figures, and each party's balance from the chain's logs alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usufruct.app import Installation
from usufruct.chain import FEE_SINK
from usufruct.chain.contracts.erc20 import Erc20, Transfer
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import devnet_signer
from usufruct.cli.support.progress import Progress
from usufruct.core import ZERO_ADDRESS, Address, Faulty, format_units
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Operator
from usufruct.payments.ledger import Call

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


Balances = Counter[Address]
"""Atomic units of each account; money that is minted has no source."""


async def read_balances(installation: Installation) -> Balances:
    """Return every account's balance by the token's Transfer logs alone, so that it can contradict our own counters."""
    client, token = installation.client, installation.get(Operator).token
    balances: Balances = Counter()
    for log in await client.logs(0, await client.block_number(), addresses=[token], topics=[Transfer.TOPIC]):
        moved = Transfer.decode(log)
        balances[moved.from_] -= moved.value
        balances[moved.to] += moved.value
    return balances


class Accounts:
    """The parties of the demo, and the balances they had when it began."""

    def __init__(
        self, installation: Installation, payers: Mapping[str, Address], shares: Mapping[str, Shares], before: Balances
    ) -> None:
        self._installation = installation
        self._payers = payers
        self._shares = shares
        self._before = before
        self._owners = {who: devnet_signer(index, installation.chain_id).address for who, index in OWNERS.items()}

    async def close(self, outcome: Outcome, calls: Sequence[Call], gas: int, progress: Progress) -> None:
        """Fill the outcome from what moved since, print it, and fail unless every unit is accounted for."""
        after = await read_balances(self._installation)
        moved = Counter(after)
        moved.subtract(self._before)
        _count(outcome, calls, gas)
        refunded = sum(moved[payer] for payer in self._payers.values())
        outcome.claimed = -moved[SETTLEMENT] - refunded
        outcome.payouts = {who: moved[at] for who, at in self._owners.items()}
        outcome.protocol_fee = moved[FEE_SINK]
        dust = sum(moved[shares.address] for shares in self._shares.values())
        outcome.settled = sum(outcome.payouts.values()) + outcome.protocol_fee + dust
        held = sum(amount for who, amount in after.items() if who != ZERO_ADDRESS)
        outcome.conserved = (
            outcome.charged == outcome.claimed == outcome.settled
            and refunded == self._before[SETTLEMENT] - outcome.charged
            and after[SETTLEMENT] == 0
            and held == -after[ZERO_ADDRESS]
            and await self._token_agrees(after)
        )
        self._show(outcome, after, moved, progress)
        demand(outcome.conserved, f"money was not conserved: {outcome.as_json()}")
        progress.say("Balances to the unit: what the payers paid is what the owners and the protocol got.")

    async def _token_agrees(self, balances: Balances) -> bool:
        """Tell whether the token itself says the same of every account as its logs."""
        dollar = Erc20(self._installation.get(Operator).token, self._installation.client)
        told = {who: await dollar.balance_of(who) for who in balances if who != ZERO_ADDRESS}
        return all(balances[who] == amount for who, amount in told.items())

    def _show(self, outcome: Outcome, after: Balances, moved: Balances, progress: Progress) -> None:
        parties = {
            **self._payers,
            "deposits (escrow)": SETTLEMENT,
            "till": self._installation.get(Operator).till,
            **self._owners,
            "protocol fee": FEE_SINK,
            **{f"{name} (fractions of a unit)": shares.address for name, shares in self._shares.items()},
        }
        rows = [(who, dollars(self._before[at]), dollars(after[at]), dollars(moved[at])) for who, at in parties.items()]
        progress.table("Balances in test dollars, from the chain's logs", ("party", "before", "after", "change"), rows)
        progress.say(
            f"{outcome.calls} calls, {outcome.input_tokens} text tokens in, {outcome.output_tokens} out; charged "
            f"${dollars(outcome.charged)}, claimed ${dollars(outcome.claimed)}; {outcome.gas_per_call:,} gas per "
            "call in this small batch (it falls with every call)"
        )


def _count(outcome: Outcome, calls: Sequence[Call], gas: int) -> None:
    bills = [call.bill for call in calls if call.bill]
    outcome.calls = len(bills)
    outcome.input_tokens = sum(bill.usage.input_tokens for bill in bills)
    outcome.output_tokens = sum(bill.usage.output_tokens for bill in bills)
    outcome.charged = sum(bill.charge for bill in bills)
    outcome.gas_per_call = gas // max(1, len(bills))

"""The demo's balances: what each party had before and has after, from the chain's logs and nothing of ours."""

from collections.abc import Mapping, Sequence

from usufruct.app import Installation
from usufruct.chain import FEE_SINK
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import devnet_signer
from usufruct.cli.demo.balances import balances_from_logs, differences
from usufruct.cli.demo.outcome import OWNERS, Outcome, demand, dollars
from usufruct.cli.support.progress import Progress
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.gateway import Operator
from usufruct.payments.ledger import Call


class Accounts:
    """The parties of the demo, and the balances they had when it began."""

    def __init__(self, installation: Installation, payers: Mapping[str, Address], shares: Mapping[str, Shares]) -> None:
        self._installation = installation
        self._payers = payers
        self._shares = shares
        self._before: Mapping[Address, int] = {}

    async def open(self) -> None:
        """Note what each party has now."""
        self._before = await self._balances()

    async def close(self, outcome: Outcome, calls: Sequence[Call], gas: int, progress: Progress) -> None:
        """Fill the outcome from what moved since, print it, and fail unless every unit is accounted for."""
        after = await self._balances()
        moved = {who: after.get(who, 0) - self._before.get(who, 0) for who in {*self._before, *after}}
        _count(outcome, calls, gas)
        refunded = sum(moved.get(payer, 0) for payer in self._payers.values())
        outcome.claimed = -moved[SETTLEMENT] - refunded
        outcome.payouts = {who: moved.get(self._owner(who), 0) for who in OWNERS}
        outcome.protocol_fee = moved.get(FEE_SINK, 0)
        dust = sum(moved.get(shares.address, 0) for shares in self._shares.values())
        outcome.settled = sum(outcome.payouts.values()) + outcome.protocol_fee + dust
        installation = self._installation
        wrong = await differences(
            installation.client, installation.get(Operator).token, after, await installation.client.block_number()
        )
        held = sum(amount for who, amount in after.items() if who != ZERO_ADDRESS)
        outcome.conserved = (
            outcome.charged == outcome.claimed == outcome.settled
            and refunded == self._before[SETTLEMENT] - outcome.charged
            and after[SETTLEMENT] == 0
            and held == -after[ZERO_ADDRESS]
            and not wrong
        )
        self._show(outcome, after, moved, progress)
        demand(outcome.conserved, f"money was not conserved: {outcome.as_json()}")
        progress.say("Balances to the unit: what the payers paid is what the owners and the protocol got.")

    def _show(
        self, outcome: Outcome, after: Mapping[Address, int], moved: Mapping[Address, int], progress: Progress
    ) -> None:
        rows = [
            (who, dollars(self._before.get(at, 0)), dollars(after.get(at, 0)), dollars(moved.get(at, 0)))
            for who, at in self._parties().items()
        ]
        progress.table("Balances in test dollars, from the chain's logs", ("party", "before", "after", "change"), rows)
        progress.say(
            f"{outcome.calls} calls, {outcome.input_tokens} tokens in, {outcome.output_tokens} out; charged "
            f"${dollars(outcome.charged)}, claimed ${dollars(outcome.claimed)}; {outcome.gas_per_call:,} gas per "
            "call in this small batch (it falls with every call)"
        )

    def _parties(self) -> dict[str, Address]:
        undivided = {f"{name} (fractions of a unit)": shares.address for name, shares in self._shares.items()}
        return {
            **self._payers,
            "deposits (escrow)": SETTLEMENT,
            "till": self._installation.get(Operator).till,
            **{who: self._owner(who) for who in OWNERS},
            "protocol fee": FEE_SINK,
            **undivided,
        }

    def _owner(self, who: str) -> Address:
        return devnet_signer(OWNERS[who], self._installation.chain_id).address

    async def _balances(self) -> Mapping[Address, int]:
        client = self._installation.client
        return await balances_from_logs(client, self._installation.get(Operator).token, await client.block_number())


def _count(outcome: Outcome, calls: Sequence[Call], gas: int) -> None:
    bills = [call.bill for call in calls if call.bill]
    outcome.calls = len(bills)
    outcome.input_tokens = sum(bill.usage.input_tokens for bill in bills)
    outcome.output_tokens = sum(bill.usage.output_tokens for bill in bills)
    outcome.charged = sum(bill.charge for bill in bills)
    outcome.gas_per_call = gas // max(1, len(bills))

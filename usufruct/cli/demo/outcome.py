"""What the demo is made of, what it sells, and what it shows: figures, and balances from the chain's logs alone."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import typer

from usufruct.app import Installation
from usufruct.assets import Caps
from usufruct.chain import FEE_SINK, Client
from usufruct.chain.contracts.erc20 import Erc20, Transfer
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import devnet_signer
from usufruct.cli.support.progress import Progress
from usufruct.connectors.openai import LocalServer, find_local_servers
from usufruct.core import ZERO_ADDRESS, Address, Faulty, format_units
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import CountingRule, Endpoint, Operator
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
PHONE = "for the phones of this network: make demo PHONE=1, or usufruct demo --phone"
"""How the demo is started so that phones reach its pages; it says so at its end."""


class DemoFailed(Faulty, code="demo_failed"):
    """The demo did not show what it promises."""


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


Parties = Mapping[str, Address]
Balances = Counter[Address]
"""Atomic units of each account; money that is minted has no source."""


async def read_balances(client: Client, token: Address) -> Balances:
    """Return every account's balance by a token's Transfer logs alone, so that it can contradict our own counters."""
    balances: Balances = Counter()
    for log in await client.logs(0, await client.block_number(), addresses=[token], topics=[Transfer.TOPIC]):
        moved = Transfer.decode(log)
        balances[moved.from_] -= moved.value
        balances[moved.to] += moved.value
    return balances


def count(outcome: Outcome, calls: Sequence[Call], gas: int) -> None:
    """Fill the outcome from the calls that were billed, and the gas of their settlement."""
    bills = [call.bill for call in calls if call.bill]
    outcome.calls = len(bills)
    outcome.input_tokens = sum(bill.usage.input_tokens for bill in bills)
    outcome.output_tokens = sum(bill.usage.output_tokens for bill in bills)
    outcome.charged = sum(bill.charge for bill in bills)
    outcome.gas_per_call = gas // max(1, len(bills))


async def account(
    outcome: Outcome, installation: Installation, payers: Parties, shares: Parties, before: Balances
) -> list[tuple[str, str, str, str]]:
    """Fill the outcome from what moved since `before`; return a row for each party: before, after, and the change."""
    owners = {who: devnet_signer(index, installation.chain_id).address for who, index in OWNERS.items()}
    after = await read_balances(installation.client, installation.get(Operator).token)
    moved = Counter(after)
    moved.subtract(before)
    refunded = sum(moved[payer] for payer in payers.values())
    outcome.claimed = -moved[SETTLEMENT] - refunded
    outcome.payouts = {who: moved[at] for who, at in owners.items()}
    outcome.protocol_fee = moved[FEE_SINK]
    outcome.settled = sum(outcome.payouts.values()) + outcome.protocol_fee + sum(moved[at] for at in shares.values())
    held = {who: amount for who, amount in after.items() if who != ZERO_ADDRESS}
    dollar = Erc20(installation.get(Operator).token, installation.client)
    outcome.conserved = (
        outcome.charged == outcome.claimed == outcome.settled
        and refunded == before[SETTLEMENT] - outcome.charged
        and after[SETTLEMENT] == 0
        and sum(held.values()) == -after[ZERO_ADDRESS]
        and held == {who: await dollar.balance_of(who) for who in held}
    )
    parties = {
        **payers,
        "deposits (escrow)": SETTLEMENT,
        "till": installation.get(Operator).till,
        **owners,
        "protocol fee": FEE_SINK,
        **{f"{name} (fractions of a unit)": at for name, at in shares.items()},
    }
    return [(who, dollars(before[at]), dollars(after[at]), dollars(moved[at])) for who, at in parties.items()]


CAPS = Caps(usual_output=256, largest_output=2_048)


@dataclass(frozen=True, slots=True)
class Offer:
    """One model on sale: its name here, who answers, and how its text is counted (no vocabulary: by bytes)."""

    name: str
    endpoint: Endpoint
    url: str
    model: str
    vocabulary: bytes | None
    counting: CountingRule


async def choose_service(progress: Progress, librarian: Mapping[str, Any]) -> tuple[Offer, Offer]:
    """Return the chat model and the embedding model to sell.

    What runs on this machine already is offered first; unattended, or refused, it is the built-in one.
    """
    url = str(librarian["url"])
    async with httpx.AsyncClient() as client:
        vocabulary = (await client.get(f"{url}/tokenizer")).content
    exact = CountingRule(per_message=0, per_request=0)
    chat, embedding = (str(librarian[name]) for name in ("chat_model", "embedding_model"))
    built_in = Offer(chat, Endpoint.CHAT, url, chat, vocabulary, exact)
    found = _wanted(progress, await find_local_servers())
    return found or built_in, Offer(embedding, Endpoint.EMBEDDINGS, url, embedding, vocabulary, exact)


def _wanted(progress: Progress, servers: tuple[LocalServer, ...]) -> Offer | None:
    for server in servers:
        model = server.models[0].id
        progress.say(f"{server.name} runs here too, at {server.url}, with {model}.")
        if progress.live and sys.stdin.isatty() and typer.confirm(f"   sell {model} in this demo?", default=True):
            return Offer(model, Endpoint.CHAT, server.url, model, None, CountingRule())
        progress.say(f"To sell it: usufruct sell --upstream {server.url} --model {model}")
    return None

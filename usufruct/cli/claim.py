"""`usufruct claim`: what was charged goes to the chain, and to the owners."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from usufruct.app import Installation, open_installation
from usufruct.chain import checksum
from usufruct.chain.contracts.till import Deferred, Paid
from usufruct.cli.printing import Json, print_facts, print_json, say
from usufruct.cli.running import run
from usufruct.config import load_config
from usufruct.core import Conflict
from usufruct.payments import Batch

app = typer.Typer(help="Claims: what was charged goes to the chain and to the owners.", no_args_is_help=True)

_NOTHING = "nothing is due; --everything claims what is charged but not due yet"


class ClaimedElsewhere(Conflict):
    """One process claims for a till at a time, and another one does."""

    code = "claimed_elsewhere"


@app.command("run")
def run_claim(
    everything: Annotated[bool, typer.Option("--everything", help="Claim all that is charged, due or not.")] = False,
    as_json: Json = False,
) -> None:
    """Claim what is due now, once, and show each transaction."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            claimer = installation.claimer
            if not await claimer.take():
                raise ClaimedElsewhere(
                    "another process claims for this till (a worker of `usufruct up`, say), so nothing was done; it "
                    "claims what is due by itself, above claims.threshold at once; for all the rest stop it first"
                )
            try:
                batches = await claimer.run(everything=everything)
            finally:
                await claimer.release()
            found = [await _facts(installation, batch) for batch in batches]
            _tell(found, "" if found else _NOTHING, installation, as_json=as_json)

    run(work)


async def _facts(installation: Installation, batch: Batch) -> dict[str, Any]:
    """Return what became of a batch; whom it paid and what it took are the chain's own words."""
    receipt = await installation.client.receipt(batch.hash) if batch.hash else None
    logs, till = receipt.logs if receipt else (), installation.operator.till
    return {
        "kind": batch.kind,
        "state": batch.state,
        "transaction": batch.hash,
        "channels": len(batch.members),
        "amount": str(sum(member.end - member.start for member in batch.members)),
        "paid": _amounts(Paid.among(logs, till)),
        "owed": _amounts(Deferred.among(logs, till)),
        "receipts": batch.count,
        "receipts_root": batch.root,
        "gas": receipt.gas_used if receipt else None,
    }


def _amounts(parts: Sequence[Paid] | Sequence[Deferred]) -> dict[str, str]:
    """Return what each payee got of a split; one may be payee and fee sink."""
    amounts: Counter[str] = Counter()
    for part in parts:
        amounts[checksum(part.pay_to)] += part.amount
    return {who: str(amount) for who, amount in amounts.items()}


def _tell(batches: list[dict[str, Any]], note: str, installation: Installation, *, as_json: bool) -> None:
    if as_json:
        print_json({"batches": batches, "note": note, "token": installation.operator.token})
        return
    if note:
        say(note)
    shown = installation.operator.shown
    for batch in batches:
        money = {how: {who: shown(int(amount)) for who, amount in batch[how].items()} for how in ("paid", "owed")}
        amount = f"{shown(int(batch['amount']))} {installation.operator.symbol}"
        print_facts(batch | money | {"amount": amount}, as_json=False)

"""`usufruct claim`: what was charged goes to the chain, and to the owners."""

from typing import Annotated, Any

import typer

from usufruct.app import Installation, open_installation
from usufruct.chain import checksum
from usufruct.chain.contracts.till import Deferred, Paid
from usufruct.cli.printing import Json, print_facts, print_json, say
from usufruct.cli.running import run
from usufruct.config import load_config
from usufruct.payments import Batch

app = typer.Typer(help="Claims: what was charged goes to the chain and to the owners.", no_args_is_help=True)

_BUSY = "another process claims for this till (a worker of `usufruct up`, say): it claims what is due by itself"
_NOTHING = "nothing is due; --everything claims what is charged but not due yet"


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
                _tell([], _BUSY, installation, as_json=as_json)
                return
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
    payees: dict[str, dict[str, str]] = {"paid": {}, "owed": {}}
    for log in receipt.logs if receipt else ():
        for how, event in (("paid", Paid), ("owed", Deferred)):
            if log.address == installation.operator.till and log.topics[:1] == (event.TOPIC,):
                part = event.decode(log)
                payees[how][checksum(part.pay_to)] = str(part.amount)
    return {
        "kind": batch.kind,
        "state": batch.state,
        "transaction": batch.hash,
        "channels": len(batch.members),
        "amount": str(sum(member.end - member.start for member in batch.members)),
        **payees,
        "receipts": batch.count,
        "receipts_root": batch.root,
        "gas": receipt.gas_used if receipt else None,
    }


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

"""Take what was charged to the chain and to the owners."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from typer import Option, Typer

from usufruct.app import Installation, open_installation
from usufruct.chain import Log
from usufruct.chain.contracts.access_pass import Earned
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import Capped, Deferred, Paid
from usufruct.cli.support.command import runs
from usufruct.cli.support.output import Json, print_facts, print_json, say
from usufruct.cli.support.progress import Progress
from usufruct.core import Conflict, checksum
from usufruct.gateway import Operator
from usufruct.payments.pricing import PassTerms
from usufruct.payments.settlement import Batch, Claimer, ClaimRequests

app = Typer()

_ANSWER_SECONDS = 120
_POLL_SECONDS = 0.2


@app.command("run")
@runs(open_installation)
async def run_claim(
    installation: Installation,
    everything: Annotated[bool, Option("--everything", help="Claim all that is charged, due or not.")] = False,
    wait: Annotated[int, Option(help="Seconds to wait for a worker that claims.", min=1)] = _ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Claim what is due now, once, and show each transaction. A running worker is asked to do it."""
    claimer = installation.get(Claimer)
    batches: Sequence[Batch]
    if await claimer.lease.hold():
        try:
            batches = await claimer.run(everything=everything)
        finally:
            await claimer.lease.release()
    else:
        with Progress(to_stderr=True).working("asking the worker that claims for this till"):
            batches = await _ask_worker(installation.get(ClaimRequests), everything, wait)
    _tell([await _facts(installation, batch) for batch in batches], installation.get(Operator), as_json=as_json)


async def _ask_worker(requests: ClaimRequests, everything: bool, seconds: int) -> Sequence[Batch]:
    """Leave a request in the database and wait until the process that claims has served it."""
    try:
        async with requests.ask(everything=everything) as request, asyncio.timeout(seconds):
            while (answer := await requests.answer_of(request)) is None:  # noqa: ASYNC110 - the database tells nothing
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise Conflict(
            f"another process claims for this till and has not answered in {seconds} s; "
            "see whether its worker is well with `usufruct doctor`, or ask again with a longer --wait",
            code="claimed_elsewhere",
        ) from None
    batches, error = answer
    if error:
        raise Conflict(f"the worker's claim failed: {error}", code="claim_failed")
    return batches


async def _facts(installation: Installation, batch: Batch) -> dict[str, Any]:
    """Return what became of a batch; whom it paid and what it took are the chain's own words."""
    hashes = await installation.get(Claimer).transactions(batch)
    receipts = [each for each in await installation.client.receipts(hashes) if each is not None]
    logs, till = [log for each in receipts for log in each.logs], installation.get(Operator).till
    return {
        "kind": batch.kind,
        "state": batch.state,
        "transaction": batch.hash,
        "channels": len(batch.members),
        "amount": str(sum(member.end - member.start for member in batch.members)),
        "paid": _amounts(Paid.among(logs, till)) | await _earned(installation, logs),
        "owed": _amounts([*Deferred.among(logs, till), *Capped.among(logs, till)]),
        "receipts": batch.receipts,
        "receipts_root": batch.root,
        "gas": sum(each.gas_used for each in receipts) or None,
    }


async def _earned(installation: Installation, logs: Sequence[Log]) -> dict[str, str]:
    """Return what the Shares got for burned pass credits, in the plan's token."""
    registry = AssetRegistry(installation.deployments.address(AssetRegistry), installation.client)
    earned = Earned.among(logs, installation.get(PassTerms).contract)
    return {checksum(await registry.shares_of(each.asset)): str(each.amount) for each in earned}


def _amounts(parts: Sequence[Paid | Deferred | Capped]) -> dict[str, str]:
    """Return what each payee got of a split, or is owed: what a token refused, and what is above a daily cap.

    One may be payee and fee sink.
    """
    amounts: Counter[str] = Counter()
    for part in parts:
        amounts[checksum(part.pay_to)] += part.amount
    return {who: str(amount) for who, amount in amounts.items()}


def _tell(batches: list[dict[str, Any]], operator: Operator, *, as_json: bool) -> None:
    note = "" if batches else "nothing is due; --everything claims what is charged but not due yet"
    if as_json:
        print_json({"batches": batches, "note": note, "token": operator.token})
        return
    if note:
        say(note)
    shown = operator.shown
    for batch in batches:
        money = {how: {who: shown(int(amount)) for who, amount in batch[how].items()} for how in ("paid", "owed")}
        amount = f"{shown(int(batch['amount']))} {operator.symbol}"
        print_facts(batch | money | {"amount": amount}, as_json=False)

"""Show what calls cost, and check receipts against the operator's key and the chain."""

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from usufruct.chain import TokenFacts, connect
from usufruct.chain.contracts.till import Anchored
from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayRefused, GatewayUrl, open_gateway
from usufruct.cli.support.local_store import (
    InvalidSavedFile,
    KeyFile,
    find_key,
    read_file,
    read_object,
    save_receipt,
    saved_receipt,
    saved_receipts,
    saved_token,
)
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.receipt_checks import Check, believe, check_charge, check_prices, check_signature, readings
from usufruct.cli.support.runner import run
from usufruct.config import Config, load_config
from usufruct.core import Address, Hash32, address, format_asset, format_units, hash32, moment
from usufruct.payments.pricing import Receipt, ReceiptDocument, read_receipt, receipt_digest
from usufruct.payments.settlement import proves
from usufruct.web import Members
from usufruct_client.lines import line_text, quantities_text

app = typer.Typer()


@app.command()
def show(call: str, key_file: KeyFile = None, gateway: GatewayUrl = "", as_json: Json = False) -> None:
    """Show a call's receipt: the one kept here, or the gateway's, which is then kept."""
    config = load_config()
    which = hash32(call, "call")

    async def work() -> None:
        found = saved_receipt(config, which)
        if found is None:
            async with open_gateway(gateway, config) as remote:
                headers = find_key(config, remote.url, key_file).headers
                answer = await remote.ask("GET", f"/v1/receipts/{which}", headers=headers)
            found = answer.get("receipt")
            if not isinstance(found, dict):
                raise GatewayMalformed("the gateway's answer holds no receipt; is it a gateway?")
            believe(found, call=which)
            save_receipt(config, which, found)
        receipt = read_receipt(found).receipt
        print_facts(found if as_json else _shown(found, receipt), as_json=as_json)

    run(work)


@app.command("list")
def list_receipts(as_json: Json = False) -> None:
    """List the receipts that are kept here, newest first."""
    config = load_config()
    kept = sorted(saved_receipts(config), key=lambda each: each.receipt.time, reverse=True)
    rows = [_row(document, saved_token(config, document.receipt.account)) for document in kept]
    columns = ("time", "call", "charged", "used")
    print_rows(rows, columns, "no receipt yet; `usufruct call` keeps one of each call", as_json=as_json)


@app.command()
def verify(
    receipt: Annotated[str, typer.Argument(help="A file with a receipt, or the call of one that is kept here.")],
    signer: Annotated[
        str, typer.Option(help="The operator's receipt key, if you know it; the gateway is not asked then.")
    ] = "",
    anchored: Annotated[bool, typer.Option("--anchored", help="Also prove that the chain holds it.")] = False,
    answer: Annotated[
        Path | None,
        typer.Option(help="A file with the answer, as it came or as `usufruct call` printed it."),
    ] = None,
    gateway: GatewayUrl = "",
    as_json: Json = False,
) -> None:
    """Check a receipt; exit code 1 if anything about it is bad."""
    config = load_config()
    expected = address(signer, "signer") if signer else None
    document = read_receipt(_content(receipt, config))

    async def work() -> list[Check]:
        checks = [check_signature(document), check_charge(document.receipt)]
        checks += [_signer(document, expected)] if expected else await _terms(document, gateway, config)
        checks.append(Check("chain", document.chain_id == config.chain.id, str(document.chain_id)))
        if answer:
            checks.append(_answer(document, answer))
        if anchored:
            checks.append(await _anchored(document, gateway, config))
        return checks

    checks = run(work)
    print_rows([check.row() for check in checks], ("check", "result", "found"), "", as_json=as_json)
    if not all(check.good for check in checks):
        raise typer.Exit(1)


def _content(receipt: str, config: Config) -> Mapping[str, Any]:
    """Return the receipt in a file, alone or as the member `receipt` of something larger, or the kept one of a call."""
    if not receipt.startswith("0x"):
        found = read_object(Path(receipt))
        inner = found.get("receipt")
        return inner if isinstance(inner, dict) else found
    kept = saved_receipt(config, hash32(receipt, "call"))
    if kept is None:
        raise InvalidSavedFile(
            f"no receipt of {receipt} is kept here; `usufruct receipt show` fetches it", call=receipt
        )
    return kept


def _signer(document: ReceiptDocument, expected: Address, earlier: Collection[Address] = ()) -> Check:
    if document.signer in earlier:
        return Check("signer", good=True, found=f"{document.signer}, an earlier key of the operator")
    said = document.signer if document.signer == expected else f"{document.signer}, the operator's is {expected}"
    return Check("signer", document.signer == expected, said)


def _answer(document: ReceiptDocument, path: Path) -> Check:
    signed = document.receipt.response_hash
    good = signed in readings(read_file(path))
    return Check("answer", good, f"{path} hashes to {signed}" if good else f"{path} does not hash to {signed}")


async def _terms(document: ReceiptDocument, gateway: str, config: Config) -> list[Check]:
    async with open_gateway(gateway, config) as remote:
        offer = await remote.offer(config)
        listed = Members(await remote.ask("GET", "/v1/models"), GatewayMalformed).objects("data")
    till = document.till if document.till == offer.till else f"{document.till}, the operator's is {offer.till}"
    signer = _signer(document, offer.receipts, offer.earlier_receipts)
    ours = [signer, Check("till", document.till == offer.till, till)]
    return ours + check_prices(document.receipt, (Members(each, GatewayMalformed) for each in listed))


async def _anchored(document: ReceiptDocument, gateway: str, config: Config) -> Check:
    """Follow the gateway's proof from our own digest to the root, and look for that root in the till's own event."""
    try:
        async with open_gateway(gateway, config) as remote:
            answer = Members(await remote.ask("GET", f"/v1/proofs/{document.receipt.call}"), GatewayMalformed)
    except GatewayRefused as refusal:
        return Check("anchored", good=False, found=refusal.message)
    root, transaction = answer.hash32("root"), answer.hash32("transaction")
    siblings = [bytes.fromhex(hash32(each, "proof")[2:]) for each in answer.texts("proof")]
    digest = receipt_digest(document.receipt, document.chain_id, document.till)
    if not proves(digest, siblings, bytes.fromhex(root[2:])):
        return Check("anchored", good=False, found=f"the proof does not lead from this receipt to {root}")
    roots = await _roots(document.till, transaction, config)
    said = f"in {transaction}" if root in roots else f"{transaction} does not anchor {root} at the till {document.till}"
    return Check("anchored", root in roots, said)


async def _roots(till: Address, transaction: Hash32, config: Config) -> list[str]:
    """Return the roots that a transaction anchored at a till."""
    async with AsyncExitStack() as stack:
        mined = await (await connect(config, stack)).receipt(transaction)
    return ["0x" + each.receipts_root.hex() for each in Anchored.among(mined.logs if mined else (), till)]


def _row(document: ReceiptDocument, token: TokenFacts | None) -> dict[str, object]:
    """Return a receipt as a line; its charge is in whole units of a token that was agreed for the channel."""
    receipt = document.receipt
    agreed = token if token and token.address == receipt.token else None
    return {
        "time": moment(receipt.time),
        "call": receipt.call,
        "account": receipt.account,
        "charged": f"{format_units(receipt.amount, agreed.decimals)} {agreed.symbol}"
        if agreed
        else f"{receipt.amount} atomic units of {receipt.token}",
        "used": quantities_text(receipt.lines),
    }


def _shown(found: Mapping[str, Any], receipt: Receipt) -> dict[str, object]:
    lines = "; ".join(map(line_text, receipt.lines))
    return {**found, "lines": lines, "asset": format_asset(receipt.asset), "time": moment(receipt.time)}

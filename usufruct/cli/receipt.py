"""Show what calls cost, and check receipts against the operator's key and the chain."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option, Typer

from usufruct.chain.contracts.till import Anchored
from usufruct.cli.support import local_store, receipt_checks, x402_checks
from usufruct.cli.support.command import ADDRESS, Facts, Rows, ask_node, runs
from usufruct.cli.support.gateway_client import GatewayUrl, open_gateway, terms_of
from usufruct.cli.support.local_store import InvalidSavedFile, KeyFile
from usufruct.cli.support.output import Json
from usufruct.cli.support.receipt_checks import Check, ReceiptUnit, ReceiptUnits
from usufruct.config import Config
from usufruct.core import Address, AssetId, Hash32, Invalid, format_asset, hash32, moment
from usufruct_client import GatewayRefused, Receipt, proves, read_receipt
from usufruct_client.bill_lines import line_text, quantities_text

app = Typer()


@app.command()
@runs()
def show(config: Config, call: str, key_file: KeyFile = None, gateway: GatewayUrl = "", as_json: Json = False) -> Facts:
    """Show a call's receipt: the one kept here, or the gateway's, which is then kept."""
    which = hash32(call, "call")
    found = local_store.saved_receipt(config, which)
    if found is None:
        with open_gateway(gateway, config) as remote:
            found = dict(remote.receipt(which, local_store.find_keys(config, remote.url, key_file)[0].key))
        checked = receipt_checks.check_call(found, which)
        local_store.save_receipt(config, checked)
        found = checked.as_json()
    receipt = read_receipt(found)
    if as_json:
        return found
    unit = ReceiptUnits(config).of(receipt)
    lines = "; ".join(line_text(line, unit.shown) for line in receipt.lines)
    money = {name: unit.words(getattr(receipt, name)) for name in ("ceiling", "amount", "cumulative")}
    return found | money | {"lines": lines, "asset": format_asset(AssetId(receipt.asset)), "time": moment(receipt.time)}


@app.command("list")
@runs()
def list_receipts(config: Config) -> Rows:
    """List the receipts that are kept here, newest first."""
    kept = sorted(local_store.saved_receipts(config), key=lambda each: each.time, reverse=True)
    units = ReceiptUnits(config)
    rows = [_row(receipt, units.of(receipt)) for receipt in kept]
    columns = ("time", "call", "charged", "used")
    return Rows(rows, columns, "no receipt yet; `usufruct call` keeps one of each call")


@app.command()
@runs()
def verify(
    config: Config,
    receipt: Annotated[str, Argument(help="A file with a receipt, or the call of one that is kept here.")],
    signer: Annotated[
        Address | None, Option(**ADDRESS, help="The operator's receipt key, instead of asking for it.")
    ] = None,
    anchored: Annotated[bool, Option("--anchored", help="Also prove that the chain holds it.")] = False,
    answer: Annotated[Path | None, Option(help="File with the answer, as it came or was printed.")] = None,
    gateway: GatewayUrl = "",
) -> Rows:
    """Check a receipt, or a signed offer or receipt of x402; exit code 1 if anything about it is bad."""
    content = _content(receipt, config)
    if by_x402 := x402_checks.find_signed(content):
        if anchored or answer:
            raise Invalid(
                "--anchored and --answer are for the gateway's own receipts, and this is x402's; leave them out"
            )
        return _verified_x402(by_x402, signer, gateway, config)
    signed = read_receipt(_inner(content))
    unit = ReceiptUnits(config).of(signed)
    checks = [receipt_checks.check_signature(signed), receipt_checks.check_charge(signed, unit)]
    checks += [_signer(signed.signer, signer)] if signer else _terms(signed, gateway, config)
    checks.append(Check("chain", signed.chain_id == config.chain.id, str(signed.chain_id)))
    if answer:
        good = signed.response_hash in receipt_checks.readings(local_store.read_file(answer))
        found = f"{answer} {'hashes' if good else 'does not hash'} to {signed.response_hash}"
        checks.append(Check("answer", good, found))
    if anchored:
        checks.append(_anchored(signed, gateway, config))
    failed = not all(check.good for check in checks)
    return Rows([check.row() for check in checks], ("check", "result", "found"), failed=failed)


def _content(receipt: str, config: Config) -> Mapping[str, Any]:
    """Return what a file holds, or the kept receipt of a call."""
    if not receipt.startswith("0x"):
        return local_store.read_object(Path(receipt))
    kept = local_store.saved_receipt(config, hash32(receipt, "call"))
    if kept is None:
        raise InvalidSavedFile(f"no receipt of {receipt} is kept here; `usufruct receipt show` fetches it")
    return kept


def _inner(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a receipt, alone or as the member `receipt` of something larger."""
    inner = content.get("receipt")
    return inner if isinstance(inner, dict) else content


def _verified_x402(signed: x402_checks.Signed, signer: Address | None, gateway: str, config: Config) -> Rows:
    checks, found = x402_checks.content_checks(signed, config.chain.id), signed.signed_by() or "no key"
    if signer:
        checks.append(_signer(found, signer))
    else:
        with open_gateway(gateway, config) as remote:
            terms = terms_of(remote, config)
        checks.append(_signer(found, terms.receipt_signer, terms.earlier_receipt_signers))
    failed = not all(check.good for check in checks)
    return Rows([check.row() for check in checks], ("check", "result", "found"), failed=failed)


def _signer(found: str, expected: str, earlier: Collection[str] = ()) -> Check:
    if found in earlier:
        return Check("signer", good=True, found=f"{found}, an earlier key of the operator")
    return _same("signer", found, expected)


def _same(what: str, found: str, expected: str) -> Check:
    good = found == expected
    return Check(what, good, found if good else f"{found}, the operator's is {expected}")


def _terms(receipt: Receipt, gateway: str, config: Config) -> list[Check]:
    with open_gateway(gateway, config) as remote:
        terms, services = terms_of(remote, config), remote.services()
    signer = _signer(receipt.signer, terms.receipt_signer, terms.earlier_receipt_signers)
    return [signer, _same("till", receipt.till, terms.till), *receipt_checks.check_prices(receipt, services)]


def _anchored(receipt: Receipt, gateway: str, config: Config) -> Check:
    """Follow the gateway's proof from our own digest to the root, and look for that root in the till's own event."""
    try:
        with open_gateway(gateway, config) as remote:
            proof = remote.anchor_proof(receipt.call)
    except GatewayRefused as refused:
        return Check("anchored", good=False, found=refused.message)
    if not proves(proof, receipt.digest()):
        return Check("anchored", good=False, found=f"the proof does not lead from this receipt to {proof.root}")
    mined = ask_node(config, lambda node: node.receipt(Hash32(proof.transaction)))
    anchors = Anchored.among(mined.logs if mined else (), Address(receipt.till))
    good = proof.root in ["0x" + each.receipts_root.hex() for each in anchors]
    where = f"{proof.transaction} does not anchor {proof.root} at the till {receipt.till}"
    return Check("anchored", good, f"in {proof.transaction}" if good else where)


def _row(receipt: Receipt, unit: ReceiptUnit) -> dict[str, object]:
    return {
        "time": moment(receipt.time),
        "call": receipt.call,
        "account": receipt.account,
        "charged": unit.words(receipt.amount),
        "used": quantities_text(receipt.lines),
    }

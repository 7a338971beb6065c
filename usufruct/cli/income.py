"""`usufruct income`: what was earned, and where that money is."""

from collections.abc import Mapping
from typing import Any

from usufruct.app import Installation, open_installation
from usufruct.assets import Holding, SharesIncome
from usufruct.cli.support.command import runs
from usufruct.cli.support.output import Json, print_json
from usufruct.cli.support.progress import Progress
from usufruct.core import checksum, format_asset, moment
from usufruct.gateway import Income, Operator, read_income
from usufruct.payments.settlement import ClaimPolicy

_OF_SHARES = ("received", "unaccrued", "protocol_fee", "royalties", "collected", "collectable")


@runs(open_installation)
async def income(installation: Installation, as_json: Json = False) -> None:
    """Show what each service earned: not claimed yet, paid on, owed by the till, collected by each owner.

    With --json, amounts are in atomic units.
    """
    found, operator = await read_income(installation.context), installation.get(Operator)
    if as_json:
        token = {"token": checksum(operator.token), "symbol": operator.symbol, "decimals": operator.decimals}
        print_json(token | _document(found))
    else:
        _show(found, operator, installation.config.claims.threshold)


def _document(income: Income) -> dict[str, Any]:
    return {
        "earned": str(income.unclaimed + income.paid),
        "unclaimed": str(income.unclaimed),
        "paid": str(income.paid),
        "deferred": str(income.deferred),
        "protocol_fee": str(income.protocol_fee),
        "oldest_unclaimed_at": income.oldest_unclaimed_at,
        "services": [
            {
                "name": each.name,
                "asset": None if each.earned.asset is None else format_asset(each.earned.asset),
                "pay_to": each.pay_to and checksum(each.pay_to),
                "earned": str(each.earned.total),
                "unclaimed": str(each.earned.unclaimed),
                "paid": str(each.earned.paid),
            }
            for each in income.services
        ],
        "payees": [
            {
                "pay_to": checksum(each.pay_to),
                "services": each.services,
                "deferred": str(each.deferred),
                "shares": each.shares and _shares_document(each.shares),
            }
            for each in income.payees
        ],
    }


def _shares_document(shares: SharesIncome) -> Mapping[str, object]:
    owners = [
        {
            "owner": checksum(each.owner),
            "percent": Holding(each.owner, each.shares).percent,
            "collected": str(each.collected),
            "collectable": str(each.collectable),
        }
        for each in shares.owners
    ]
    return {name: str(getattr(shares, name)) for name in _OF_SHARES} | {"owners": owners}


def _show(income: Income, operator: Operator, threshold: str) -> None:
    progress, shown, symbol = Progress(to_stderr=False), operator.shown, operator.symbol
    if not income.services:
        progress.say("nothing is sold yet; `usufruct sell` changes that")
        return
    rows = [
        (each.name or "(not known any more)", each.earned.total, each.earned.unclaimed, each.earned.paid)
        for each in income.services
    ]
    if len(rows) > 1:
        rows.append(("all", income.unclaimed + income.paid, income.unclaimed, income.paid))
    headings = ("service", "earned", "not claimed yet", "paid")
    progress.table(f"Income in {symbol}", headings, [(name, *map(shown, amounts)) for name, *amounts in rows])
    for payee in income.payees:
        names = ", ".join(payee.services)
        if payee.shares:
            _show_shares(progress, names, payee.shares, operator)
        else:
            progress.say(f"The income of {names} goes to {checksum(payee.pay_to)}.")
        if payee.deferred:
            progress.say(
                f"{shown(payee.deferred)} {symbol} of it wait at the till, over a daily cap or refused by the token: a "
                "worker pays them later."
            )
    if income.oldest_unclaimed_at is not None:
        hours = operator.withdraw_delay // ClaimPolicy().delay_parts // 3_600
        progress.say(
            f"The oldest call that is not claimed is of {moment(income.oldest_unclaimed_at)}. A worker claims from a "
            f"caller who owes {threshold} {symbol}, or whose oldest call waits for {hours} hours (API keys; others by "
            "their withdraw delay). At once: `usufruct claim run --everything`"
        )


def _show_shares(progress: Progress, names: str, shares: SharesIncome, operator: Operator) -> None:
    shown = operator.shown
    rows = [
        (
            checksum(each.owner),
            f"{Holding(each.owner, each.shares).percent} %",
            *map(shown, (each.collected, each.collectable)),
        )
        for each in shares.owners
    ]
    progress.table(f"Owners of {names}", ("owner", "shares", "collected", "to collect"), rows)
    progress.say(
        f"Their shares received {shown(shares.received)} {operator.symbol}: {shown(shares.protocol_fee)} is the "
        f"protocol's fee, {shown(shares.royalties)} are royalties."
    )

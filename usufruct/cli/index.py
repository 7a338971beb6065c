"""Backtest, compare and explain rule-based indices; follow a position, and list its orders."""

from bisect import bisect_right
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.index_orders import list_orders, list_weights
from usufruct.cli.support.index_prices import From, Synthetic, To, read_prices
from usufruct.cli.support.index_records import verified
from usufruct.cli.support.output import Json, say
from usufruct.cli.support.price_archive import ArchiveOption, parse_day
from usufruct.config import Config
from usufruct.core import Invalid
from usufruct.core.files import replace_file
from usufruct.indices import (
    NO_ADVICE,
    WHIPSAW_DAYS,
    Rebalance,
    Report,
    compare_document,
    history_of,
    load_rulebook,
    make_report,
    open_position,
    percent,
    rebalances,
    record_bytes,
    report_bytes,
    report_page,
    run_index,
    shipped,
    shipped_text,
    tax_lots_csv,
)
from usufruct.indices.publication import index_folder, read_indices

app = Typer()

Index = Annotated[str, Argument(metavar="INDEX", help="A shipped index, such as global-100, or a .toml file.")]
_MOST_ROWS = 40


@app.command("list")
@runs()
def list_(config: Config) -> Rows:
    """List the shipped indices.

    Example: usufruct index list
    """
    books = [load_rulebook(each) for each in shipped()]
    rows = [{"index": each.name, "description": each.description, "hash": each.hash[:12]} for each in books]
    return Rows(rows, ("index", "description", "hash"))


@app.command()
@runs()
def show(config: Config, index: Index, as_json: Json = False) -> Facts:
    """Show an index's rules with all defaults, and their hash.

    Example: usufruct index show global-100
    """
    rulebook = load_rulebook(index)
    facts = {"hash": rulebook.hash, **rulebook.model_dump(mode="json")}
    if not as_json and index in shipped():
        return {"hash": rulebook.hash, "rules": "\n\n" + shipped_text(index)}
    return facts


@app.command()
@runs()
def backtest(
    config: Config,
    index: Index,
    from_: From = None,
    to: To = None,
    out: Annotated[Path | None, Option(metavar="FOLDER", help="Write report.html, report.json, record.json.")] = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
    as_json: Json = False,
) -> Facts:
    """Compute an index over past prices: gains, losses, costs, and both bounds of what delistings cost.

    Example: usufruct index backtest global-100 --from 2020-01-01 --out report
    """
    panel = read_prices(config, archive, synthetic=synthetic)
    report = make_report(load_rulebook(index), panel, parse_day(from_, "--from"), parse_day(to, "--to"))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        replace_file(out / "report.html", report_page(report).encode())
        replace_file(out / "report.json", report_bytes(report))
        replace_file(out / "record.json", record_bytes(report.backtest))
    return report.as_document() if as_json else _summary(report, out)


@app.command()
@runs()
def compare(
    config: Config,
    indices: Annotated[list[str], Argument(metavar="INDEX...", help="Two or more indices.")],
    from_: From = None,
    to: To = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
    as_json: Json = False,
) -> Rows:
    """Compare indices over the same days, after costs.

    Example: usufruct index compare global-100 top-100 top-10 --from 2020-01-01
    """
    panel = read_prices(config, archive, synthetic=synthetic)
    first, last = parse_day(from_, "--from"), parse_day(to, "--to")
    rows = compare_document([make_report(load_rulebook(each), panel, first, last) for each in indices])
    if not as_json:
        say(NO_ADVICE)
        rows = [
            {name: value if name == "index" else _figure(name, value) for name, value in row.items()} for row in rows
        ]
    return Rows(rows, tuple(rows[0]))


@app.command()
@runs()
def explain(
    config: Config,
    index: Index,
    day: Annotated[str, Argument(metavar="YYYY-MM-DD", help="The last rebalance up to this day is explained.")],
    from_: From = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
    as_json: Json = False,
) -> Facts:
    """Say why an index held what it held on a day: the decision, its inputs, every trade and its reason.

    Example: usufruct index explain global-100 2022-06-15
    """
    wanted = parse_day(day, "DATE")
    panel = read_prices(config, archive, synthetic=synthetic)
    found = run_index(load_rulebook(index), panel, parse_day(from_, "--from"), wanted)
    log = rebalances(found)
    at = bisect_right([each.traded for each in log], wanted or found.last_day) - 1
    return _explained(log[at], as_json=as_json)


@app.command()
@runs()
def position(
    config: Config,
    index: Index,
    amount: Annotated[float, Option(help="What was put in, in the prices' currency.")],
    since: Annotated[str, Option(metavar="YYYY-MM-DD", help="The day at whose close it was put in.")],
    from_: From = None,
    to: To = None,
    position_size: Annotated[
        float | None, Option(min=0, max=1, help="The part of the money that is invested; the rest is cash.")
    ] = None,
    stop_loss: Annotated[
        float | None, Option(min=0, max=1, help="Sell everything at this loss from the highest value; 0.2 is 20 %.")
    ] = None,
    re_entry_days: Annotated[int | None, Option(min=1, max=3650, help="Buy again so many days after a stop.")] = None,
    core: Annotated[
        str | None, Option(metavar="ASSET=SHARE", help="Hold an asset beside the index, such as bitcoin=0.6.")
    ] = None,
    lots: Annotated[Path | None, Option(metavar="FILE.csv", help="Write the tax lots, first in first out.")] = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
) -> Facts:
    """Follow an amount in an index: value, profit, drift from the targets, next rebalance, tax lots.

    Without options about risk, those of the rulebook's overlay hold.

    Example: usufruct index position top-10 --amount 1000 --since 2022-01-03 --core bitcoin=0.5 --lots lots.csv
    """
    panel = read_prices(config, archive, synthetic=synthetic)
    found = run_index(load_rulebook(index), panel, parse_day(from_, "--from"), parse_day(to, "--to"))
    pair = None if core is None else _pair(core, "--core", "ASSET=SHARE, such as bitcoin=0.6", "invalid_overlay")
    given = {"position_size": position_size, "stop_loss": stop_loss, "re_entry_days": re_entry_days, "core": pair}
    overlay = found.rulebook.overlay.changed(**{name: value for name, value in given.items() if value is not None})
    held = open_position(history_of(found), amount, parse_day(since, "--since"), overlay)
    every = held.lots()
    if lots is not None:
        replace_file(lots, tax_lots_csv(every).encode())
    return {
        "opened": str(held.opened),
        "day": str(held.history.last_day),
        "invested": round(held.invested, 2),
        "value": round(held.value, 2),
        "cash": round(held.cash, 2),
        "profit": round(held.profit, 2),
        "realised_gains": round(sum(each.gain for each in every if each.sold), 2),
        "open_gains": round(sum(each.gain for each in every if not each.sold), 2),
        "costs": round(held.costs, 2),
        "drift": round(held.drift, 6),
        "stops": [str(each) for each in held.stops],
        "next_decision": held.next_decision and str(held.next_decision),
        "lots": len(every),
        "synthetic": panel.synthetic,
        "notice": NO_ADVICE,
    }


@app.command()
@runs()
def orders(
    config: Config,
    index: Index,
    value: Annotated[float, Option(help="What is to be invested, in the quote currency.")] = 1_000.0,
    held: Annotated[list[str] | None, Option(metavar="ASSET=UNITS", help="What is held already; repeat.")] = None,
    quote: Annotated[str, Option(help="What the exchange's prices are in.")] = "USDT",
    smallest: Annotated[float, Option(min=0, help="Leave out smaller orders.")] = 10.0,
    table: Annotated[
        Path | None, Option(metavar="FILE.csv", help="Which asset each symbol of the exchange is; with --venue.")
    ] = None,
    venue: Annotated[str, Option(metavar="EXCHANGE", help="The exchange's name in the table.")] = "",
    vault: Annotated[
        bool, Option("--vault", help="Weights of a vault in bps, cash included, instead of orders.")
    ] = False,
    from_: From = None,
    to: To = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
    as_json: Json = False,
) -> Facts | Rows:
    """List the orders that bring a holding to an index's targets, named as in ccxt; or a vault's weights.

    Nothing is sent anywhere. What stays in the quote currency, and what cannot be ordered, is named.

    Example: usufruct index orders top-10 --value 5000 --held bitcoin=0.01 --table symbols.csv --venue kraken
    """
    panel = read_prices(config, archive, synthetic=synthetic)
    found = run_index(load_rulebook(index), panel, parse_day(from_, "--from"), parse_day(to, "--to"))
    if vault:
        return list_weights(found)
    listed = list_orders(found, _units(held or []), value, quote=quote, smallest=smallest, table=table, venue=venue)
    return listed.as_document() if as_json else listed.as_rows()


@app.command()
@runs()
def restatements(
    config: Config,
    index: Annotated[str, Argument(metavar="INDEX", help="A published index: its name or number.")],
    as_json: Json = False,
) -> Rows:
    """List the days of a published index that were corrected: old and new values, and which prices are the reason.

    Example: usufruct index restatements top-10
    """
    published = read_indices(index_folder(config)).find(index)
    rows = [{name.lower(): value for name, value in row.items()} for row in published.restated_days()]
    if not as_json:
        for version, reason in {row["version"]: row["reason"] for row in rows}.items():
            say(f"Version {version}: {reason}.")
        rows = [row | {each: f"{row[each]:.2f}" for each in ("value_before", "value")} for row in rows]
    return Rows(rows, ("date", "version", "restated", "value_before", "value"), "no published value was corrected")


@app.command()
@runs()
def verify(
    config: Config,
    records: Annotated[list[Path], Argument(metavar="RECORD.json...", help="Of a backtest, or of a server.")],
    as_of: Annotated[
        str | None, Option(metavar="YYYY-MM-DD", help="Read the prices that were known on this day.")
    ] = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
) -> Rows:
    """Compute indices again from the rules and days in their records; ends with 1 if a value differs.

    Example: usufruct index verify report/record.json
    """
    panel = read_prices(config, archive, synthetic=synthetic, as_of=parse_day(as_of, "--as-of"))
    rows = [verified(each, panel) for each in records]
    return Rows(rows, failed=not all(row["equal"] for row in rows))


def _pair(text: str, option: str, form: str, code: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise Invalid(f"{option} must be {form}, not {text!r}", code=code) from None


def _units(held: list[str]) -> dict[str, float]:
    return dict(_pair(each, "--held", "ASSET=UNITS, such as bitcoin=0.5", "invalid_holding") for each in held)


def _summary(report: Report, out: Path | None) -> Facts:
    found, net = report.backtest, report.net
    facts = {
        "index": f"{found.rulebook.title} ({found.rulebook.name}, rules {found.rulebook.hash[:12]})",
        "prices": "\n".join((found.data.panel.source, *found.data.panel.attribution)),
        "days": f"{found.first_day} to {found.last_day}",
        "total_return": f"{percent(net.total_return)} after costs, {percent(report.gross.total_return)} before",
        "all_eligible_held": percent(report.market.total_return),
        "a_year": percent(net.annual_return),
        "volatility": percent(net.annual_volatility).lstrip("+"),
        "sharpe": f"{net.sharpe:.2f}",
        "largest_fall": _fall(report),
        "if_delisted_at_0": percent(report.bounds["zero"]),
        "if_at_last_price": percent(report.bounds["last"]),
        "rebalances": f"{len(report.log)}, turnover {found.traded.sum() / 2 / report.years:.1f} times the value a year",
        "lost_most": ", ".join(f"{each.asset} {percent(each.part)}" for each in report.worst) or "no asset",
        "notice": NO_ADVICE,
    }
    if (switching := report.switching) is not None:
        facts["regime"] = f"{report.switches} changes, {int((~found.signals.bullish).sum())} days bearish"
        facts["cost_of_switches"] = (
            f"{switching.cost:.2%} of the value, {switching.turnover:.1f} times it traded; "
            f"{switching.whipsaws} undone within {WHIPSAW_DAYS} days, which cost {switching.whipsaw_cost:.2%}"
        )
        if (without := switching.without) is not None:
            facts["without_switching"] = (
                f"{percent(without.total_return)} after costs, largest fall {percent(without.max_drawdown)}"
            )
    return facts if out is None else facts | {"written": f"{out}/report.html, report.json, record.json"}


def _fall(report: Report) -> str:
    if not report.falls:
        return "none"
    worst = report.falls[0]
    return f"{percent(worst.loss)}, from {worst.peak} to {worst.lowest}"


def _figure(name: str, value: float) -> str:
    return f"{value:.2f}" if name in ("sharpe", "turnover_a_year") else percent(value)


def _explained(event: Rebalance, *, as_json: bool) -> Facts:
    facts: dict[str, object] = {
        "decided": str(event.decided),
        "traded": str(event.traded),
        "cause": event.cause,
        "regime": event.regime,
        "input_hash": event.input_hash,
        "eligible": event.eligible,
        "turnover": event.turnover if as_json else f"{event.turnover:.2%}",
        "cost": event.cost if as_json else f"{event.cost:.4%}",
        "divisor": event.divisor,
        "notes": list(event.notes),
    }
    moves = [{"asset": each.asset, "before": each.before, "after": each.after, "why": each.why} for each in event.moves]
    holdings = [{"asset": e.asset, "weight": e.weight, "index_shares": e.index_shares} for e in event.holdings]
    if as_json:
        return facts | {"moves": moves, "holdings": holdings}
    ranked = sorted(event.moves, key=lambda each: -abs(each.after - each.before))
    lines = [f"{each.asset}: {each.before:.2%} to {each.after:.2%}, {each.why}" for each in ranked[:_MOST_ROWS]]
    return facts | {"holdings": len(holdings), "moves": "\n" + "\n".join(lines)}

"""Simulate a token economy: what stakers earn, and how scores spread."""

from pathlib import Path
from typing import Annotated

from rich.progress import Progress as Bars
from typer import Argument, Option, Typer

from usufruct.cli.support.command import Facts, runs
from usufruct.cli.support.output import Json
from usufruct.cli.support.progress import Progress
from usufruct.config import Config
from usufruct.core import Invalid
from usufruct.core.files import replace_file
from usufruct.staking.simulation import Assumptions, Report, draw_pictures, simulate

app = Typer()

_STANDARD = Assumptions()


@app.callback()
def group() -> None:
    """Simulate a token economy: what stakers earn, and how scores spread."""


@app.command("simulate")
@runs()
def simulate_command(
    config: Config,
    settings: Annotated[
        list[str] | None, Argument(metavar="[NAME=VALUE]...", help="Other assumptions, such as usage=500000.")
    ] = None,
    weeks: Annotated[int, Option(help="How many weeks.")] = _STANDARD.weeks,
    actors: Annotated[int, Option(help="How many accounts the airdrop pays.")] = _STANDARD.actors,
    seed: Annotated[int, Option(help="Of all chance: the same seed gives the same result.")] = _STANDARD.seed,
    out: Annotated[Path | None, Option(metavar="FOLDER", help="Write report.json and the pictures here.")] = None,
    as_json: Json = False,
) -> Facts:
    """Run a platform token's economy: an airdrop, locks, revenue, claims, early exits.

    Its accounting is VoteEscrow's, to the unit; what people do is chance. docs/guides/economy.md has every assumption.

    Example: usufruct economy simulate --out report exit_penalty_bps=5000 reinvest_percent=60
    """
    assumptions = _read(settings or [], weeks=weeks, actors=actors, seed=seed)
    report = _run(assumptions, Progress(to_stderr=as_json))
    if out is not None:
        _write(report, out)
    return report.as_document() if as_json else _summary(report, out)


def _read(settings: list[str], **given: int) -> Assumptions:
    values: dict[str, int | float] = dict(given)
    known = _STANDARD.as_document()
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known:
            raise Invalid(f"{name!r} is not an assumption; there are {', '.join(known)}", code="invalid_assumption")
        try:
            values[name] = type(known[name])(text.replace("_", ""))
        except ValueError:
            kind = "whole number" if isinstance(known[name], int) else "number"
            raise Invalid(f"{name} must be a {kind}, not {text!r}", code="invalid_assumption", field=name) from None
    return Assumptions(**values)  # type: ignore[arg-type]


def _run(assumptions: Assumptions, shown: Progress) -> Report:
    with Bars(console=shown.console, transient=True, disable=not shown.live) as bars:
        task = bars.add_task("weeks", total=assumptions.weeks)
        return simulate(assumptions, lambda week: bars.update(task, completed=week))


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "report.json", report.as_json())
    for name, text in draw_pictures(report).items():
        replace_file(folder / name, text.encode())


def _summary(report: Report, folder: Path | None) -> Facts:
    last = report.weeks[-1]
    yearly = sum(row.revenue_per_1000_locked for row in report.weeks[-52:])
    facts = {
        "weeks": last.week,
        "actors": f"{report.assumptions.actors:,}",
        "stakers": f"{last.stakers:,}",
        "locked": f"{last.locked:,.0f} of {last.outstanding:,.0f} tokens outside the reserves",
        "total_score": f"{last.total_score:,.0f}",
        "median_score": f"{report.scores.median:,.0f}",
        "largest_1_percent_have": f"{report.scores.largest_1_percent_share:.1%} of all scores",
        "revenue_last_week": f"{last.revenue:,.2f}",
        "revenue_of_1,000_locked": f"{yearly:.2f} in the last {min(52, last.week)} weeks",
        "conserved": "yes, to the unit" if report.conserved else "no",
    }
    return facts if folder is None else facts | {"written": f"{folder}/report.json and pictures"}

"""Show the market briefings and guides that the worker wrote."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from typer import Argument, Typer

from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.output import Json
from usufruct.config import Config
from usufruct.core import Clock, moment
from usufruct.indices.bulletins import PACKAGE, BulletinStore, KeptBulletins, briefing_sentences
from usufruct.store import ensure_current, open_database
from usufruct.web.ui import load_languages

app = Typer()

_MOST_LISTED = 30


@asynccontextmanager
async def _open_kept(config: Config) -> AsyncIterator[KeptBulletins]:
    database = open_database(config.database.url)
    try:
        await ensure_current(database)
        yield KeptBulletins(BulletinStore(database), Clock())
    finally:
        await database.close()


@app.command()
@runs(_open_kept)
async def show(
    kept: KeptBulletins,
    day: Annotated[str, Argument(metavar="[YYYY-MM-DD]", help="By default the newest.")] = "",
    as_json: Json = False,
) -> Facts:
    """Show the briefing of a day: the market, movers, grades, signals, news, and what is not known.

    Example: usufruct briefing show 2026-01-31 --json
    """
    found = await kept.briefing(day) if day else await kept.newest_briefing()
    if as_json:
        return found.as_json()
    english = load_languages([PACKAGE])["en"]
    return {
        "day": found.briefing.day,
        "written": moment(found.written_at),
        "inputs": found.briefing.input_hash,
        "briefing": "\n\n" + "\n".join(briefing_sentences(found.briefing, english)),
    }


@app.command("list")
@runs(_open_kept)
async def list_(kept: KeptBulletins) -> Rows:
    """List the newest briefings.

    Example: usufruct briefing list
    """
    rows = [
        {"day": each.briefing.day, "written": moment(each.written_at), "inputs": each.briefing.input_hash}
        for each in await kept.newest_briefings(_MOST_LISTED)
    ]
    return Rows(rows, ("day", "written", "inputs"), "no briefing is written yet; run `usufruct worker`")


@app.command()
@runs(_open_kept)
async def guide(
    kept: KeptBulletins,
    month: Annotated[str, Argument(metavar="[YYYY-MM]", help="By default the newest.")] = "",
    as_json: Json = False,
) -> Facts | Rows:
    """Show the guide to the index Top 10 of a month: its assets, ranks, weights, grades and risks.

    Example: usufruct briefing guide 2026-01
    """
    found = await kept.guide(month)
    if as_json:
        return found.as_json()
    rows = [
        {
            "asset": each.symbol,
            "rank": each.rank,
            "weight": f"{each.weight:.1%}",
            "before": f"{each.weight_before:.1%}",
            "grade": each.grades.overall,
            "volatility": None if each.volatility is None else f"{each.volatility:.0%}",
            "deepest_fall": None if each.max_drawdown is None else f"{each.max_drawdown:.0%}",
            "reason": each.reason,
        }
        for each in found.guide.assets
    ]
    return Rows(rows, ("asset", "rank", "weight", "before", "grade", "volatility", "deepest_fall", "reason"))

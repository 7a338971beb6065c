"""The prices that an index command reads: the archive, or the simulated market where there is none."""

from datetime import date
from pathlib import Path
from typing import Annotated

from typer import Option

from usufruct.cli.support.output import say
from usufruct.cli.support.price_archive import archive_of, filled_archive_of
from usufruct.config import Config
from usufruct.connectors.prices import Panel, SyntheticMarket, synthesize

Synthetic = Annotated[bool, Option("--synthetic", help="Simulated prices, also where there is an archive.")]
From = Annotated[str | None, Option("--from", metavar="YYYY-MM-DD", help="The first day; by default the data's.")]
To = Annotated[str | None, Option("--to", metavar="YYYY-MM-DD", help="The last day; by default the data's.")]


def read_prices(config: Config, archive: Path | None, *, synthetic: bool, as_of: date | None = None) -> Panel:
    """Return the archive's daily prices, or simulated ones, which is announced.

    `as_of`: only prices that were known on this day; simulated ones always were.

    Raises:
        NotFound: when the folder of `--archive` has no prices.
        Conflict: when they are not in US dollars.
    """
    if not synthetic and (archive is not None or archive_of(config, None).exists):
        return filled_archive_of(config, archive).dollar_panel(as_of)
    market = SyntheticMarket()
    say(f"The prices are simulated ({market.source}).")
    return synthesize(market)

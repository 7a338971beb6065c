"""The archive of prices of a command: `--archive`, days, and the bar of progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from typer import Option

from usufruct.cli.support.progress import Progress
from usufruct.config import Config
from usufruct.connectors.prices import PriceArchive
from usufruct.core import Invalid, NotFound

ArchiveOption = Annotated[
    Path | None,
    Option("--archive", metavar="FOLDER", help="The archive of prices; by default `prices` in the data folder."),
]


def archive_of(config: Config, folder: Path | None) -> PriceArchive:
    """Return the archive of `--archive`, also where nothing was written yet."""
    return PriceArchive(folder or config.data.folder / "prices")


def filled_archive_of(config: Config, folder: Path | None) -> PriceArchive:
    """Return the archive of `--archive`.

    Raises:
        NotFound: when nothing was written yet.
    """
    archive = archive_of(config, folder)
    if not archive.exists:
        raise NotFound(
            f"there are no prices in {archive.folder}; import some with `usufruct prices import FILE`, or simulate "
            "some with `usufruct prices synthesize`",
            code="no_prices",
        )
    return archive


def parse_day(text: str | None, option: str) -> date | None:
    """Parse a day; None stays None."""
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise Invalid(f"{option} must be a day such as 2024-12-31, not {text!r}", code="invalid_day") from None


@contextmanager
def progress_bar(what: str, *, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while work goes on; give the function that it tells its steps to."""
    shown = Progress(to_stderr=as_json)
    columns = TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bars(*columns, console=shown.console, transient=True, disable=not shown.live) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)

"""Build an airdrop from a list of accounts, and show what it pays an account."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from typer import Argument, Option, Typer

from usufruct import staking
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.output import Json
from usufruct.cli.support.progress import Progress
from usufruct.config import Config
from usufruct.core import Address, checksum, format_units, parse_units
from usufruct.staking import TOKEN_DECIMALS, AirdropFile

app = Typer()

_STAGES = {"rows": "reading rows", "accounts": "sorting accounts", "leaves": "hashing leaves", "tree": "placing leaves"}


@app.command()
@runs()
def build(
    config: Config,
    source: Annotated[Path, Argument(metavar="FILE.csv", help="Its first line: address,amount or address,units.")],
    cap: Annotated[str, Option(help="Most that one row and all rows may pay, in tokens.")],
    out: Annotated[
        Path | None, Option(help="The file to write; by default beside the list, ending in .airdrop.")
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace a file that exists.")] = False,
    as_json: Json = False,
) -> Facts:
    """Build the Merkle tree of a CSV file, the same as OpenZeppelin's, and the file that proofs are served from.

    `address,amount` has amounts in tokens, such as 1250.5; `address,units` has atomic units (10**-18 tokens).
    """
    most = parse_units(cap, TOKEN_DECIMALS, "--cap")
    target = out or source.with_suffix(".airdrop")
    with _bars(Progress(to_stderr=as_json)) as progress:
        built = staking.build_airdrop(source, target, most, overwrite=force, progress=progress)
    return {
        "root": "0x" + built.root.hex(),
        "accounts": built.count,
        "total": format_units(built.total, TOKEN_DECIMALS),
        "total_units": str(built.total),
        "file": str(built.path),
    }


@app.command()
@runs()
def proof(
    config: Config,
    account: Annotated[Address, Argument(**ADDRESS, help="Whose entry is wanted.")],
    file: Annotated[Path, Option(help="A file that `usufruct airdrop build` wrote.")],
) -> Facts:
    """Show what an airdrop pays an account, with the proof that `claim` of its contract takes."""
    with AirdropFile(file) as airdrop:
        entry, root = airdrop.entry_of(account), airdrop.root
    return {
        "index": entry.index,
        "account": checksum(account),
        "amount": format_units(entry.amount, TOKEN_DECIMALS),
        "units": str(entry.amount),
        "root": "0x" + root.hex(),
        "proof": ["0x" + node.hex() for node in entry.proof],
    }


@contextmanager
def _bars(shown: Progress) -> Iterator[staking.Progress]:
    """Show a line for each stage with what is done; the number of rows is known once they are read."""
    columns = TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=shown.console, transient=True) as bars:
        tasks = {stage: bars.add_task(words, total=None, visible=False) for stage, words in _STAGES.items()}

        def told(stage: str, done: int) -> None:
            bars.update(tasks[stage], completed=done, visible=True)

        yield told

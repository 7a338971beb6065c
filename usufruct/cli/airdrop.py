"""Build an airdrop from a list of accounts, deploy it, show and claim entries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from typer import Argument, Option, Typer

from usufruct import staking
from usufruct.chain import ChainAccess, open_chain
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.output import Json, say
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.wallet_option import Wallet, open_wallet
from usufruct.config import Config
from usufruct.core import Address, Invalid, checksum, format_units, moment, parse_units
from usufruct.staking import TOKEN_DECIMALS, AirdropFile, AirdropRefused, Airdrops

app = Typer()

FileArgument = Annotated[Path, Argument(metavar="FILE.airdrop", help="A file that `usufruct airdrop build` wrote.")]
FileOption = Annotated[Path, Option("--file", help="A file that `usufruct airdrop build` wrote.")]

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
    try:
        with _bars(Progress(to_stderr=as_json)) as progress:
            built = staking.build_airdrop(source, target, most, overwrite=force, progress=progress)
    except AirdropRefused as refused:
        for row in refused.rows:
            say(f"line {row.line}: {row.reason}")
        raise
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
    file: FileOption,
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


@app.command()
@runs(open_chain)
async def deploy(
    chain: ChainAccess,
    file: FileArgument,
    until: Annotated[str, Option(metavar="YYYY-MM-DD", help="Claims end when this day begins, UTC.")],
    wallet: Wallet,
    treasury: Annotated[
        Address | None,
        Option(**ADDRESS, help="Gets the remainder; by default the DAO's, else the operator's fee account."),
    ] = None,
    escrow: Annotated[
        Address | None, Option(**ADDRESS, help="The VoteEscrow to lock entries in; by default the installation's.")
    ] = None,
) -> Facts:
    """Deploy the contract of a built airdrop, and fund it from the token's reserve; the wallet is the token's owner's.

    What is there already is checked and not done again. The printed setting has gateways serve it at /airdrop.

    Example: usufruct airdrop deploy holders.airdrop --until 2030-06-30 --wallet owner
    """
    deadline = _start_of_day(until)
    to = treasury or chain.treasury
    with AirdropFile(file) as airdrop:
        sender = chain.sender(open_wallet(wallet, chain.config))
        airdrops = Airdrops(chain)
        lock_in = escrow or airdrops.escrow
        place = await airdrops.deploy(sender, airdrop, deadline, to, lock_in)
        locks = await airdrops.let_lock(sender, place, lock_in)
        root, total = airdrop.root, airdrop.total
    return {
        "contract": checksum(place),
        "root": "0x" + root.hex(),
        "funded": format_units(total, TOKEN_DECIMALS),
        "claims_end": moment(deadline),
        "treasury": checksum(to),
        "escrow": checksum(lock_in),
        "may_lock": locks,
        "setting": f'[platform_token] airdrops = "{file}={checksum(place)}"',
    }


@app.command()
@runs(open_chain)
async def sweep(
    chain: ChainAccess,
    contract: Annotated[Address, Argument(**ADDRESS, help="The airdrop's contract.")],
    wallet: Wallet,
) -> Facts:
    """Send what an airdrop has left to its treasury, once claims have ended; any wallet may.

    Example: usufruct airdrop sweep 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --wallet 0
    """
    sender = chain.sender(open_wallet(wallet, chain.config))
    amount, treasury, transaction = await Airdrops(chain).sweep(sender, contract)
    return {
        "contract": checksum(contract),
        "treasury": checksum(treasury),
        "swept": format_units(amount, TOKEN_DECIMALS),
        "transaction": transaction,
    }


@app.command()
@runs(open_chain)
async def claim(
    chain: ChainAccess,
    account: Annotated[Address, Argument(**ADDRESS, help="Whose entry is claimed; the tokens go there.")],
    file: FileOption,
    contract: Annotated[Address, Option(**ADDRESS, help="The airdrop's contract.")],
    wallet: Wallet,
    lock: Annotated[
        int | None, Option(min=1, max=52, metavar="WEEKS", help="Lock the entry; the wallet is the account's.")
    ] = None,
) -> Facts:
    """Claim an entry: the tokens go to its account, and any wallet may send the claim.

    With --lock they go straight into a lock, and the wallet must be the account's.

    Example: usufruct airdrop claim 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --file a.airdrop --contract 0x... -w 0
    """
    with AirdropFile(file) as airdrop:
        sender = chain.sender(open_wallet(wallet, chain.config))
        if lock is None:
            entry, transaction = await Airdrops(chain).claim(sender, contract, airdrop, account)
        else:
            _check_own(account, sender.address)
            entry, transaction = await Airdrops(chain).claim_and_lock(sender, contract, airdrop, lock)
    return {
        "account": checksum(account),
        "amount": format_units(entry.amount, TOKEN_DECIMALS),
        "index": entry.index,
        "locked_weeks": lock or 0,
        "transaction": transaction,
    }


def _check_own(account: Address, wallet: Address) -> None:
    if account != wallet:
        raise Invalid(
            f"only {checksum(account)} can lock its entry, and --wallet is {checksum(wallet)}; use that wallet, or "
            "claim without --lock",
            code="not_own_entry",
        )


def _start_of_day(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--until must be a day such as 2030-06-30, not {text!r}", code="invalid_day") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@contextmanager
def _bars(shown: Progress) -> Iterator[staking.Progress]:
    """Show a line for each stage with what is done; the number of rows is known once they are read."""
    columns = TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=shown.console, transient=True) as bars:
        tasks = {stage: bars.add_task(words, total=None, visible=False) for stage, words in _STAGES.items()}

        def told(stage: str, done: int) -> None:
            bars.update(tasks[stage], completed=done, visible=True)

        yield told

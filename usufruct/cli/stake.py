"""Lock platform tokens for a part of the revenue and for votes; see, extend and end locks, claim what they earned."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.assets import Listings, RegistryClient
from usufruct.chain import ChainAccess, open_chain
from usufruct.chain.contracts.vote_escrow import ExitedEarly, PenaltiesClaimed, RevenueClaimed
from usufruct.cli.support.command import ADDRESS, Facts, Rows, runs
from usufruct.cli.support.output import say
from usufruct.cli.support.ownership import Yes, confirm_on_public_chain, owner_of
from usufruct.cli.support.reinvestments import MinOut, Slippage, least_of, purchase_facts, quote_for, signed_words
from usufruct.cli.support.signed_documents import read_signed, write_signed
from usufruct.cli.support.stake_session import StakeSession, show_amount, stake_facts, week_facts
from usufruct.cli.support.wallet_option import Wallet, account
from usufruct.core import Address, Clock, Invalid, checksum, format_units, moment, parse_units
from usufruct.staking import (
    MOST_WEEKS,
    TOKEN_DECIMALS,
    WEEK_SECONDS,
    FeePlan,
    InvalidStake,
    Lock,
    RevenueWeeks,
    SignedReinvestments,
    Stakes,
    income_down,
    score_down,
)
from usufruct_client.stake_documents import SignedReinvestment

app = Typer()

_MOST_HOURS = 30 * 24

Amount = Annotated[str, Argument(help="How many tokens, as in 520 or 12.5.")]
Weeks = Annotated[int, Option(min=1, max=MOST_WEEKS, help="Weeks from the start of the next week, 1 to 52.")]
To = Annotated[Address | None, Option(**ADDRESS, help="Who gets the tokens; by default the wallet.")]


@app.command()
@runs(open_chain)
async def lock(chain: ChainAccess, amount: Amount, weeks: Weeks, wallet: Wallet) -> Facts:
    """Lock tokens of a wallet that has no lock, by one transaction.

    The lock counts from the start of the next week, on Thursday, 00:00 UTC, and ends `weeks` later.

    Example: usufruct stake lock 520 --weeks 52 --wallet 0
    """
    session = StakeSession(chain, wallet)
    call = await session.stakes.lock_by_permit(session.signer, _units(amount), weeks)
    return await session.send("lock", call)


@app.command()
@runs(open_chain)
async def increase(chain: ChainAccess, amount: Amount, wallet: Wallet) -> Facts:
    """Add tokens to the wallet's lock; its end stays.

    Example: usufruct stake increase 100 --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("increase", await session.stakes.increase_by_permit(session.signer, _units(amount)))


@app.command()
@runs(open_chain)
async def extend(chain: ChainAccess, weeks: Weeks, wallet: Wallet) -> Facts:
    """Make the wallet's lock end later; one that has ended is locked again.

    Example: usufruct stake extend --weeks 52 --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("extend", session.stakes.extend(weeks))


@app.command()
@runs(open_chain)
async def renew(chain: ChainAccess, wallet: Wallet) -> Facts:
    """Hold the wallet's lock at the weeks that it has left, until `stop-renewal`.

    Example: usufruct stake renew --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("renew", session.stakes.renew(on=True))


@app.command("stop-renewal")
@runs(open_chain)
async def stop_renewal(chain: ChainAccess, wallet: Wallet) -> Facts:
    """Let the wallet's lock decay again: it ends its renewal weeks after the start of the next week.

    Example: usufruct stake stop-renewal --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("stop-renewal", session.stakes.renew(on=False))


@app.command()
@runs(open_chain)
async def withdraw(chain: ChainAccess, wallet: Wallet, to: To = None) -> Facts:
    """Take the tokens of the wallet's lock out after its end. What it earned stays claimable.

    Example: usufruct stake withdraw --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("withdraw", session.stakes.withdraw(to or session.signer.address))


@app.command("exit")
@runs(open_chain)
async def exit_early(
    chain: ChainAccess,
    wallet: Wallet,
    max_penalty: Annotated[str, Option(help="Most tokens to lose; by default the penalty that is shown.")] = "",
    to: To = None,
    yes: Yes = False,
) -> Facts:
    """End the wallet's lock before its end, less a penalty that goes to the other stakers, if the owner allows it.

    Example: usufruct stake exit --max-penalty 12.5 --wallet 0
    """
    session = StakeSession(chain, wallet)
    holder, (token, _) = session.signer.address, await session.stakes.tokens()
    stake = await session.stakes.of(holder)
    shown = f"{show_amount(stake.exit_penalty, token)} of {show_amount(stake.lock.amount, token)}"
    say(f"The penalty is {shown} now; it falls each week until {moment(stake.ends_at)}.")
    most = _units(max_penalty, "--max-penalty") if max_penalty else stake.exit_penalty
    if not max_penalty:
        confirm_on_public_chain(chain, f"Lose {shown}?", yes=yes)
    receipt = await session.execute("exit", session.stakes.exit(most, to or holder))
    (ended,) = ExitedEarly.among(receipt.logs, session.stakes.escrow.address)
    return {
        "paid": show_amount(ended.amount, token),
        "penalty": show_amount(ended.penalty, token),
        "to": checksum(ended.to),
        "transaction": receipt.hash,
    }


@app.command()
@runs(open_chain)
async def claim(chain: ChainAccess, wallet: Wallet, to: To = None) -> Facts:
    """Claim the revenue of the weeks that are over, and the wallet's part of penalties, where there are any.

    Example: usufruct stake claim --wallet 0
    """
    session = StakeSession(chain, wallet)
    holder, (token, revenue_token) = session.signer.address, await session.stakes.tokens()
    stake = await session.stakes.of(holder)
    calls = session.stakes.claim(stake, to or holder)
    receipts = [await session.execute("claim", call) for call in calls]
    logs, escrow = [log for receipt in receipts for log in receipt.logs], session.stakes.escrow.address
    return {
        "revenue": show_amount(sum(each.amount for each in RevenueClaimed.among(logs, escrow)), revenue_token),
        "penalties": show_amount(sum(each.amount for each in PenaltiesClaimed.among(logs, escrow)), token),
        "to": checksum(to or holder),
        "transactions": [receipt.hash for receipt in receipts],
    }


@app.command()
@runs(open_chain)
async def reinvest(
    chain: ChainAccess,
    wallet: Wallet,
    min_out: MinOut = "",
    slippage: Slippage = "0.5",
    yes: Yes = False,
) -> Facts:
    """Add what the wallet's revenue buys to its lock, by one transaction; the lock's end stays.

    Nothing is bought without a fresh price, or for less than the market's and the feed's bounds allow.

    Example: usufruct stake reinvest --slippage 1 --wallet 0
    """
    session = StakeSession(chain, wallet)
    stakes, (token, revenue_token) = session.stakes, await session.stakes.tokens()
    named = _units(min_out, "--min-out") if min_out else None
    quote = await quote_for(stakes, session.signer.address, named)
    least = least_of(quote, slippage) if named is None else named
    price = f"{quote.feed.price:f} {revenue_token.symbol}, {moment(quote.feed.updated_at)}"
    buys = f"{show_amount(quote.amount, revenue_token)} buy about {show_amount(quote.expected, token)}"
    say(f"{buys}; the price of one is {price}.")
    if not min_out:
        confirm_on_public_chain(chain, f"Buy at least {show_amount(least, token)}, and lock them?", yes=yes)
    receipt = await session.execute("reinvest", stakes.reinvestments.call(least, quote.feed.now))
    return {"price": price, **await purchase_facts(stakes, receipt, session.signer.address, least)}


@app.command("sign-reinvest")
@runs(open_chain)
async def sign_reinvest(
    chain: ChainAccess,
    wallet: Wallet,
    min_out: MinOut = "",
    slippage: Slippage = "0.5",
    hours: Annotated[int, Option(min=1, max=_MOST_HOURS, help="How long it can be sent.")] = 24,
    out: Annotated[Path | None, Option(metavar="FILE", help="Write it here, not to standard output.")] = None,
    yes: Yes = False,
) -> None:
    """Sign a reinvestment of the wallet's revenue as JSON, for another account to send and to pay for, once.

    It adds all revenue that is due when it is sent. With --min-out it can be signed before any is due.

    Example: usufruct stake sign-reinvest --min-out 199 --wallet 0 --out reinvestment.json
    """
    session = StakeSession(chain, wallet)
    stakes, (token, _) = session.stakes, await session.stakes.tokens()
    if min_out:
        least = _units(min_out, "--min-out")
    else:
        least = least_of(await quote_for(stakes, session.signer.address), slippage)
        confirm_on_public_chain(chain, f"Sign to buy at least {show_amount(least, token)}, and lock them?", yes=yes)
    signed = await SignedReinvestments(stakes).sign(session.signer, least, hours * 3_600)
    write_signed(signed, out)
    say(f"{signed_words(signed, token)}. `usufruct stake send-reinvest` sends it, from any wallet.")


@app.command("send-reinvest")
@runs(open_chain)
async def send_reinvest(
    chain: ChainAccess,
    file: Annotated[Path, Argument(metavar="FILE", help="What `sign-reinvest` wrote; - reads standard input.")],
    wallet: Wallet,
) -> Facts:
    """Send a reinvestment that another account signed; the wallet pays the gas and gets nothing.

    Example: usufruct stake send-reinvest reinvestment.json --wallet 1
    """
    signed = read_signed(SignedReinvestment, file, "usufruct stake sign-reinvest", _invalid_stake)
    session = StakeSession(chain, wallet)
    stakes, (token, revenue_token) = session.stakes, await session.stakes.tokens()
    sendable = await SignedReinvestments(stakes).check(signed)
    buys = f"{show_amount(sendable.quote.amount, revenue_token)} buy about"
    say(f"{signed_words(signed, token)}; {buys} {show_amount(sendable.quote.expected, token)} now.")
    receipt = await session.execute("send-reinvest", sendable.call)
    return await purchase_facts(stakes, receipt, signed.account, signed.min_out)


@app.command()
@runs(open_chain)
async def delegate(
    chain: ChainAccess,
    to: Annotated[Address, Argument(**ADDRESS, help="Who votes; the wallet's address: itself again.")],
    wallet: Wallet,
) -> Facts:
    """Let another account vote with the wallet's lock from the next week on. Tokens and revenue stay the wallet's.

    Example: usufruct stake delegate 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --wallet 0
    """
    session = StakeSession(chain, wallet)
    return await session.send("delegate", session.stakes.delegate(to))


@app.command()
@runs(open_chain)
async def show(
    chain: ChainAccess,
    holder: Annotated[str, Argument(help="An address, a wallet's name, or a devnet account.")],
) -> Facts:
    """Show an account's lock, score, votes, and what it can claim.

    Example: usufruct stake show 0
    """
    stakes = Stakes(chain)
    return await stake_facts(stakes, await stakes.of(account(holder, chain.config)))


@app.command()
@runs(open_chain)
async def terms(chain: ChainAccess) -> Facts:
    """Show the contract that locks tokens: its week, total score, revenue, and what its owner has set.

    Example: usufruct stake terms
    """
    stakes = Stakes(chain)
    found = await stakes.terms()
    penalty = f"{found.exit_penalty_bps / 100:g} %"
    return {
        "escrow": checksum(stakes.escrow.address),
        "token": found.token.symbol,
        "revenue_token": found.revenue_token.symbol,
        "week": found.week,
        "week_ends": moment(found.week_ends),
        "total_score": format_units(score_down(found.total_weight), found.token.decimals),
        "next_total_score": format_units(score_down(found.next_weight), found.token.decimals),
        "revenue_this_week": show_amount(found.waiting, found.revenue_token),
        "score_floor": format_units(found.score_floor, found.token.decimals),
        "exit_penalty": penalty if found.exit_penalty_bps else "no early exit",
    }


@app.command()
@runs(open_chain)
async def project(
    chain: ChainAccess,
    amount: Amount,
    weeks: Weeks,
    revenue: Annotated[str, Option(help="Revenue of each week, as in 250; by default what this week has so far.")] = "",
) -> Facts:
    """Show what a lock made now would get, if each week brought the same revenue and other locks stayed as they are.

    Neither is promised.

    Example: usufruct stake project 520 --weeks 52 --revenue 250
    """
    terms = await Stakes(chain).terms()
    weekly = parse_units(revenue, terms.revenue_token.decimals, "--revenue") if revenue else terms.waiting
    lock = Lock(_units(amount), terms.week + 1 + weeks)
    income = income_down(lock, terms.week + 1, weeks, weekly, terms.next_weight)
    return {
        "ends": moment(lock.end * WEEK_SECONDS),
        "first_score": format_units(score_down(lock.weight_at(terms.week + 1)), terms.token.decimals),
        "weekly_revenue": show_amount(weekly, terms.revenue_token),
        "income": show_amount(income, terms.revenue_token),
        "assumes": "the same revenue each week, all other locks as they are",
    }


@app.command()
@runs(open_chain)
async def revenue(
    chain: ChainAccess,
    after: Annotated[str, Option(help="Go on after this week, as the last row of a list has it.")] = "",
) -> Rows:
    """List weeks that brought the stakers revenue, the newest first: paid out, carried, and paid for 1,000 of score.

    A week is divided when it is over and its total score reaches the floor. 52 weeks are listed at a time.

    Example: usufruct stake revenue
    """
    weeks = RevenueWeeks(chain)
    await weeks.poll()
    tokens = await Stakes(chain).tokens()
    found, _ = await weeks.page(after)
    columns = ("week", "starts", "paid", "carried", "total_score", "paid_per_1000")
    return Rows([week_facts(each, *tokens) for each in found], columns, "no revenue came in yet")


@app.command()
@runs(open_chain)
async def distribute(chain: ChainAccess, wallet: Wallet) -> Facts:
    """Bring the fees of services, trades and deals to the stakers, and close weeks that are over. Any wallet may do it.

    A worker does so by itself where it is worth the gas; again at once there is nothing to send.

    Example: usufruct stake distribute --wallet 0
    """
    session = StakeSession(chain, wallet)
    plan = FeePlan(chain, RegistryClient(chain), Listings(chain.database, Clock()), least=1)
    sent = []
    for _ in range(2):  # fees of deals are released by the first calls, and sent on by the second ones
        sent += [(await session.execute("distribute", call)).hash for call in await plan.calls(everything=True)]
    found = await session.stakes.terms()
    return {"transactions": sent, "revenue_this_week": show_amount(found.waiting, found.revenue_token)}


@app.command()
@runs(open_chain)
async def locker(
    chain: ChainAccess,
    contract: Annotated[Address, Argument(**ADDRESS, help="Such as an airdrop that asks its claimants first.")],
    refuse: Annotated[bool, Option("--refuse", help="Let it lock for others no more.")] = False,
    yes: Yes = False,
) -> Facts:
    """Let a contract lock tokens for others, as an airdrop does; signed by the owner's key.

    Example: usufruct stake locker 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc
    """
    escrow, allowed = Stakes(chain).escrow, not refuse
    changed = await escrow.lockers(contract) is not allowed
    if changed:
        verb = "lock" if allowed else "no longer lock"
        confirm_on_public_chain(chain, f"Let {checksum(contract)} {verb} tokens for others?", yes=yes)
        call = escrow.set_locker(contract, allowed=allowed)
        await owner_of(chain).execute(call, f"stake/locker/{contract}/{token_hex(8)}")
    return {"contract": checksum(contract), "may_lock": allowed, "changed": changed}


def _invalid_stake(message: str, field: str) -> InvalidStake:
    return InvalidStake(message, field=field)


def _units(text: str, field: str = "amount") -> int:
    units = parse_units(text, TOKEN_DECIMALS, field)
    if not units and field == "amount":
        raise Invalid("amount must be above 0 tokens", code="invalid_amount", field=field)
    return units

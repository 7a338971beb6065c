"""What the commands that reinvest revenue, sign that, and send what was signed have in common."""

from typing import Annotated

from typer import Option

from usufruct.chain import Receipt, TokenFacts
from usufruct.cli.support.command import Facts
from usufruct.cli.support.stake_session import show_amount, stake_facts
from usufruct.core import Address, checksum, moment, parse_units
from usufruct.staking import ReinvestQuote, StakeChanges, Stakes
from usufruct_client.stake_documents import SignedReinvestment, StakeWish

MinOut = Annotated[str, Option(help="Fewest tokens to buy; by default what the market gives, less the slippage.")]
Slippage = Annotated[str, Option(help="Per cent that the market may move meanwhile, as in 0.5.")]


async def quote_for(stakes: Stakes, account: Address, least: int | None = None) -> ReinvestQuote:
    """Return what an account's revenue buys now.

    Raises:
        StakeRefused: when nothing would be bought now, or less than `least`, atomic units.
    """
    quote = (await StakeChanges(stakes).read(StakeWish(account, "reinvest", least))).quote
    assert quote is not None
    return quote


def least_of(quote: ReinvestQuote, slippage: str) -> int:
    """Return the least to buy by a quote, less what the market may move: per cent, as `--slippage` has it."""
    return quote.min_out(parse_units(slippage, 2, "--slippage"))


def signed_words(signed: SignedReinvestment, token: TokenFacts) -> str:
    """Return what a signed reinvestment allows, without a full stop."""
    least, until = show_amount(signed.min_out, token), moment(signed.deadline)
    return f"Revenue of {checksum(signed.account)} buys at least {least} for its lock, until {until}"


async def purchase_facts(stakes: Stakes, receipt: Receipt, account: Address, least: int) -> Facts:
    """Return what a transaction bought for an account, and its lock as it is then."""
    token, revenue_token = await stakes.tokens()
    made = stakes.reinvestments.purchase(receipt.logs)
    return {
        "spent": show_amount(made.spent, revenue_token),
        "bought": show_amount(made.bought, token),
        "least": show_amount(least, token),
        **await stake_facts(stakes, await stakes.of(account)),
        "transaction": receipt.hash,
    }

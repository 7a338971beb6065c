"""A deal in plain words, for the command line."""

from collections.abc import Iterator

from usufruct.chain import TokenFacts
from usufruct.core import checksum, format_units, moment
from usufruct.staking.deals.deals import DealTokens
from usufruct.staking.deals.model import TOP_LEVEL, DealTerms

_PERCENT = 100


def deal_in_words(terms: DealTerms, tokens: DealTokens, fee_bps: int) -> list[str]:
    """Return what a deal's terms mean, a sentence each."""
    payment, one = tokens.payment, price_of_one(terms, tokens)
    for_sale, price = amount_text(terms.for_sale, tokens.sale), amount_text(terms.hard_cap, payment)
    lines = [
        f"Sells {for_sale} for {price}: {one} each.",
        f"If less than {amount_text(terms.soft_cap, payment)} is paid in, every payment goes back.",
        *_level_words(terms, payment),
        f"The sale ends at {moment(terms.closes_at)}. {_vesting_words(terms)}",
        f"The platform's fee is {fee_bps / _PERCENT:g} % of the proceeds.",
    ]
    if terms.has_policy:
        lines.append(f"Only accounts that {checksum(terms.policy)} allows may pay in.")
    return lines


def price_of_one(terms: DealTerms, tokens: DealTokens) -> str:
    """Return the price of one whole token, rounded up."""
    price = -(-terms.hard_cap * 10**tokens.sale.decimals // terms.for_sale)
    return amount_text(price, tokens.payment)


def amount_text(amount: int, token: TokenFacts) -> str:
    """Return an amount in whole tokens with the token's symbol."""
    return f"{format_units(amount, token.decimals)} {token.symbol}"


def _level_words(terms: DealTerms, payment: TokenFacts) -> Iterator[str]:
    """Yield a sentence for each group of levels of equal terms, the highest first, and one for those not admitted."""
    last = TOP_LEVEL
    for number in range(TOP_LEVEL, -1, -1):
        level, below = terms.levels[number], terms.levels[number - 1] if number else None
        if below and (below.cap, below.opens_at) == (level.cap, level.opens_at):
            continue
        names = f"Level {number}" if number == last else f"Levels {number} to {last}"
        if level.cap:
            yield f"{names}: from {moment(level.opens_at)}, up to {amount_text(level.cap, payment)} an account."
        else:
            yield f"{names}: not admitted."
        last = number - 1


def _vesting_words(terms: DealTerms) -> str:
    if not terms.vesting_days:
        return "Tokens can be claimed at once then."
    cliff = f", nothing before day {terms.cliff_days}" if terms.cliff_days else ""
    return f"Tokens vest evenly over {terms.vesting_days} days from then{cliff}."

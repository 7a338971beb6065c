"""What the commands about locks have in common: a wallet at the escrow, and how locks and weeks are printed."""

from secrets import token_hex

from usufruct.chain import Call, ChainAccess, Receipt, TokenFacts
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.command import Facts
from usufruct.cli.support.wallet_option import open_wallet
from usufruct.core import checksum, format_units, moment
from usufruct.staking import TOKEN_DECIMALS, RevenueWeek, Stake, Stakes, score_down

_THOUSAND = 1_000 * 10**TOKEN_DECIMALS


class StakeSession:
    """A wallet at the escrow."""

    def __init__(self, chain: ChainAccess, wallet: str) -> None:
        self.stakes = Stakes(chain)
        self.signer: KeySigner = open_wallet(wallet, chain.config)
        self._sender = chain.sender(self.signer)

    async def send(self, verb: str, call: Call) -> Facts:
        """Send a call, and return the wallet's lock as it is then."""
        receipt = await self.execute(verb, call)
        stake = await self.stakes.of(self.signer.address)
        return {**await stake_facts(self.stakes, stake), "transaction": receipt.hash}

    async def execute(self, verb: str, call: Call) -> Receipt:
        """Send a call once, and wait until it is final."""
        return await self._sender.execute(call, f"stake/{verb}/{call.to}/{token_hex(8)}")


def week_facts(week: RevenueWeek, token: TokenFacts, revenue_token: TokenFacts) -> Facts:
    """Return a week with revenue as it is printed."""
    score, each = week.total_score, week.paid_down(_THOUSAND)
    return {
        "week": week.week,
        "starts": moment(week.starts_at),
        "booked": show_amount(week.booked, revenue_token),
        "paid": show_amount(week.paid, revenue_token),
        "penalties": show_amount(week.penalties, token),
        "carried": show_amount(week.carried, revenue_token),
        "total_score": None if score is None else format_units(score, token.decimals),
        "paid_per_1000": None if each is None else show_amount(each, revenue_token),
    }


async def stake_facts(stakes: Stakes, stake: Stake) -> Facts:
    """Return an account's lock, score, votes and what it can claim, as they are printed."""
    token, revenue_token = await stakes.tokens()
    ends = moment(stake.ends_at) if stake.lock.amount else None
    return {
        "holder": checksum(stake.holder),
        "locked": show_amount(stake.lock.amount, token),
        "ends": ends,
        "renewal_weeks": stake.lock.renewal,
        "score": format_units(stake.score, token.decimals),
        "next_score": format_units(score_down(stake.next_weight), token.decimals),
        "votes": format_units(stake.votes, token.decimals),
        "delegate": checksum(stake.delegate),
        "claimable": show_amount(stake.revenue, revenue_token),
        "claimable_penalties": show_amount(stake.penalties, token),
        "not_locked": show_amount(stake.held, token),
    }


def show_amount(amount: int, token: TokenFacts) -> str:
    """Return an amount in whole tokens, with the token's symbol."""
    return f"{format_units(amount, token.decimals)} {token.symbol}"

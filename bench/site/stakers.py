"""What happened in the weeks before the pictures: revenue of stakers, their votes, a trust's votes, deals."""

from collections.abc import Mapping, Sequence

from bench.site.accounts import DOLLAR, Accounts
from bench.site.deals import open_deals
from bench.site.trust import Trust
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.chain import Call, ChainAccess, open_chain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.config import Config
from usufruct.core import DAY_SECONDS, Clock, Hash32
from usufruct.governance import Proposals, proposal_id, signed_description, support_of
from usufruct.staking import WEEK_SECONDS, Stakes
from usufruct_client.governance_documents import SupportText

STAKERS = [(DEMO_ACCOUNT, "5200000", "52"), (6, "16000000", "26"), (7, "8000000", "40")]
"""Account, tokens that it locks, and weeks."""

REVENUE = (92_500_000, 141_000_000, 0, 118_750_000)
"""What the stakers got in the weeks before now, in atomic units of the devnet's dollar."""

TOKEN = {
    "USUFRUCT_PLATFORM_TOKEN_NAME": "Example",
    "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM",
    "USUFRUCT_PLATFORM_TOKEN_EXIT_PENALTY_PERCENT": "20",
    "USUFRUCT_PLATFORM_TOKEN_ALLOCATION": ",".join(f"{DEVNET_ADDRESSES[each]}=1" for each, _, _ in STAKERS),
    "USUFRUCT_PLATFORM_TOKEN_LEVELS": ",".join(f"{500_000 * level}={2 * level}:{level}" for level in range(1, 11)),
    "USUFRUCT_PLATFORM_TOKEN_DEALS": "all",
    "USUFRUCT_PLATFORM_TOKEN_DEAL_FEE_BPS": "250",
    "USUFRUCT_GOVERNANCE_QUORUM_FLOOR": "10000000",
}

_TAKE_OVER = """Take over what the operator offers

From now on stakers decide about registry, exchange, token, levels and deals. The penalty of an early exit falls."""
_FREE_EXIT = """Let everyone leave a lock for free

Who needs tokens early should not lose any."""
_AUDIT = """Pay for an audit of the contracts

Two auditors looked at the exchange and the trusts for three weeks. Their report is public."""
_QUORUM = "Ask for more votes before anything is decided"
_DAY, _HOUR = DAY_SECONDS, 3_600
_VOTED = _DAY + _HOUR
"""From a proposal to votes about it, in seconds: a day passes before votes count."""

_DECIDED = 6 * _DAY + 2 * _HOUR
"""From a proposal to the end of its vote, which lasts five days."""


async def make_history(config: Config) -> dict[str, str]:
    """Pay revenue, vote and sell from the chain's start until now; return ids by the names in paths of pages."""
    async with open_chain(config) as chain:
        accounts, escrow = Accounts(chain), Stakes(chain).escrow
        votes, start, end = _Votes(accounts), await accounts.now(), Clock().now()

        async def begin_week(number: int) -> int:
            await accounts.jump(time := start + number * WEEK_SECONDS)
            if amount := REVENUE[number - 1]:
                await accounts.send(0, accounts.dollar.mint(escrow.address, amount), escrow.notify())
            return time

        week = await begin_week(1)
        accepted = await votes.propose(DEMO_ACCOUNT, _handover(chain), _TAKE_OVER)
        await accounts.jump(week + _VOTED)
        await votes.vote(accepted, {DEMO_ACCOUNT: "for", 6: "for"})
        await accounts.jump(week + _DECIDED)
        await votes.queue(accepted)
        week = await begin_week(2)
        await accounts.jump(week + 3 * _DAY)
        await votes.execute(accepted)
        week = await begin_week(3)
        refused = await votes.propose(6, [escrow.set_exit_penalty(0)], _FREE_EXIT)
        trust = await Trust.create(accounts)
        cheaper = await trust.propose_price()
        await accounts.jump(week + _VOTED)
        await votes.vote(refused, {6: "for", DEMO_ACCOUNT: "against", 7: "against"})
        await trust.vote(cheaper, DEMO_ACCOUNT, "A lower price sells more.")
        await accounts.jump(week + _DECIDED)
        await trust.execute(cheaper)
        await begin_week(4)
        await accounts.mint(chain.deployments.address(PlatformTimelock), 40_000)
        await accounts.jump(end - 3 * _DAY)
        audit = await votes.propose(6, [accounts.dollar.transfer(DEVNET_ADDRESSES[9], 25_000 * DOLLAR)], _AUDIT)
        shorter = await trust.propose_configuration()
        deal = await open_deals(accounts, end)
        await accounts.jump(end - _DAY)
        await votes.vote(audit, {6: "for", 7: "against"}, {6: "They found two faults.", 7: "Half of it is enough."})
        await trust.vote(shorter, 7)
        await deal.subscribe(7, 6_500)
        await deal.subscribe(DEMO_ACCOUNT, 2_000)
        await accounts.jump(Clock().now())
        await accounts.send(0, escrow.roll(len(REVENUE)))
        governor = PlatformGovernor(chain.deployments.address(PlatformGovernor))
        await votes.propose(7, [governor.set_quorum_floor(12_000_000 * 10**18)], _QUORUM)
        return {"proposal": audit, "deal": deal.id, "trust": trust.id}


def _handover(chain: ChainAccess) -> list[Call]:
    """Return the calls by which the timelock accepts what `deploy` offers it, and a lower penalty."""
    owned = (AssetRegistry, Exchange, PlatformToken, Levels, DealRoom, VoteEscrow)
    accepted = [each(chain.deployments.address(each)).accept_ownership() for each in owned]
    return [*accepted, VoteEscrow(chain.deployments.address(VoteEscrow)).set_exit_penalty(1_500)]


class _Votes:
    """The proposals of stakers."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._proposals = Proposals(accounts.chain)

    async def propose(self, account: int, calls: Sequence[Call], text: str) -> Hash32:
        await self._accounts.send(account, await self._proposals.propose(DEVNET_ADDRESSES[account], calls, text))
        return proposal_id(calls, signed_description(text, DEVNET_ADDRESSES[account]).encode())

    async def vote(self, proposal: Hash32, votes: Mapping[int, SupportText], reasons: Mapping[int, str] = {}) -> None:
        standing = await self._proposals.find(proposal)
        for account, text in votes.items():
            kind = support_of(text)
            call = await self._proposals.vote(DEVNET_ADDRESSES[account], standing, kind, reasons.get(account, ""))
            await self._accounts.send(account, call)

    async def queue(self, proposal: Hash32) -> None:
        await self._accounts.send(0, self._proposals.queue(await self._proposals.find(proposal)))

    async def execute(self, proposal: Hash32) -> None:
        await self._accounts.send(0, self._proposals.execute(await self._proposals.find(proposal)))

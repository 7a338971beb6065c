"""Lets calls use pass credits, and keeps credits from being given back while they are served."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Sender
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.core import AssetId, Clock, Hash32, Unavailable, format_asset
from usufruct.payments.ledger import Account, AccountUnknown, BalanceTooLow, new_id
from usufruct.payments.pricing import SILENCE, ChannelConfig, PassGrant, PassTerms, asset_of, channel_id, plan_of
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.errors import PassClosing
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.pass_reader import CLOSING

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 600.0
_PAUSE_SECONDS = 2.0
_MOST_REMEMBERED = 10_000
_SIGN_AFTER = SILENCE // 2


@dataclass(frozen=True, slots=True)
class ChainRead:
    """When an account was to be read from the chain last, and when it was; by the monotonic clock."""

    tried: float
    read: float


_NEVER = ChainRead(float("-inf"), float("-inf"))


class PassAccounts:
    """What a grant must pass, and the account it opens."""

    def __init__(self, side: SettlementContext, terms: PassTerms, observer: AccountSync, clock: Clock) -> None:
        """Take grants on credits under `terms`."""
        self.terms = terms
        self._side = side
        self._observer = observer
        self._clock = clock
        self._looked: dict[Hash32, ChainRead] = {}

    def check(self, grant: PassGrant) -> None:
        """Refuse a grant that is over, or that its holder did not sign for here.

        Raises:
            GrantExpired, GrantRefused: names what is wrong.
        """
        grant.check(self.terms, self._clock.now())

    def account_of(self, grant: PassGrant) -> Hash32:
        """Return the id of the account that a grant is on."""
        return channel_id(self._side.escrow, self._config(grant))

    async def ready(self, grant: PassGrant, ceiling: int) -> Hash32:
        """Return the grant's account, read from the chain lately, and again when it looks too empty for `ceiling`.

        Raises:
            BalanceTooLow: when nothing was activated; nobody's account leaves a row behind.
            PassClosing: when the credits may be given back soon.
            RpcUnavailable: when the node does not answer.
        """
        channel = await self._current(grant, ceiling)
        if channel.reading.withdraw_at:
            raise PassClosing(
                f"the credits of pass {grant.plan:#x} may be given back from {channel.reading.withdraw_at} on (seconds "
                "since 1970); pay this call another way, or ask again later",
                withdraw_at=channel.reading.withdraw_at,
            )
        return channel.reading.id

    async def _current(self, grant: PassGrant, ceiling: int) -> Account:
        config, account = self._config(grant), self.account_of(grant)
        now, looked = self._clock.monotonic(), self._looked.get(account, _NEVER)
        known = await self._known(account)
        if known is None:
            return await self._open(grant, config)
        if now - looked.tried < _PAUSE_SECONDS or (now - looked.read < _FRESH_SECONDS and known.free >= ceiling):
            return known
        self._note(account, ChainRead(now, looked.read))
        try:
            channel = (await self._observer.observe([config]))[0]
        except Unavailable:  # calls go on while the chain is away, as long as no account can have closed meanwhile
            if now - looked.read > CLOSING / 2:
                raise
            return known
        self._note(account, ChainRead(now, now))
        return channel

    async def carries(self, grant: PassGrant) -> bool:
        """Tell whether the grant's account has free credits here already."""
        known = await self._known(self.account_of(grant))
        return known is not None and min(known.free, grant.limit - known.charged - known.reserved) > 0

    async def _known(self, account: Hash32) -> Account | None:
        try:
            return await self._side.ledger.account(account)
        except AccountUnknown:
            return None

    async def _open(self, grant: PassGrant, config: ChannelConfig) -> Account:
        if (await self._observer.peek(config)).balance == 0:
            raise BalanceTooLow(
                f"{grant.holder} has no credits of pass {grant.plan:#x} that were activated for this gateway's meter "
                f"{self.terms.meter}; activate some with `usufruct pass activate`",
                needed=0,
                balance=0,
            )
        channel, now = await self._observer.open(config), self._clock.monotonic()
        self._note(channel.reading.id, ChainRead(now, now))
        return channel

    def _config(self, grant: PassGrant) -> ChannelConfig:
        return self.terms.account(grant.plan, grant.holder)

    def _note(self, account: Hash32, looked: ChainRead) -> None:
        if len(self._looked) >= _MOST_REMEMBERED:
            self._looked.clear()
        self._looked[account] = looked


class PassKeeper:
    """Gives AccessPass a sign of life for assets whose credits are held here and were not burned for long.

    Without one for `SILENCE` seconds, credits can be given back that calls may already have used.
    """

    def __init__(self, side: SettlementContext, terms: PassTerms, sender: Sender) -> None:
        """Sign with the meter's key."""
        self._side = side
        self._terms = terms
        self._sender = sender
        self._contract = AccessPass(terms.contract, side.client)

    async def run(self) -> int:
        """Sign for every asset that is due, and return for how many; a sign under way is not sent again."""
        held: dict[AssetId, list[ChannelConfig]] = {}
        after: Hash32 | None = None
        while page := await self._side.ledger.account_list(after):
            after = page[-1].reading.id
            for channel in filter(self._is_held, page):
                held.setdefault(asset_of(channel.reading.config), []).append(channel.reading.config)
        return sum([await self._sign(asset, accounts) for asset, accounts in held.items()])

    def _is_held(self, channel: Account) -> bool:
        """Tell whether it is an account of ours with credits left on the chain, whether or not calls used them."""
        reading = channel.reading
        ours = self._side.holds_credits(reading.config) and reading.config.receiver == self._terms.meter
        return ours and reading.balance > reading.total_claimed

    async def _sign(self, asset: AssetId, accounts: Sequence[ChannelConfig]) -> bool:
        last = await self._contract.last_sign(asset, self._terms.meter)
        head = await self._side.client.header("latest")
        if head is None or head.timestamp < last + _SIGN_AFTER:
            return False
        call = self._contract.anchor(asset)
        if await self._sender.unfinished(call) or not await self._closes_by_silence(accounts, last + SILENCE):
            return False
        await self._sender.send(call, f"sign/{asset:#x}/{new_id()}")
        _log.info("a sign of life for %s", format_asset(asset))
        return True

    async def _closes_by_silence(self, accounts: Sequence[ChannelConfig], silent_at: int) -> bool:
        """Tell whether a sign helps: of some plan credits are left, and no retirement or expiry comes before."""
        for account in accounts:
            standing = await self._contract.standing(plan_of(account), account.payer, self._terms.meter)
            if standing.left and standing.closes_at == silent_at:
                return True
        return False

"""Lets calls use pass credits, and keeps credits from being given back while they are served."""

import logging
from dataclasses import dataclass

from usufruct.chain import Sender
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.core import AssetId, Clock, Hash32, Unavailable
from usufruct.payments.errors import BalanceTooLow, ChannelUnknown, PassClosing
from usufruct.payments.ledger.records import Channel
from usufruct.payments.passes import SILENCE, PassGrant, PassTerms, plan_of
from usufruct.payments.settlement.model import ChainSide
from usufruct.payments.settlement.observer import Observer
from usufruct.payments.settlement.pass_reader import CLOSING
from usufruct.payments.voucher import ChannelConfig, channel_id

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 600.0
_PAUSE_SECONDS = 2.0
_MOST_REMEMBERED = 10_000
_SIGN_AFTER = SILENCE // 2


@dataclass(frozen=True, slots=True)
class Looked:
    """When an account was to be read from the chain last, and when it was; by the monotonic clock."""

    tried: float
    read: float


_NEVER = Looked(float("-inf"), float("-inf"))


class PassAccounts:
    """What a grant must pass, and the account it opens."""

    def __init__(self, side: ChainSide, terms: PassTerms, observer: Observer, clock: Clock) -> None:
        """Take grants on credits under `terms`."""
        self.terms = terms
        self._side = side
        self._observer = observer
        self._clock = clock
        self._looked: dict[Hash32, Looked] = {}

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
            PassClosing: when the credits may be void or given back soon.
            RpcUnavailable: when the node does not answer.
        """
        channel = await self._current(grant, ceiling)
        if channel.reading.withdraw_at:
            raise PassClosing(
                f"the credits of pass {grant.plan:#x} may be void or given back from {channel.reading.withdraw_at} on "
                "(seconds since 1970); pay this call another way, or ask again later",
                withdraw_at=channel.reading.withdraw_at,
            )
        return channel.reading.id

    async def _current(self, grant: PassGrant, ceiling: int) -> Channel:
        config, account = self._config(grant), self.account_of(grant)
        try:
            known = await self._side.ledger.channel(account)
        except ChannelUnknown:
            return await self._open(grant, config)
        now, looked = self._clock.monotonic(), self._looked.get(account, _NEVER)
        if now - looked.tried < _PAUSE_SECONDS or (now - looked.read < _FRESH_SECONDS and known.free >= ceiling):
            return known
        self._note(account, Looked(now, looked.read))
        try:
            channel = (await self._observer.observe([config]))[0]
        except Unavailable:  # calls go on while the chain is away, as long as no account can have closed meanwhile
            if now - looked.read > CLOSING / 2:
                raise
            return known
        self._note(account, Looked(now, now))
        return channel

    async def _open(self, grant: PassGrant, config: ChannelConfig) -> Channel:
        if (await self._observer.peek(config)).balance == 0:
            raise BalanceTooLow(
                f"{grant.holder} has no credits of pass {grant.plan:#x} that were activated for this gateway's meter "
                f"{self.terms.meter}; activate some with `usufruct pass activate`",
                needed=0,
                balance=0,
            )
        channel, now = await self._observer.open(config), self._clock.monotonic()
        self._note(channel.reading.id, Looked(now, now))
        return channel

    def _config(self, grant: PassGrant) -> ChannelConfig:
        return self.terms.account(grant.plan, grant.holder)

    def _note(self, account: Hash32, looked: Looked) -> None:
        if len(self._looked) >= _MOST_REMEMBERED:
            self._looked.clear()
        self._looked[account] = looked


class PassKeeper:
    """Gives AccessPass a sign of life for assets whose credits are held here and were not burned for long.

    Without one for `SILENCE` seconds, credits can be given back that calls may already have used.
    """

    def __init__(self, side: ChainSide, terms: PassTerms, sender: Sender) -> None:
        """Sign with the meter's key."""
        self._side = side
        self._terms = terms
        self._sender = sender
        self._contract = AccessPass(terms.contract, side.client)

    async def run(self) -> int:
        """Sign for every asset that is due, and return how many were; each sign is sent once."""
        signed = 0
        for plan in await self._plans():
            signed += await self._sign(plan)
        return signed

    async def _plans(self) -> list[int]:
        """Return one plan of each asset of which somebody holds activated credits."""
        plans: dict[AssetId, int] = {}
        after = ""
        while page := await self._side.ledger.channel_list(after):
            after = page[-1].reading.id
            for channel in page:
                if self._side.holds_credits(channel) and channel.usable > channel.charged:
                    plan = plan_of(channel.reading.config)
                    plans.setdefault(AssetId(plan >> 128), plan)
        return list(plans.values())

    async def _sign(self, plan: int) -> bool:
        asset, meter = AssetId(plan >> 128), self._terms.meter
        head = await self._side.client.header("latest")
        last = await self._contract.last_sign(asset, meter)
        retiring = await self._contract.refundable_at(plan, meter) < last + SILENCE
        if head is None or retiring or head.timestamp < last + _SIGN_AFTER:
            return False
        await self._sender.send(self._contract.anchor(asset), f"sign/{asset:#x}/{last}")
        _log.info("a sign of life for %#x", asset)
        return True

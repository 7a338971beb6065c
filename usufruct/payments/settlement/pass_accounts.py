"""Lets calls use pass credits, and keeps credits from being given back while they are served."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypeVar

from usufruct.accounts import WalletSignatures
from usufruct.chain import Client, Sender
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.core import AssetId, Clock, Hash32, PaymentRequired, Unavailable, format_asset
from usufruct.payments.ledger import Account, AccountUnknown, BalanceTooLow, Ledger, new_id
from usufruct.payments.pricing import SILENCE, ActivatedCredits, PassGrant
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.pass_credits import CLOSING, PassCredits

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 600.0
_PAUSE_SECONDS = 2.0
_MOST_REMEMBERED = 10_000
MOST_OPENING = 4
"""How many grants' credits are looked for on the chain at a time; accounts that are open need no look."""
_SIGN_AFTER = SILENCE // 2
_NEVER = float("-inf")

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class PassAccounts:
    """Checks grants, and opens and reads the accounts that they are on."""

    def __init__(
        self,
        ledger: Ledger,
        source: PassCredits,
        sync: AccountSync,
        clock: Clock,
        signatures: WalletSignatures | None = None,
    ) -> None:
        """Take grants on the credits of `source`; `signatures` asks contracts, none of which signs without it."""
        self.terms = source.terms
        self._credits = source
        self._ledger = ledger
        self._sync = sync
        self._clock = clock
        self._reads: dict[Hash32, tuple[float, float]] = {}
        """When each account was to be read from the chain last, and when it was; by the monotonic clock."""
        self._opening = asyncio.Semaphore(MOST_OPENING)
        self._signatures = signatures or WalletSignatures()
        self._by_contracts: dict[PassGrant, float] = {}
        """When the contract that signed a grant said so last, by the monotonic clock."""

    async def check(self, grant: PassGrant) -> None:
        """Refuse a grant that is over, or that its holder did not sign for here.

        Raises:
            Unauthenticated: names what is wrong.
            SignatureUnchecked, RpcUnavailable: when the chain does not say whether the holder's contract signed.
        """
        if grant.is_by_contract:
            grant.check_time(self._clock.now())
            await self._check_contract(grant)
        else:
            grant.check(self.terms, self._clock.now())

    def account_of(self, grant: PassGrant) -> Hash32:
        """Return the id of the account that a grant is on."""
        return self.terms.account_id(self._funds(grant))

    async def ready(self, grant: PassGrant, ceiling: int) -> Hash32:
        """Return the grant's account, read from the chain lately, and again when it looks too empty for `ceiling`.

        Raises:
            BalanceTooLow: when nothing was activated; no row is written for an account without credits.
            PaymentRequired: when the credits may be given back soon.
            RpcUnavailable: when the node does not answer.
        """
        known = await self._known(grant)
        account = await self._open(grant) if known is None else await self._refresh(known, ceiling)
        if account.reading.withdraw_at:
            raise PaymentRequired(
                f"the credits of pass {grant.plan:#x} may be given back from {account.reading.withdraw_at} on (seconds "
                "since 1970); pay this call another way, or ask again later",
                code="pass_closing",
                withdraw_at=account.reading.withdraw_at,
            )
        return account.id

    async def carries(self, grant: PassGrant) -> bool:
        """Tell whether the grant's account has free credits here already."""
        known = await self._known(grant)
        return known is not None and min(known.free, grant.limit - known.charged - known.reserved) > 0

    async def _check_contract(self, grant: PassGrant) -> None:
        """Ask the holder's contract whether it signed a grant: again after a while, for a signer can be removed."""
        now, asked = self._clock.monotonic(), self._by_contracts.get(grant, _NEVER)
        if now - asked < _FRESH_SECONDS:
            return
        try:
            signed = await self._signatures.has_signed(grant.holder, grant.digest(self.terms), grant.signature)
        except Unavailable:  # calls go on while the chain is away, as in `_refresh`
            if now - asked > CLOSING / 2:
                raise
            return
        self._by_contracts.pop(grant, None)
        if not signed:
            raise grant.refused()
        _remember(self._by_contracts, grant, now)

    async def _known(self, grant: PassGrant) -> Account | None:
        try:
            return await self._ledger.account(self.account_of(grant))
        except AccountUnknown:
            return None

    async def _refresh(self, known: Account, ceiling: int) -> Account:
        now = self._clock.monotonic()
        tried, read = self._reads.get(known.id, (_NEVER, _NEVER))
        if now - tried < _PAUSE_SECONDS or (now - read < _FRESH_SECONDS and known.free >= ceiling):
            return known
        self._note(known.id, now, read)
        try:
            [account] = await self._sync.observe([known])
        except Unavailable:  # calls go on while the chain is away, as long as no account can have closed meanwhile
            if now - read > CLOSING / 2:
                raise
            return known
        self._note(known.id, now, now)
        return account

    async def _open(self, grant: PassGrant) -> Account:
        """Open an account that has credits, on the chain as it is now: its holder may just have activated some."""
        funds = self._funds(grant)
        async with self._opening:  # grants cost their makers nothing: so much of the node is theirs
            balance = (await self._credits.peek(funds)).balance
        if balance == 0:
            raise BalanceTooLow(
                f"{grant.holder} has no credits of pass {grant.plan:#x} that were activated for this gateway's meter "
                f"{self.terms.meter}; activate some with `usufruct pass activate`",
                needed=0,
                balance=0,
            )
        account = await self._sync.open(await self._credits.register(funds))
        now = self._clock.monotonic()
        self._note(account.id, now, now)
        return account

    def _funds(self, grant: PassGrant) -> ActivatedCredits:
        return self.terms.credits(grant.plan, grant.holder)

    def _note(self, account: Hash32, tried: float, read: float) -> None:
        """Remember when an account was read."""
        _remember(self._reads, account, (tried, read))


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Remember a value, in place of the oldest one when there are many."""
    if len(known) >= _MOST_REMEMBERED:
        del known[next(iter(known))]
    known[key] = value


class PassHeartbeat:
    """Sends AccessPass the periodic heartbeat for assets whose credits are held here and were not burned for long.

    After `SILENCE` seconds without one, credits can be given back that calls may already have used.
    """

    def __init__(self, client: Client, source: PassCredits, sender: Sender) -> None:
        """Send for the credits of `source`, with the meter's key."""
        self._client = client
        self._credits = source
        self._meter = source.terms.meter
        self._sender = sender
        self._contract = AccessPass(source.terms.contract, client)

    async def run(self) -> int:
        """Sign for every asset that is due, and return for how many; a heartbeat under way is not sent again."""
        held: dict[AssetId, list[ActivatedCredits]] = {}
        for account, activated in await self._credits.held():
            left = account.reading.balance > account.reading.total_claimed
            if left and activated.meter == self._meter:
                held.setdefault(activated.asset, []).append(activated)
        return sum([await self._sign(asset, accounts) for asset, accounts in held.items()])

    async def _sign(self, asset: AssetId, held: Sequence[ActivatedCredits]) -> bool:
        last = await self._contract.last_sign(asset, self._meter)
        if (await self._client.head()).timestamp < last + _SIGN_AFTER:
            return False
        call = self._contract.anchor(asset)
        if await self._sender.unfinished(call) or not await self._closes_by_silence(held, last + SILENCE):
            return False
        await self._sender.send(call, f"sign/{asset:#x}/{new_id()}")
        _log.info("a heartbeat for %s", format_asset(asset))
        return True

    async def _closes_by_silence(self, held: Sequence[ActivatedCredits], silent_at: int) -> bool:
        """Tell whether a heartbeat helps: credits of a plan are left, and no retirement or expiry comes before."""
        standings = [await self._contract.standing(each.plan, each.holder, self._meter) for each in held]
        return any(standing.left and standing.closes_at == silent_at for standing in standings)

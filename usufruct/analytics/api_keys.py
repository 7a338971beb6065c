"""Keys of the market API: free, made without payment, limited by month and minute, more by plan or staking level.

Calls are counted in memory and written down every few seconds, so a replica that is killed forgets the last ones, and
several replicas may let a few more calls through than a limit. Nothing is charged by these counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import Final

from usufruct.analytics.api_key_store import MarketKey, MarketKeyStore
from usufruct.core import Address, Clock, Invalid, NotFound, RateLimited, moment
from usufruct.core.price_cards import WHOLE_BPS
from usufruct.payments.pricing import PayerBenefits
from usufruct.store import Database, Stamp
from usufruct.web import HttpExchange, Unauthenticated, client_network

FLUSH_SECONDS: Final = 5.0
_PREFIX = "um_"
_DAY = 86_400
_MINUTE = 60
_FRESH_SECONDS = 10.0
_NOTED_SECONDS = 3_600
_MOST_REMEMBERED = 10_000
LONGEST_LABEL = 100
_MONTHS_KEPT = 13
_HOW = "send it as `x-api-key` or `api_key`; POST /v2/keys makes one, free"


class TooManyRequests(RateLimited, code="quota_used_up"):
    """A key has made as many calls as it may for now."""


class MarketKeyNotFound(NotFound, code="market_key_not_found"):
    """The account has no such live key."""


class MonthUsedUp(TooManyRequests):
    """A key has made as many calls as it may in this month."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """Limits of free keys, and how many a network may make in a day."""

    calls_per_month: int = 1_000
    calls_per_minute: int = 60
    keys_per_day: int = 5


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may: calls in a month and in a minute, by its plan and its holder's level."""

    calls_per_month: int
    calls_per_minute: int
    level: int


@dataclass(slots=True)
class _Use:
    """A key's calls in this process: `used` in the month in all replicas as far as known, `pending` not written yet.

    `last`: when it called last, and `noted`: what of it was written down; seconds since 1970, 0 before the first.
    """

    month: int
    used: int
    pending: int = 0
    minute: int = 0
    in_minute: int = 0
    last: int = 0
    noted: int = 0


@dataclass(slots=True)
class _Known:
    key: MarketKey
    read_at: float


@dataclass(frozen=True, slots=True)
class Caller:
    """A key that calls, and what it may."""

    key: MarketKey
    allowance: Allowance
    used: int


@dataclass(slots=True)
class _Memory:
    known: dict[bytes, _Known] = field(default_factory=dict)
    uses: dict[str, _Use] = field(default_factory=dict)


class MarketKeys:
    """The keys of this installation, as one gateway process knows them."""

    def __init__(
        self, database: Database, stamp: Stamp, clock: Clock, benefits: PayerBenefits, policy: KeyPolicy | None = None
    ) -> None:
        """Keep them in `database`; `stamp` marks networks, `benefits` knows what levels bring."""
        self.store = MarketKeyStore(database)
        self._stamp = stamp
        self._clock = clock
        self._benefits = benefits
        self.policy = policy or KeyPolicy()
        self._memory = _Memory()

    async def create(
        self, exchange: HttpExchange, label: str = "", account: Address | None = None
    ) -> tuple[str, Caller]:
        """Make a key, free; `account`: of who is signed in. Return its text, which is not kept, and the caller.

        Raises:
            Invalid: for a label that no key can have.
            TooManyRequests: when the caller's network has made as many today as it may.
        """
        if len(label) > LONGEST_LABEL or not label.isprintable():
            raise Invalid(f"label must be at most {LONGEST_LABEL} printable characters", field="label")
        now = self._clock.now()
        key = MarketKey(f"mkey_{token_hex(12)}", account, label, now)
        text = _PREFIX + token_urlsafe(32)
        network = self._stamp.mark(f"market key of {client_network(exchange) or 'this machine'}".encode())
        most = self.policy.keys_per_day
        if wait := await self.store.add(key, _hash(text), network, most, _DAY):
            raise TooManyRequests(
                f"your network made {most} keys in 24 hours; use one of them, or ask again from "
                f"{moment(now + wait)} on",
                code="too_many_keys",
                most=most,
                retry_after=wait,
            )
        return text, Caller(key, await self._allowance(key), 0)

    async def show(self, text: str) -> Caller:
        """Return a key by its text, with what it may and what it used; no call is counted. Raises as `admit`."""
        if not text:
            raise Unauthenticated(f"no key was given; {_HOW}", code="key_missing", field="key")
        key = await self._find(_hash(text))
        return Caller(key, await self._allowance(key), (await self._use_now(key)).used)

    async def admit(self, exchange: HttpExchange) -> Caller:
        """Return who calls, and count the call against the minute.

        Raises:
            Unauthenticated: without a key, or with one that is unknown or revoked.
            TooManyRequests: when the key has made as many calls as it may in this minute or month.
        """
        text = exchange.header(b"x-api-key") or exchange.header(b"api_key")
        if not text:
            raise Unauthenticated(f"this call needs a key; {_HOW}", code="key_missing", field="x-api-key")
        key = await self._find(_hash(text))
        use = await self._use_now(key)
        allowance = await self._allowance(key)
        self._check(use, allowance)
        use.in_minute += 1
        use.last = self._clock.now()
        return Caller(key, allowance, use.used)

    def count(self, caller: Caller) -> None:
        """Count an admitted call against the month; one that is answered "not modified" is free."""
        # `flush` may have forgotten the key since it was admitted: the next one reads its total again.
        use = self._memory.uses.setdefault(caller.key.id, _Use(self._month(), 0))
        use.used += 1
        use.pending += 1

    async def revoke(self, caller: Caller) -> None:
        """Revoke a key: it is of no use from now on, in other replicas within seconds."""
        await self.store.revoke(caller.key.id, self._clock.now())
        self._memory.known.clear()

    async def of(self, account: Address) -> Sequence[Caller]:
        """Return the live keys that an account made while signed in, the newest first."""
        found: list[Caller] = []
        for key, calls in await self.store.of(account, self._month()):
            use = self._memory.uses.get(key.id)
            used = calls if use is None or use.month != self._month() else max(calls, use.used)
            found.append(Caller(key, await self._allowance(key), used))
        return found

    async def revoke_of(self, account: Address, key_id: str) -> None:
        """Revoke a key of an account by its id, as `revoke` does.

        Raises:
            MarketKeyNotFound: when the account has no such live key.
        """
        if not await self.store.revoke(key_id, self._clock.now(), account):
            raise MarketKeyNotFound("you have no such key, or it was revoked; reload the list", key=key_id[:60])
        self._memory.known.clear()

    async def flush(self) -> None:
        """Write the counted calls down, take over those of other replicas, and note hourly which keys were used."""
        await self._write_calls()
        await self._note_uses()
        if len(self._memory.uses) > _MOST_REMEMBERED:
            self._memory.uses = {key: use for key, use in self._memory.uses.items() if use.pending}
        current = self._month()
        for key in [key for key, use in self._memory.uses.items() if use.month < current and not use.pending]:
            del self._memory.uses[key]

    async def _note_uses(self) -> None:
        due = {key: use for key, use in self._memory.uses.items() if use.last >= use.noted + _NOTED_SECONDS}
        if not due:
            return
        times = {key: use.last for key, use in due.items()}
        await self.store.note_uses(times)
        for key, use in due.items():
            use.noted = times[key]

    async def _write_calls(self) -> None:
        for month in {use.month for use in self._memory.uses.values() if use.pending}:
            taken = [(key, use, use.pending) for key, use in self._memory.uses.items() if use.month == month]
            made = {key: count for key, _, count in taken if count}
            for _, use, count in taken:
                use.pending -= count
            try:
                totals = await self.store.add_calls(month, made)
            except BaseException:
                for _, use, count in taken:
                    use.pending += count
                raise
            for key, use, count in taken:
                use.used = totals[key] + use.pending if count else use.used

    async def forget(self) -> None:
        """Remove counts of months that no one asks for."""
        await self.store.forget(self._month() - _MONTHS_KEPT)

    def _check(self, use: _Use, allowance: Allowance) -> None:
        now = self._clock.now()
        if use.minute != now // _MINUTE:
            use.minute, use.in_minute = now // _MINUTE, 0
        wait = _MINUTE - now % _MINUTE
        if use.in_minute >= allowance.calls_per_minute:
            raise TooManyRequests(
                f"this key may make {allowance.calls_per_minute} calls a minute; ask again in {wait} s",
                most=allowance.calls_per_minute,
                retry_after=wait,
            )
        if use.used >= allowance.calls_per_month:
            raise MonthUsedUp(
                f"this key has made the {allowance.calls_per_month} calls that it may in a month (UTC); a higher "
                "staking level brings more",
                most=allowance.calls_per_month,
                retry_after=_month_ends_in(now),
            )

    async def _find(self, secret_hash: bytes) -> MarketKey:
        now = self._clock.monotonic()
        known = self._memory.known.get(secret_hash)
        if known is None or now - known.read_at > _FRESH_SECONDS:
            found = await self.store.find(secret_hash)
            if found is None:
                raise Unauthenticated(
                    f"this installation made no such key; {_HOW}", code="key_unknown", field="x-api-key"
                )
            if len(self._memory.known) >= _MOST_REMEMBERED:
                self._memory.known.clear()
            known = self._memory.known[secret_hash] = _Known(found, now)
        if known.key.revoked_at is not None:
            raise Unauthenticated(f"this key was revoked; {_HOW}", code="key_revoked", field="x-api-key")
        return known.key

    async def _use_now(self, key: MarketKey) -> _Use:
        """Return what a key used in this month."""
        use = self._memory.uses.get(key.id) or await self._use(key)
        if use.month != self._month():
            await self.flush()
            use = await self._use(key)
        return use

    async def _use(self, key: MarketKey) -> _Use:
        month = self._month()
        used = await self.store.calls(key.id, month)
        return self._memory.uses.setdefault(key.id, _Use(month, used, noted=key.last_used_at or 0))

    async def _allowance(self, key: MarketKey) -> Allowance:
        month = self.policy.calls_per_month if key.calls_per_month is None else key.calls_per_month
        minute = self.policy.calls_per_minute if key.calls_per_minute is None else key.calls_per_minute
        if key.account is None:
            return Allowance(month, minute, 0)
        brought = await self._benefits.of(key.account)
        return Allowance(month * brought.quota_bps // WHOLE_BPS, minute * brought.quota_bps // WHOLE_BPS, brought.level)

    def _month(self) -> int:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        return now.year * 12 + now.month - 1


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _month_ends_in(now: int) -> int:
    today = datetime.fromtimestamp(now, UTC)
    year, month = divmod(today.year * 12 + today.month, 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) - now

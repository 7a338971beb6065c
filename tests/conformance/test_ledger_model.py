"""Random histories of calls, claims, refunds and chain readings, against a slow and obvious model in memory."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from usufruct.config import LedgerConfig
from usufruct.core import DAY_SECONDS, UsufructError, id_to_bytes
from usufruct.payments.ledger.errors import CallLost
from usufruct.payments.ledger.records import Opened, Replay
from usufruct.payments.ledger.service import Ledger, new_id, open_ledger
from usufruct.store import Database, Seal, open_database

SEAL = Seal(b"a secret of these tests", "stored answers")

CHANNELS = (0, 1)
AMOUNTS = st.one_of(st.integers(0, 60), st.sampled_from([2**64, 2**120]))


@dataclass
class ModelCall:
    """A call as anybody would write it down on paper."""

    channel: int
    asset: int
    ceiling: int
    state: str = "open"
    charge: int = 0
    epoch: int = 1
    key: str | None = None
    answer: bytes | None = None


@dataclass
class ModelChannel:
    """A channel; what is charged or reserved is counted anew each time."""

    balance: int = 0
    claimed: int = 0
    split: int = 0
    block: int = 0
    withdrawing: bool = False
    refunding: int = 0
    voucher: int = 0
    spending: list[tuple[int, int]] = field(default_factory=list)
    days: list[tuple[int, int]] = field(default_factory=list)
    """The day and the charge of each call."""
    claim: tuple[int, int] | None = None
    published: set[int] = field(default_factory=set)


class Model:
    """The whole ledger, in lists."""

    def __init__(self) -> None:
        self.channels = {name: ModelChannel() for name in CHANNELS}
        self.calls: dict[str, ModelCall] = {}
        self.days_passed = 0

    @property
    def today(self) -> int:
        return int(time.time()) // DAY_SECONDS + self.days_passed

    def charged_today(self, name: int) -> int:
        return sum(amount for day, amount in self.channels[name].days if day == self.today)

    def charged(self, name: int) -> int:
        return sum(amount for _, amount in self.channels[name].spending)

    def reserved(self, name: int) -> int:
        return sum(c.ceiling for c in self.calls.values() if c.channel == name and c.state == "open")

    def usable(self, name: int) -> int:
        return max(0, self.channels[name].balance - self.channels[name].refunding)

    def free(self, name: int) -> int:
        return max(0, self.usable(name) - self.charged(name) - self.reserved(name))

    def splits(self, name: int, start: int, end: int) -> dict[int, int]:
        """Walk along the spending and note whose each part between the two positions is; -1 is nobody's we know."""
        parts: dict[int, int] = {}
        position = 0
        for asset, amount in self.channels[name].spending:
            part = min(position + amount, end) - max(position, start)
            if part > 0:
                parts[asset] = parts.get(asset, 0) + part
            position += amount
        return parts

    def refusal(
        self,
        name: int,
        ceiling: int,
        promise: int | None,
        key: str | None,
        body: str,
        limits: tuple[int | None, int | None],
    ) -> str | None:
        """Say why a new call is refused, or None."""
        channel = self.channels[name]
        if promise in channel.published:
            return "voucher_published"
        for call in self.calls.values():
            if key is not None and call.key == f"{key}/{body}" and call.state != "released":
                return "Replay" if call.state == "metered" else "still_running"
            if key is not None and call.key and call.key.startswith(f"{key}/") and call.state != "released":
                return "idempotency_key_reused"
        needed = self.charged(name) + self.reserved(name) + ceiling
        if channel.withdrawing:
            return "channel_withdrawing"
        if needed > self.usable(name):
            return "insufficient_balance"
        in_all, a_day = limits
        if in_all is not None and needed > in_all:
            return "limit_reached"
        if a_day is not None and self.charged_today(name) + self.reserved(name) + ceiling > a_day:
            return "day_limit_reached"
        if promise is not None and promise < needed:
            return "cumulative_amount_mismatch"
        if promise is not None and promise > self.usable(name):
            return "cumulative_exceeds_balance"
        return None


def machine_for(url_maker: Callable[[], str], world: ModuleType) -> type[RuleBasedStateMachine]:
    class LedgerMachine(RuleBasedStateMachine):
        open_calls = Bundle("open_calls")

        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.model = Model()
            self.leases: dict[str, Any] = {}
            self.claims: dict[int, Any] = {}
            self.database: Database = open_database(url_maker())
            self.ledger: Ledger = self.wait(self.opened())
            for name in CHANNELS:
                self.observe(name, 100, 0, withdrawing=False)

        async def opened(self) -> Ledger:
            return open_ledger(self.database, LedgerConfig(), seal=SEAL)

        def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
            return self.loop.run_until_complete(work)

        def outcome(self, work: Coroutine[Any, Any, Any]) -> Any:
            try:
                return self.wait(work)
            except UsufructError as error:
                return error

        @rule(name=st.sampled_from(CHANNELS), balance=AMOUNTS, claimed=st.integers(0, 40), withdrawing=st.booleans())
        def observe(self, name: int, balance: int, claimed: int, withdrawing: bool) -> None:
            channel = self.model.channels[name]
            channel.block += 1
            reading = world.reading(balance, name, block=channel.block, claimed=claimed, withdraw_at=int(withdrawing))
            self.wait(self.ledger.observe(reading))
            channel.balance, channel.withdrawing = balance, withdrawing
            channel.claimed = max(channel.claimed, claimed)
            if (gap := channel.claimed - self.model.charged(name)) > 0:
                channel.spending.append((-1, gap))
                channel.split = channel.claimed

        @rule(
            target=open_calls,
            name=st.sampled_from(CHANNELS),
            asset=st.integers(0, 2),
            ceiling=st.integers(0, 60),
            extra=st.one_of(st.none(), st.integers(-2, 30)),
            key=st.one_of(st.none(), st.sampled_from("xy")),
            body=st.sampled_from("ab"),
            limits=st.tuples(st.none() | st.integers(0, 150), st.none() | st.integers(0, 90)),
        )
        def reserve(
            self,
            name: int,
            asset: int,
            ceiling: int,
            extra: int | None,
            key: str | None,
            body: str,
            limits: tuple[int | None, int | None],
        ) -> str | None:
            model = self.model
            needed = model.charged(name) + model.reserved(name) + ceiling
            promise = None if extra is None else max(0, needed + extra)
            expected = model.refusal(name, ceiling, promise, key, body, limits)
            request = world.reservation(
                new_id(), ceiling, name, promise=promise, asset=world.ASSETS[asset], key=key, body=body
            )
            request = replace(request, limit=limits[0], day_limit=limits[1])
            result = self.outcome(world.open_call(self.ledger, request))
            if expected is not None:
                assert (result.code if isinstance(result, UsufructError) else "Replay") == expected
                if isinstance(result, Replay):
                    assert result.answer == model.calls[result.call].answer
                return None
            assert isinstance(result, Opened), result
            call = request.call
            self.leases[call] = result.lease
            model.calls[call] = ModelCall(name, asset, ceiling, key=None if key is None else f"{key}/{body}")
            channel = model.channels[name]
            if promise is not None or channel.voucher < needed:
                channel.voucher = max(channel.voucher, needed if promise is None else promise)
            return call

        @rule(call=open_calls, part=st.integers(0, 11))
        def meter(self, call: str | None, part: int) -> None:
            """Charge some of the ceiling; a part of 11 is over it."""
            if call is None:
                return
            held = self.model.calls[call]
            charge = held.ceiling + 1 if part == 11 else held.ceiling * part // 10
            answer = b"answer" if held.key else None

            async def metered() -> Any:
                return await self.ledger.meter(self.leases[call], world.bill(charge), answer)

            result = self.outcome(metered())
            if held.state == "metered" and held.charge == charge:
                assert result.bill.charge == charge
            elif held.state in ("metered", "released"):
                assert isinstance(result, CallLost)
            elif part == 11:
                assert result.code == "over_ceiling"
            else:
                held.state, held.charge, held.answer = "metered", charge, answer
                self.model.channels[held.channel].spending.append((held.asset, charge))
                self.model.channels[held.channel].days.append((self.model.today, charge))
                assert result.cumulative == self.model.charged(held.channel)

        @rule(call=consumes(open_calls))
        def release(self, call: str | None) -> None:
            if call is None:
                return
            held = self.model.calls[call]
            result = self.outcome(self.ledger.release(self.leases[call], "upstream_failed"))
            if held.state == "metered" or held.epoch != 1:
                assert isinstance(result, CallLost)
            else:
                held.state = "released"

        @rule(call=open_calls)
        def lose(self, call: str | None) -> None:
            """The replica gives no sign of life until the lease has ended."""
            if call is None or self.model.calls[call].state != "open":
                return

            async def lapse() -> None:
                async with self.database.transaction() as unit:
                    await unit.rows(text("UPDATE calls SET lease_until = 0 WHERE id = :id"), {"id": id_to_bytes(call)})

            self.wait(lapse())
            assert self.wait(self.ledger.expire()) == 1
            held = self.model.calls[call]
            held.state, held.epoch = "released", 2

        @rule()
        def sleep(self) -> None:
            """A day passes: the database's clock cannot be moved on, so what it wrote down moves back."""

            async def pass_a_day() -> None:
                async with self.database.transaction() as unit:
                    await unit.rows(text("UPDATE accounts SET day = day - 1"))

            self.wait(pass_a_day())
            self.model.days_passed += 1

        @rule()
        def restart(self) -> None:
            self.wait(self.ledger.close())
            self.ledger = self.wait(self.opened())

        @rule(name=st.sampled_from(CHANNELS))
        def plan_claim(self, name: int) -> None:
            channel = self.model.channels[name]
            result = self.outcome(self.ledger.plan_claim(new_id(), world.channel(name)))
            end = min(self.model.charged(name), channel.voucher, channel.balance)
            if channel.claim is not None:
                assert type(result).__name__ == "ClaimPending"
            elif end <= channel.split:
                assert type(result).__name__ == "NothingToClaim"
            else:
                parts = self.model.splits(name, channel.split, end)
                assert {split.asset: split.amount for split in result.splits} == {
                    world.ASSETS[asset]: amount for asset, amount in parts.items()
                }
                assert sum(parts.values()) == end - channel.split
                assert result.voucher.max_claimable >= result.cumulative == end
                channel.claim = (channel.split, end)
                channel.published.add(result.voucher.max_claimable)
                self.claims[name] = result

        @rule(name=st.sampled_from(CHANNELS), confirmed=st.booleans(), sent=st.booleans())
        def end_claim(self, name: int, confirmed: bool, sent: bool) -> None:
            channel = self.model.channels[name]
            if channel.claim is None:
                return
            if sent:
                self.wait(self.ledger.send_claim(self.claims[name], "tx"))
            if confirmed:
                self.wait(self.ledger.confirm_claim(self.claims[name]))
                channel.claimed = max(channel.claimed, channel.claim[1])
                channel.split = max(channel.split, channel.claim[1])
            else:
                self.wait(self.ledger.fail_claim(self.claims[name]))
            channel.claim = None

        @rule(name=st.sampled_from(CHANNELS), amount=st.integers(1, 60), confirmed=st.booleans())
        def refund(self, name: int, amount: int, confirmed: bool) -> None:
            channel = self.model.channels[name]
            nonce = channel.block = channel.block + 1
            result = self.outcome(self.ledger.plan_refund(world.channel(name), nonce, amount, "tx"))
            if amount > self.model.free(name):
                assert type(result).__name__ == "RefundTooHigh"
                return
            assert result.refunding == amount
            reading = None
            if confirmed:
                channel.balance -= amount
                reading = world.reading(
                    channel.balance, name, block=nonce, claimed=channel.claimed, withdraw_at=int(channel.withdrawing)
                )
            self.wait(self.ledger.finish_refund(world.channel(name), nonce, reading))

        @invariant()
        def every_channel_is_as_the_model_says(self) -> None:
            for name in CHANNELS:
                ours, model = self.wait(self.ledger.account(world.channel(name))), self.model.channels[name]
                assert ours.charged == self.model.charged(name)
                assert ours.reserved == self.model.reserved(name)
                assert ours.charged_on(int(time.time()) // DAY_SECONDS) == self.model.charged_today(name)
                assert (ours.reading.balance, ours.refunding) == (model.balance, 0)
                assert (ours.reading.total_claimed, ours.total_split) == (model.claimed, model.split)
                assert ours.free == self.model.free(name)
                assert (ours.voucher.max_claimable if ours.voucher else 0) == model.voucher

        @invariant()
        def the_books_balance(self) -> None:
            assert self.wait(self.ledger.audit()) == []

        def teardown(self) -> None:
            self.wait(self.ledger.close())
            self.wait(self.database.close())
            self.loop.close()

    return LedgerMachine


TABLES = "answers, refunds, deposits, claims, entries, calls, accounts"


def checked(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )


def test_random_histories_on_sqlite(databases: Any, world: ModuleType):
    machine = machine_for(lambda: databases.migrated("sqlite"), world)
    run_state_machine_as_test(machine, settings=checked(60))


@pytest.mark.postgres
def test_random_histories_on_postgresql(databases: Any, world: ModuleType):
    url = databases.migrated("postgresql")

    async def empty() -> None:
        database = open_database(url)
        async with database.transaction() as unit:
            await unit.rows(text(f"TRUNCATE {TABLES}"))
        await database.close()

    def fresh() -> str:
        asyncio.run(empty())
        return url

    run_state_machine_as_test(machine_for(fresh, world), settings=checked(20))


def test_the_model_itself_splits_by_position():
    model = Model()
    model.channels[0].spending = [(0, 10), (1, 20), (0, 5)]
    assert model.splits(0, 5, 33) == {0: 5 + 3, 1: 20}

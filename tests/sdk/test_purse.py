"""The purse against a slow, obvious model of an honest gateway; and its file, shared by processes and threads."""

import asyncio
import base64
import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from x402.mechanisms.evm.default_assets import DEFAULT_ASSETS

from usufruct_client import Invalid, NotAllowed, OverBudget, OverLimit, Purse, Rules, Store, StoreFault, Wallet
from usufruct_client.channel import FORGOTTEN_SECONDS, Channel
from usufruct_client.paid_call import PaidCall
from usufruct_client.purse import Answered
from usufruct_client.spending_rules import DOLLARS
from usufruct_client.x402 import ChannelState, Requirements, VoucherState

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT / 'sdk'}:{ROOT}"}
ORIGIN = "http://gateway:80"
WALLET = Wallet.from_key(b"\x21" * 32)
TERMS = Requirements(
    chain_id=31337,
    amount=100,
    token="0x" + "70" * 20,
    operator="0x" + "71" * 20,
    timeout_seconds=300,
    receiver_authorizer="0x" + "71" * 20,
    withdraw_delay=86400,
    token_name="Test Dollar",
    token_version="1",
    min_deposit=50,
    channel_state=None,
    voucher_state=None,
    raw={},
)


def rules(limit: int, budget: int, **more) -> Rules:
    return Rules(limit, budget, **{"tokens": [TERMS.token]} | more)


def answered(charge: int) -> Answered:
    return Answered(charge, None, "0x" + "00" * 32, None)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000

    def __call__(self) -> int:
        return self.now


class PurseMachine(RuleBasedStateMachine):
    """An honest gateway does what docs/protocol/x402.md says; calls are lost, overtake each other, end in any order."""

    on_the_way = Bundle("on_the_way")
    running = Bundle("running")
    orphans = Bundle("orphans")

    @initialize(multiplier=st.integers(1, 12), budget=st.sampled_from([600, 2_000, 100_000]))
    def start(self, multiplier: int, budget: int) -> None:
        self.clock, self.budget = Clock(), budget
        self.purse = Purse(WALLET, rules(400, budget, multiplier=multiplier), Store(), self.clock)
        self.balance = self.charged = 0
        self.reserved: dict[str, int] = {}
        self.best = 0
        self.deposits: dict[str, int] = {}
        self.ours: dict[str, int] = {}  # open calls by our books
        self.known = 0  # what calls that ended were charged, lost ones in full

    @property
    def channel(self) -> Channel:
        channels = self.purse.channels
        return channels[0] if channels else Channel("", ORIGIN, 31337, WALLET.config(TERMS, "0x" + "00" * 32))

    @rule(target=on_the_way, ceiling=st.integers(1, 400))
    def open(self, ceiling: int):
        before = self.channel
        try:
            payment = self.purse.reserve(ORIGIN, replace(TERMS, amount=ceiling))
        except OverBudget:
            assert self.channel == before  # nothing was signed
            return multiple()
        if payment is None:
            assert before.pending.slot
            return multiple()
        total = self.known + sum(self.ours.values()) + ceiling
        held = before.balance + (payment.deposit.amount if payment.deposit else 0)
        assert payment.max_claimable == min(total, held)
        if total > held:  # it tries whether the gateway counts less, alone and only for want of lost calls' ends
            assert not self.ours
            assert total - before.doubtful <= held
        else:
            assert payment.max_claimable >= self.charged + sum(self.reserved.values()) + ceiling
        self.ours[payment.slot] = ceiling
        return payment

    @rule(target=running, payment=consumes(on_the_way), pending=st.booleans())
    def arrive(self, payment, pending: bool):
        deposit = payment.deposit
        if deposit and pending:
            self.purse.release(payment, unsure=True)
            self.ours.pop(payment.slot)
            return multiple()
        told = self.charged + sum(self.reserved.values())
        arriving = deposit.amount if deposit and deposit.salt not in self.deposits else 0
        if payment.max_claimable < told + payment.ceiling:
            self._correct(payment, told)
            return multiple()
        assert payment.max_claimable <= self.balance + arriving
        if arriving:
            self.deposits[deposit.salt] = arriving
            self.balance += arriving
        self.best = max(self.best, payment.max_claimable)
        self.reserved[payment.slot] = payment.ceiling
        self.purse.taken(payment)
        return payment

    def _correct(self, payment, told: int) -> None:
        alone = self.channel.slots[payment.slot].alone
        signed = self.channel.signed
        terms = replace(
            TERMS,
            channel_state=ChannelState(payment.channel, self.balance, told),
            voucher_state=VoucherState(signed, WALLET.voucher(payment.channel, signed, 31337).signature),
        )
        self.purse.correct(payment, terms)
        if alone:
            self.known = told
        self.purse.release(payment)
        self.ours.pop(payment.slot)

    @rule(payment=consumes(running), share=st.integers(0, 100))
    def end(self, payment, share: int) -> None:
        charge = self._metered(payment, share)
        self.purse.finish(payment, answered(charge))
        self.known += charge
        self.ours.pop(payment.slot)

    @rule(target=orphans, payment=consumes(running))
    def lose(self, payment):
        self._abandon(payment)
        return payment

    @rule(payment=consumes(orphans), share=st.integers(0, 100))
    def end_unseen(self, payment, share: int) -> None:
        self._metered(payment, share)

    @rule(payment=consumes(on_the_way))
    def lose_on_the_way(self, payment) -> None:
        self._abandon(payment)

    @rule(payment=consumes(on_the_way))
    def refuse(self, payment) -> None:
        self.purse.release(payment)
        self.ours.pop(payment.slot)

    @rule(payment=consumes(running))
    def fail(self, payment) -> None:
        self.reserved.pop(payment.slot)
        self.purse.finish(payment, answered(0))
        self.ours.pop(payment.slot)

    def _metered(self, payment, share: int) -> int:
        charge = self.reserved.pop(payment.slot) * share // 100
        self.charged += charge
        return charge

    def _abandon(self, payment) -> None:
        self.purse.abandon(payment)
        self.known += self.ours.pop(payment.slot)

    @invariant()
    def the_purse_never_knows_less_than_the_gateway_may_ask(self) -> None:
        assert self.channel.promised == self.known + sum(self.ours.values())
        assert self.channel.promised >= self.charged + sum(self.reserved.values())

    @invariant()
    def nothing_passes_the_budget(self) -> None:
        channel = self.channel
        assert sum(self.deposits.values()) <= channel.exposed(self.clock()) <= self.budget
        assert channel.signed <= self.budget
        assert self.charged <= self.best <= channel.signed

    @invariant()
    def no_money_is_lost_or_made_up(self) -> None:
        assert self.channel.balance == self.balance == sum(self.deposits.values())
        assert not self.purse.disputes


PurseMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestPurse = PurseMachine.TestCase


def paid(purse: Purse, charge: int, **changes) -> None:
    payment = purse.reserve(ORIGIN, replace(TERMS, **changes))
    purse.taken(payment)
    purse.finish(payment, answered(charge))


def test_rules_name_what_they_refuse():
    purse = Purse(WALLET, rules(100, 1000, networks=["eip155:1"], tokens=[TERMS.token.upper().replace("0X", "0x")]))
    with pytest.raises(NotAllowed, match="network eip155:31337"):
        purse.reserve(ORIGIN, TERMS)
    with pytest.raises(OverLimit, match="101"):
        purse.reserve(ORIGIN, replace(TERMS, amount=101))
    with pytest.raises(NotAllowed, match="operator"):
        Purse(WALLET, rules(100, 1000, operators=["0x" + "01" * 20])).reserve(ORIGIN, TERMS)
    for bad in (
        {"limit": 0},
        {"budget": -1},
        {"limit": "5"},
        {"budget": True},
        {"multiplier": 0.5},
        {"deposit_seconds": float("nan")},
    ):
        with pytest.raises(Invalid, match=next(iter(bad))):
            Rules(**{"limit": 1, "budget": 1, **bad})


def test_a_balance_that_the_gateway_made_up_does_not_lift_the_budget():
    purse = Purse(WALLET, rules(100, 250), Store())
    paid(purse, 100)
    payment = purse.reserve(ORIGIN, TERMS)
    shown = VoucherState(200, WALLET.voucher(payment.channel, 200, 31337).signature)
    purse.correct(payment, replace(TERMS, channel_state=ChannelState(payment.channel, 10**9, 100), voucher_state=shown))
    purse.finish(payment, answered(100))
    assert purse.channels[0].balance == 10**9
    with pytest.raises(OverBudget, match="promised to 300, over the budget of 250"):
        purse.reserve(ORIGIN, TERMS)
    assert purse.channels[0].signed == 200


def test_a_bad_key_is_not_shown():
    for bad in ("0x1234", "hello", b"\x00" * 32):
        with pytest.raises(Invalid, match="key must be a private key") as caught:
            Wallet.from_key(bad)
        assert str(bad) not in str(caught.value)
        assert caught.value.__cause__ is None


def test_calls_whose_process_died_are_given_up():
    clock = Clock()
    purse = Purse(WALLET, rules(100, 10_000, multiplier=1), Store(), clock)
    assert purse.reserve(ORIGIN, TERMS).deposit.amount == 100
    clock.now += 10
    assert purse.reserve(ORIGIN, TERMS) is None
    assert purse.reserve(ORIGIN, TERMS, share=True) is None  # that deposit is not enough for both
    clock.now += FORGOTTEN_SECONDS
    payment = purse.reserve(ORIGIN, TERMS)  # the deposit has expired, it may have been made: a voucher shows it
    assert (payment.deposit, payment.max_claimable) == (None, 100)
    assert purse.channels[0].charged == purse.channels[0].doubtful == 100


def test_a_waiting_call_may_share_a_deposit():
    purse = Purse(WALLET, rules(100, 10_000), Store())
    first = purse.reserve(ORIGIN, TERMS)
    assert purse.reserve(ORIGIN, TERMS) is None
    second = purse.reserve(ORIGIN, TERMS, share=True)
    assert second.deposit == first.deposit
    assert second.max_claimable == 200
    purse.taken(first)
    purse.taken(second)
    assert purse.channels[0].balance == purse.channels[0].deposited == 1000


def test_a_deposit_that_was_not_needed_in_the_end_is_kept_for_the_next_call():
    purse = Purse(WALLET, rules(100, 10_000), Store())
    payment = purse.reserve(ORIGIN, TERMS)
    purse.taken(payment, made=False)  # a deposit that this purse has forgotten came in, and was enough
    purse.finish(payment, answered(100))
    assert (purse.channels[0].balance, purse.channels[0].exposed(0)) == (100, 1000)
    again = purse.reserve(ORIGIN, TERMS)
    assert again.deposit == payment.deposit
    purse.release(again, unsure=True)
    last = purse.reserve(ORIGIN, TERMS)
    purse.taken(last, made=False)  # it was sent before: it is the one that came in
    assert purse.channels[0].balance == 1100


def test_an_expired_deposit_makes_room_unless_it_may_have_been_made():
    for unsure, left in ((False, 0), (True, 1000)):
        clock = Clock()
        purse = Purse(WALLET, rules(100, 1000), Store(), clock)
        purse.release(purse.reserve(ORIGIN, TERMS), unsure=unsure)
        assert purse.channels[0].exposed(clock.now) == 1000
        clock.now += 301
        payment = purse.reserve(ORIGIN, TERMS)
        assert (payment.deposit is None) == unsure
        purse.release(payment)
        assert purse.channels[0].deposited == left


def test_a_deposit_that_became_too_small_still_counts():
    for unsure in (False, True):
        clock = Clock()
        purse = Purse(WALLET, rules(400, 1000, multiplier=1), Store(), clock)
        purse.release(purse.reserve(ORIGIN, TERMS), unsure=unsure)
        purse.release(purse.reserve(ORIGIN, replace(TERMS, amount=400)))
        assert purse.channels[0].exposed(clock.now) == 500
        assert purse.channels[0].exposed(clock.now + 301) == (500 if unsure else 400)


def test_a_spoilt_deposit_counts_for_ever():
    clock = Clock()
    purse = Purse(WALLET, rules(100, 1000), Store(), clock)
    purse.release(purse.reserve(ORIGIN, TERMS), unsure=True, spoilt=True)
    clock.now += 301
    with pytest.raises(OverBudget, match="0 of the budget of 1000 is left: to go on, connect with a larger budget"):
        purse.reserve(ORIGIN, TERMS)


def test_a_refund_makes_no_room_for_deposits():
    purse = Purse(WALLET, rules(100, 1000), Store())
    paid(purse, 100)
    for _ in range(3):
        purse.refunded(purse.channels[0].id, 900)
        with pytest.raises(OverBudget, match="also what came back"):
            paid(purse, 100)
    assert purse.channels[0].deposited == 1000


def refused_with(code: str, purse: Purse) -> dict[str, int]:
    """Have a gateway refuse a call as often as it is paid; return the deposits it was shown, by salt."""
    entry = {
        "scheme": "batch-settlement",
        "network": "eip155:31337",
        "amount": "100",
        "asset": TERMS.token,
        "payTo": TERMS.operator,
        "maxTimeoutSeconds": 300,
        "extra": {"receiverAuthorizer": TERMS.operator, "withdrawDelay": 86400, "name": "T", "version": "1"},
    }
    required = base64.b64encode(json.dumps({"x402Version": 2, "accepts": [entry]}).encode()).decode()
    shown = {}

    class Refuser:
        body = b"{}"

        async def send(self, payment: str | None = None) -> httpx.Response:
            deposit = json.loads(base64.b64decode(payment))["payload"].get("deposit") if payment else None
            if deposit:
                shown[deposit["authorization"]["erc3009Authorization"]["salt"]] = int(deposit["amount"])
            return httpx.Response(402, headers={"PAYMENT-REQUIRED": required}, json={"error": {"code": code}})

    with suppress(OverBudget):
        assert asyncio.run(PaidCall(purse, ORIGIN, Refuser()).pay()).status_code == 402
    return shown


@pytest.mark.parametrize("code", ["no", "stale_quote", "deposit_refused", "deposit_expired", "channel_not_found"])
def test_a_deposit_that_was_sent_counts_for_ever_whatever_the_gateway_says(code: str):
    clock = Clock()
    purse = Purse(WALLET, rules(100, 3000), Store(), clock)
    shown: dict[str, int] = {}
    for _ in range(9):
        shown |= refused_with(code, purse)
        assert 1000 <= sum(shown.values()) <= purse.channels[0].exposed(clock.now) <= 3000
        clock.now += 301


def test_without_tokens_only_the_networks_dollar_is_paid():
    open_to_all = Rules(100, 1000)
    base = replace(TERMS, chain_id=8453, token=DOLLARS["eip155:8453"])
    assert Purse(WALLET, open_to_all, Store()).reserve(ORIGIN, base).deposit
    with pytest.raises(NotAllowed, match=f"only USDC at {base.token} is paid.*name it: tokens=..{TERMS.token}"):
        Purse(WALLET, open_to_all, Store()).reserve(ORIGIN, replace(base, token=TERMS.token))
    with pytest.raises(NotAllowed, match="its USDC is not known here"):
        Purse(WALLET, open_to_all, Store()).reserve(ORIGIN, TERMS)


def test_a_token_that_was_allowed_once_is_not_allowed_without_being_named():
    store = Store()
    paid(Purse(WALLET, rules(100, 1000), store), 1)
    with pytest.raises(NotAllowed):
        Purse(WALLET, Rules(100, 1000), store).reserve(ORIGIN, TERMS)


def test_the_dollars_are_those_of_x402():
    theirs = {network: assets[0] for network, assets in DEFAULT_ASSETS.items()}
    signed = {n: a for n, a in theirs.items() if a["symbol"] == "USDC" and "asset_transfer_method" not in a}
    assert {network: asset["asset"].lower() for network, asset in signed.items()} == DOLLARS


def test_twenty_threads_share_one_purse():
    purse = Purse(WALLET, rules(100, 100_000), Store())
    paid(purse, 0, min_deposit=50_000)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: paid(purse, 7), range(60)))
    channel = purse.channels[0]
    assert (channel.charged, channel.slots, channel.balance) == (420, {}, 50_000)


WORKER = """
import sys
from usufruct_client.purse import Answered, Purse
from usufruct_client import Rules, Store, Wallet
from usufruct_client.x402 import Requirements
terms = Requirements(31337, 100, "0x" + "70" * 20, "0x" + "71" * 20, 300, "0x" + "71" * 20, 86400, "T", "1", 50_000,
                     None, None, {})
rules = Rules(100, 200_000, tokens=[terms.token])
purse = Purse(Wallet.from_key(b"\\x21" * 32), rules, Store(sys.argv[1]))
for _ in range(25):
    payment = purse.reserve("http://gateway:80", terms, share=True)
    purse.taken(payment)
    purse.finish(payment, Answered(3, None, "", None))
"""


def test_processes_share_one_file(tmp_path: Path):
    file = tmp_path / "channels.db"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, file], env=ENVIRONMENT, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=180)
        assert worker.returncode == 0, errors.decode()
    channels = Purse(WALLET, rules(100, 200_000), Store(file)).channels
    assert [(each.charged, each.balance, each.slots) for each in channels] == [(3 * 75, 50_000, {})]


FRESH = """
import sys
from usufruct_client import Store
for line in sys.stdin:
    Store(line.strip()).close()
    print("made", flush=True)
"""


def test_processes_make_one_file_at_the_same_moment(tmp_path: Path):
    """They import once, and then are told to make one file after the other."""
    command = [sys.executable, "-c", FRESH]
    with ExitStack() as stack:
        makers = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            )
            for _ in range(3)
        ]
        for number in range(10):
            for maker in makers:
                maker.stdin.write(f"{tmp_path / str(number)}.db\n")
                maker.stdin.flush()
            assert [maker.stdout.readline() for maker in makers] == ["made\n"] * 3
        for maker in makers:
            maker.stdin.close()


DIES = """
import os, signal, sys
from usufruct_client import Purse, Rules, Store, Wallet
from usufruct_client.x402 import Requirements
terms = Requirements(31337, 100, "0x" + "70" * 20, "0x" + "71" * 20, 300, "0x" + "71" * 20, 86400, "Test Dollar", "1",
                     50, None, None, {})
purse = Purse(Wallet.from_key(b"\x21" * 32), Rules(400, 10_000, tokens=[terms.token]), Store(sys.argv[1]))
payment = purse.reserve("http://gateway:80", terms)
if sys.argv[2] == "taken":
    purse.taken(payment)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("after", ["signed", "taken"])
def test_what_a_killed_process_signed_is_counted(tmp_path: Path, after: str):
    file = tmp_path / "channels.db"
    command = [sys.executable, "-c", DIES, str(file), after]
    assert subprocess.run(command, env=ENVIRONMENT, check=False).returncode == -9
    purse = Purse(WALLET, rules(400, 10_000), Store(file))
    [channel] = purse.channels
    assert channel.promised == channel.signed == 100
    assert (channel.balance, channel.exposed(0)) == ((0, 1_000) if after == "signed" else (1_000, 1_000))
    payment = purse.reserve(ORIGIN, TERMS, share=True)
    assert payment.max_claimable == 200, "a voucher covers the call of the dead as well"
    assert purse.channels[0].exposed(0) == 1_000, "and no second deposit is made for it"


def test_a_store_that_cannot_be_used_says_so(tmp_path: Path):
    (tmp_path / "text").write_text("this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(StoreFault, match="text cannot be used"):
        Store(tmp_path / "text")
    with pytest.raises(StoreFault, match="nowhere"):
        Store(tmp_path / "nowhere" / "file.db")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE theirs (id)")
    other.close()
    with pytest.raises(StoreFault, match="database of something else"):
        Store(tmp_path / "other.db")
    first, second = (Store(tmp_path / "locked.db", lock_seconds=0.1) for _ in range(2))
    with first.transaction(), pytest.raises(StoreFault, match="locked"), second.transaction():
        pass
    first.close()
    second.close()


def test_a_failed_change_leaves_nothing(tmp_path: Path):
    store = Store(tmp_path / "file.db")
    with pytest.raises(AttributeError), store.transaction() as books:
        books.keep(books.salt("a", "0x01"))
    with store.transaction() as books:
        assert books.salt("a", "0x02") == "0x02"
    store.close()

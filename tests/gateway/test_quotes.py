"""Prices that step aside: where a payer would sign what is public already, the next quote asks a little more."""

from usufruct.core import Hash32, SystemClock
from usufruct.gateway import Quotes
from usufruct.gateway import quotes as room
from usufruct.payments import Allowance
from usufruct.store import Stamp


def request_hash(number: int) -> Hash32:
    return Hash32(f"0x{number:064x}")


def test_each_refusal_asks_another_amount_within_the_limit_and_for_that_request_only():
    quotes, mine, priced = Quotes(Stamp(b"s" * 32, "quotes"), SystemClock()), request_hash(1), Allowance(50, 188)
    assert quotes.asked(mine, priced, 1_000) == priced
    asked = []
    for _ in range(3):
        quotes.step_aside(mine)
        asked.append(quotes.asked(mine, priced, 1_000).ceiling)
    assert asked == [189, 190, 191]
    assert quotes.asked(request_hash(2), priced, 1_000) == priced
    assert quotes.asked(mine, priced, 190).ceiling == 190
    assert quotes.asked(mine, priced, 100) == priced, "what is priced above a limit is refused elsewhere"
    promised = quotes.asked(mine, priced, 1_000)
    assert quotes.read(quotes.give(mine, 1, promised), mine, 191).allowance == promised


def test_strangers_who_show_public_vouchers_raise_no_price_far_and_fill_no_memory(monkeypatch):
    monkeypatch.setattr(room, "_MOST_REMEMBERED", 10)
    quotes, priced = Quotes(Stamp(b"s" * 32, "quotes"), SystemClock()), Allowance(50, 188)
    for _ in range(1_000):
        quotes.step_aside(request_hash(0))
        assert quotes.asked(request_hash(0), priced, 10**9).ceiling < 188 + 16
    for number in range(100):
        quotes.step_aside(request_hash(number))
    raised = [number for number in range(100) if quotes.asked(request_hash(number), priced, 10**9) != priced]
    assert raised == list(range(90, 100))

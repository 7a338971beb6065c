"""A quote is a promise: for one body, one ceiling and five minutes, kept by any replica; a price may step aside."""

from dataclasses import replace

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.assets import PricePeriod, plain_listing_id
from usufruct.core import Address, Hash32
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Endpoint, ServedListing, Upstream
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.operations.base import Budget, Work
from usufruct.gateway.quotes import QUOTE_SECONDS, Quotes, StaleQuote
from usufruct.payments.pricing.charges import Allowance
from usufruct.store import Stamp

SECRET = b"a secret of some length"
BODY = Hash32("0x" + "ab" * 32)
CHANNEL, ANOTHERS = Hash32("0x" + "c1" * 32), Hash32("0x" + "c2" * 32)
PROMISED = Allowance(output_tokens=700, ceiling=12_345)
PAY_TO = Address("0x" + "55" * 20)
OLD, NEW = PriceCard(1, 2, 3, 4_096, 1), PriceCard(10, 20, 30, 4_096, 2)
ASSET = ServedListing(
    name="hamlet",
    operation=Endpoint.CHAT,
    pay_to=PAY_TO,
    id=plain_listing_id("hamlet", PAY_TO),
    upstreams=(Upstream("http://one/v1", "m"),),
    prices=(PricePeriod(OLD, 0), PricePeriod(NEW, 1_000)),
)


class NoWork(Work):
    """A request that is quoted and never run."""


ORDER = CallOrder(ASSET, NoWork(), NEW, Budget(), BODY, idempotency=None)
STAKER, STRANGER = Address("0x" + "5a" * 20), Address("0x" + "5b" * 20)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def quotes(clock):
    return Quotes(Stamp(SECRET, "quotes"), clock)


def test_every_replica_keeps_what_one_promised_until_it_is_over(quotes, clock):
    quote = quotes.give(ORDER, PROMISED)
    other_replica = Quotes(Stamp(SECRET, "quotes"), clock)
    assert other_replica.read(quote, ORDER, PROMISED.ceiling) == Price(NEW, PROMISED)

    clock.advance(QUOTE_SECONDS)
    assert other_replica.read(quote, ORDER, PROMISED.ceiling) == Price(NEW, PROMISED)

    clock.advance(1)
    with pytest.raises(StaleQuote, match="held until") as refused:
        other_replica.read(quote, ORDER, PROMISED.ceiling)
    assert refused.value.details == {"field": "quote", "expires_at": clock.now() - 1}


def test_releases_that_run_side_by_side_know_each_others_quotes(quotes, clock):
    """The marked words are the body's hash, 8 bytes of version, 8 of output, 16 of ceiling, 8 of time."""
    until = clock.now() + 300
    words = bytes.fromhex(BODY[2:] + f"{2:016x}{700:016x}{12_345:032x}{until:016x}")
    quote = f"2.700.{until}.{Stamp(SECRET, 'quotes').mark(words).hex()}"
    assert quotes.give(ORDER, PROMISED) == quote


@pytest.mark.parametrize(
    ("body", "ceiling"), [(Hash32("0x" + "ac" * 32), 12_345), (BODY, 12_344), (BODY, 12_346), (BODY, 0)]
)
def test_a_quote_is_worth_nothing_for_another_request_or_amount(quotes, body, ceiling):
    with pytest.raises(StaleQuote, match="another request, payer or amount") as refused:
        quotes.read(quotes.give(ORDER, PROMISED), replace(ORDER, request_hash=body), ceiling)
    assert refused.value.details == {"field": "quote"}


@pytest.mark.parametrize(("place", "changed"), [(0, "1"), (1, "701"), (2, "9999999999"), (3, "0" * 32)])
def test_nobody_can_change_what_was_promised(quotes, place, changed):
    parts = quotes.give(ORDER, PROMISED).split(".")
    parts[place] = changed
    with pytest.raises(StaleQuote):
        quotes.read(".".join(parts), ORDER, PROMISED.ceiling)


@pytest.mark.parametrize("quote", ["", "2.700", "2.700.1.xyz", "-2.700.1800000300." + "0" * 32, "9" * 30])
def test_what_is_no_quote_is_refused(quotes, quote):
    with pytest.raises(StaleQuote, match="not one of ours") as refused:
        quotes.read(quote, ORDER, PROMISED.ceiling)
    assert refused.value.details == {"field": "quote"}


def test_largest_numbers_can_be_promised(quotes):
    largest = Allowance((1 << 32) - 1, (1 << 128) - 1)
    version = (1 << 63) - 1
    newest = replace(NEW, version=version)
    order = replace(ORDER, listing=replace(ASSET, prices=(PricePeriod(newest, 0),)), card=newest)
    assert quotes.read(quotes.give(order, largest), order, largest.ceiling) == Price(newest, largest)


@pytest.mark.parametrize("card", [OLD, NEW])
def test_the_quoted_card_holds_and_not_the_newest(quotes, card):
    quote = quotes.give(replace(ORDER, card=card), PROMISED)
    assert quotes.read(quote, ORDER, PROMISED.ceiling) == Price(card, PROMISED)


def test_a_card_that_is_gone_makes_the_quote_stale(quotes):
    anew = replace(ASSET, prices=(PricePeriod(replace(NEW, version=3), 0),))
    with pytest.raises(StaleQuote, match="hamlet has no price card 1") as refused:
        quotes.read(quotes.give(replace(ORDER, card=OLD), PROMISED), replace(ORDER, listing=anew), PROMISED.ceiling)
    assert refused.value.details == {"field": "quote"}


def test_a_quote_for_a_level_keeps_the_lowered_prices_for_that_payer_alone(quotes):
    quote = quotes.give(replace(ORDER, staker=STAKER, discount_bps=1_250), PROMISED)
    assert quote.split(".")[3] == "1250"
    later = replace(ORDER, staker=STAKER, discount_bps=0)
    assert quotes.read(quote, later, PROMISED.ceiling) == Price(PriceCard(9, 18, 27, 4_096, 2), PROMISED, 1_250)
    for other in (replace(later, staker=STRANGER), replace(later, staker=None)):
        with pytest.raises(StaleQuote, match="another request, payer or amount"):
            quotes.read(quote, other, PROMISED.ceiling)
    for changed in (quote.replace(".1250.", ".5000."), quote.replace(".1250.", ".")):
        with pytest.raises(StaleQuote):
            quotes.read(changed, later, PROMISED.ceiling)


def test_a_quote_that_names_no_payer_has_the_discount_of_the_one_who_pays(quotes):
    quote = quotes.give(ORDER, PROMISED)
    assert len(quote.split(".")) == 4
    paid = quotes.read(quote, replace(ORDER, staker=STAKER, discount_bps=5_000), PROMISED.ceiling)
    assert paid == Price(PriceCard(5, 10, 15, 4_096, 2), PROMISED, 5_000)
    with pytest.raises(StaleQuote):
        quotes.read(quote[:-33] + ".5000" + quote[-33:], replace(ORDER, staker=STAKER), PROMISED.ceiling)


def request_hash(number: int) -> Hash32:
    return Hash32(f"0x{number:064x}")


def test_each_refusal_asks_another_amount_within_the_limit_and_for_that_request_only():
    quotes, mine, priced = Quotes(Stamp(SECRET, "quotes"), FakeClock()), request_hash(1), Allowance(50, 188)
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
    order = replace(ORDER, request_hash=mine)
    assert quotes.read(quotes.give(order, promised), order, 191).allowance == promised


def test_strangers_who_show_public_vouchers_raise_no_price_far_and_fill_no_memory():
    quotes = Quotes(Stamp(SECRET, "quotes"), FakeClock(), most_remembered=10)
    priced = Allowance(50, 188)
    for _ in range(1_000):
        quotes.step_aside(request_hash(0))
        assert quotes.asked(request_hash(0), priced, 10**9).ceiling < 188 + 16
    for number in range(100):
        quotes.step_aside(request_hash(number))
    raised = [number for number in range(100) if quotes.asked(request_hash(number), priced, 10**9) != priced]
    assert raised == list(range(90, 100))


def test_a_payer_who_has_to_catch_up_is_asked_for_more_once_and_soon(quotes, clock):
    more = replace(PROMISED, ceiling=PROMISED.ceiling + 400)
    quotes.catch_up(BODY, CHANNEL, 400)
    assert quotes.asked(Hash32("0x" + "cd" * 32), PROMISED, 2**128) == PROMISED
    assert quotes.asked(BODY, PROMISED, 2**128) == more
    assert quotes.asked(BODY, PROMISED, 2**128) == PROMISED

    quotes.catch_up(BODY, CHANNEL, 400)
    clock.advance(60)
    assert quotes.asked(BODY, PROMISED, 2**128) == PROMISED


def test_more_is_not_asked_of_a_payer_who_was_corrected_nor_above_a_limit(quotes):
    quotes.catch_up(BODY, CHANNEL, 400)
    quotes.forget(BODY, CHANNEL)
    assert quotes.asked(BODY, PROMISED, 2**128) == PROMISED
    quotes.catch_up(BODY, CHANNEL, 400)
    assert quotes.asked(BODY, PROMISED, PROMISED.ceiling + 7).ceiling == PROMISED.ceiling + 7


def test_who_is_known_to_be_another_payer_neither_pays_nor_ends_the_catching_up_of_the_same_body(quotes):
    quotes.catch_up(BODY, CHANNEL, 400)
    assert quotes.asked(BODY, PROMISED, 2**128, ANOTHERS) == PROMISED
    quotes.forget(BODY, ANOTHERS)
    assert quotes.asked(BODY, PROMISED, 2**128, CHANNEL).ceiling == PROMISED.ceiling + 400
    assert quotes.asked(BODY, PROMISED, 2**128, CHANNEL) == PROMISED

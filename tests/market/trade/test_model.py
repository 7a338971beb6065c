"""Pure rules of share offers: prices against a slow model, states, hashes as the chain computes them."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from usufruct.core import Address, Hash32
from usufruct.market.trade.model import Deductions, GoodsOffer, OfferState, last_expiry
from usufruct.market.trade.store import Cancellation
from usufruct_client.eip712_messages import EXCHANGE, SIGNED_LISTING
from usufruct_client.trade import (
    Goods,
    OfferedItem,
    TradingVenue,
    authorization_nonce,
    fee_down,
    price_of_one,
    price_up,
    purchase_salt,
)

MAKER, BUYER, SHARES, PASSES, REGISTRY = (Address("0x" + each * 20) for each in ("a1", "b2", "c3", "d4", "e5"))
EXCHANGE_AT, TOKEN = Address("0x" + "d4" * 20), Address("0x" + "e5" * 20)
HASH = Hash32("0x" + "11" * 32)
GOODS, TITLE = Goods(1, SHARES), Goods(1, REGISTRY, title=True)
OFFER = GoodsOffer(HASH, GOODS, MAKER, TOKEN, 1_000, 77, 2_000, 250, 5, b"")

UINT128 = st.integers(1, 2**128 - 1)


@given(UINT128, UINT128, st.data())
def test_a_part_costs_its_share_rounded_up(price, amount, data):
    part = data.draw(st.integers(1, amount))
    exact = Fraction(price) * part / amount
    assert price_up(price, amount, part) == ceil(exact)


@given(UINT128, UINT128, st.integers(0, 18), st.integers(0, 18))
def test_a_price_of_one_is_rounded_up_and_close(price, amount, unit_decimals, decimals):
    exact = Fraction(price, 10**decimals) / Fraction(amount, 10**unit_decimals)
    one = Fraction(price_of_one(price, amount, unit_decimals, decimals))
    assert exact <= one < exact + min(Fraction(1, 10**6), exact / 1_000)


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_no_way_of_slicing_is_cheaper_than_the_whole(price, parts):
    amount = sum(parts)
    assert sum(price_up(price, amount, each) for each in parts) >= price_up(price, amount, amount) == price
    assert all(price_up(price, amount, each) > 0 for each in parts)


@given(UINT128, st.integers(0, 500), st.integers(0, 1_000))
def test_fee_and_royalty_are_within_what_the_maker_allowed(price, fee_bps, royalty_bps):
    """The exchange refuses a sale whose deductions are above `maxDeductionBps` of the price, rounded down."""
    deductions, item = Deductions(fee_bps, royalty_bps), OfferedItem(Goods(1, SHARES, plan=7), 1, price)
    fee, royalty = deductions.of([item])
    assert (fee, royalty) == (fee_down(price, fee_bps), fee_down(price, royalty_bps))
    assert 0 <= fee + royalty <= price * deductions.bps_up([item]) // 10_000 < price


@given(UINT128, st.lists(st.tuples(st.booleans(), UINT128), max_size=8), st.integers(0, 500), st.integers(0, 1_000))
def test_a_bundle_pays_each_items_royalty_and_the_maker_allows_the_least_that_sells_it(
    price, more, fee_bps, royalty_bps
):
    """The royalty of each item is asked on its price, and shares have none, as in `Exchange._payRoyalty`."""
    parts = [
        OfferedItem(Goods(1, PASSES, plan=at) if royal else Goods(1, SHARES), 1, each)
        for at, (royal, each) in enumerate(more)
    ]
    deductions, items = Deductions(fee_bps, royalty_bps), [OfferedItem(TITLE, 1, price), *parts]
    whole = price + sum(each for _, each in more)
    royalties = [price, *(each for royal, each in more if royal)]
    fee, royalty = deductions.of(items)
    assert fee == floor(Fraction(whole) * fee_bps / 10_000)
    assert royalty == sum(floor(Fraction(each) * royalty_bps / 10_000) for each in royalties)
    allowed = deductions.bps_up(items)
    assert allowed <= deductions.bps
    assert fee + royalty <= whole * allowed // 10_000 < whole
    assert fee + royalty == 0 or fee + royalty > whole * (allowed - 1) // 10_000


def test_items_are_in_the_exchanges_order_and_the_title_has_the_rest_of_the_price():
    more = (OfferedItem(Goods(1, PASSES, plan=9), 5, 30), OfferedItem(Goods(1, SHARES), 7, 20))
    whole = replace(OFFER, goods=TITLE, amount=1, price=100, more=more)
    assert [(each.goods.token, each.goods.id, each.amount, each.price) for each in whole.items] == [
        (SHARES, 0, 7, 20),
        (PASSES, 9, 5, 30),
        (REGISTRY, 1, 1, 50),
    ]
    listing = whole.listing
    assert not listing.divisible
    assert sum(each.price for each in (listing.item, *listing.more)) == whole.price_up(0) == 100
    assert [whole.left_of(each.goods) for each in whole.items] == [7, 5, 1]
    assert replace(whole, sold=1).left_of(TITLE) == 0
    enough = {each.goods: each.amount for each in whole.items}
    assert whole.covered(enough) == 1
    assert [whole.covered(enough | {each.goods: each.amount - 1}) for each in whole.items] == [0, 0, 0]
    assert (whole.sells(0), whole.sells(1), OFFER.sells(0), OFFER.sells(1_001)) == (True, False, False, False)


@given(st.integers(1, 2**40), st.integers(0, 2**40))
def test_an_offer_ends_with_its_credits(until, void_at):
    last = last_expiry(until, void_at)
    assert last <= until
    assert last == until if not void_at else last <= void_at
    assert last in (until, void_at)


@given(UINT128, st.integers(0, 500))
def test_the_fee_is_rounded_down_and_leaves_the_maker_the_rest(price, bps):
    fee = fee_down(price, bps)
    assert fee == floor(Fraction(price) * bps / 10_000)
    assert 0 <= fee <= price


@given(UINT128, UINT128, UINT128, UINT128)
def test_offers_are_sorted_by_the_price_of_a_share(price, amount, other_price, other_amount):
    one, other = replace(OFFER, price=price, amount=amount), replace(OFFER, price=other_price, amount=other_amount)
    assert 0 < one.rate < 2**256
    if Fraction(price, amount) < Fraction(other_price, other_amount):
        assert one.rate <= other.rate


@pytest.mark.parametrize(
    ("changes", "now", "fee", "covered", "state"),
    [
        ({}, 1_999, 250, 1, OfferState.OPEN),
        ({}, 2_000, 250, 1, OfferState.EXPIRED),
        ({"sold": 1_000}, 2_000, 250, 1, OfferState.SOLD),
        ({"sold": 1_500}, 0, 250, 1, OfferState.SOLD),
        ({"used": True}, 2_000, 250, 1, OfferState.CANCELLED),
        ({}, 0, 251, 1, OfferState.FEE_RAISED),
        ({}, 0, 250, 0, OfferState.UNCOVERED),
        ({}, 0, None, 1, OfferState.UNKNOWN),
        ({}, 0, 250, None, OfferState.UNKNOWN),
    ],
)
def test_an_offers_state(changes, now, fee, covered, state):
    assert replace(OFFER, **changes).state(now, fee, covered) is state


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 2**248 - 1))
def test_a_cancellation_holds_the_nonces_of_its_bits(nonce, mask, word):
    bits = {256 * word + bit for bit in range(256) if mask >> bit & 1}
    assert Cancellation(1, 1, MAKER, word, mask).holds(nonce) is (nonce in bits)
    assert all(Cancellation(1, 1, MAKER, word, mask).holds(each) for each in bits)


@pytest.mark.parametrize(("goods", "kind", "id_"), [(GOODS, 0, 0), (Goods(1, SHARES, 1 << 128 | 7), 2, 1 << 128 | 7)])
def test_a_listings_hash_is_what_wallets_sign(goods, kind, id_):
    item = {"kind": kind, "token": SHARES, "id": id_, "amount": 1_000, "price": 77}
    head = {"maker": MAKER, "currency": TOKEN, "expiry": 2_000, "maxDeductionBps": 250, "divisible": True, "nonce": 5}
    document = SIGNED_LISTING.document(EXCHANGE.data(31337, EXCHANGE_AT), head | {"item": item, "more": []})
    wanted = "0x" + _hash_eip191_message(encode_typed_data(full_message=document)).hex().removeprefix("0x")
    assert TradingVenue(31337, EXCHANGE_AT, goods, TOKEN).offer_hash(OFFER) == wanted
    item_of = replace(OFFER, goods=goods).listing.item
    assert (item_of.kind, item_of.token, item_of.id) == (kind, SHARES, id_)
    assert TradingVenue(1, EXCHANGE_AT, goods, TOKEN).offer_hash(OFFER) != wanted


def test_a_bundles_hash_is_what_wallets_sign():
    more = (OfferedItem(Goods(1, PASSES, plan=9), 5, 30), OfferedItem(Goods(1, SHARES), 7, 20))
    items = [
        {"kind": 0, "token": SHARES, "id": 0, "amount": 7, "price": 20},
        {"kind": 2, "token": PASSES, "id": 9, "amount": 5, "price": 30},
        {"kind": 1, "token": REGISTRY, "id": 1, "amount": 1, "price": 50},
    ]
    head = {"maker": MAKER, "currency": TOKEN, "expiry": 2_000, "maxDeductionBps": 250, "divisible": False, "nonce": 5}
    document = SIGNED_LISTING.document(EXCHANGE.data(31337, EXCHANGE_AT), head | {"item": items[0], "more": items[1:]})
    wanted = "0x" + _hash_eip191_message(encode_typed_data(full_message=document)).hex().removeprefix("0x")
    whole = replace(OFFER, goods=TITLE, amount=1, price=100, more=more)
    assert TradingVenue(31337, EXCHANGE_AT, TITLE, TOKEN, more).offer_hash(whole) == wanted


def test_a_payment_is_bound_to_offer_amount_buyer_and_what_was_bought_before():
    salt = purchase_salt(HASH, BUYER, 10, 0)
    assert salt == purchase_salt(HASH, BUYER, 10, 0)
    other = Hash32("0x" + "22" * 32)
    assert (
        len(
            {
                salt,
                *(
                    purchase_salt(*each)
                    for each in [
                        (other, BUYER, 10, 0),
                        (HASH, MAKER, 10, 0),
                        (HASH, BUYER, 11, 0),
                        (HASH, BUYER, 10, 1),
                    ]
                ),
            }
        )
        == 5
    )
    nonces = [(HASH, 10, BUYER, salt), (other, 10, BUYER, salt), (HASH, 11, BUYER, salt), (HASH, 10, MAKER, salt)]
    assert len({authorization_nonce(*each) for each in nonces}) == 4

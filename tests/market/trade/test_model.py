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
    TradingVenue,
    authorization_nonce,
    fee_down,
    price_of_one,
    price_up,
    purchase_salt,
)

MAKER, BUYER, SHARES = (Address("0x" + each * 20) for each in ("a1", "b2", "c3"))
EXCHANGE_AT, TOKEN = Address("0x" + "d4" * 20), Address("0x" + "e5" * 20)
HASH = Hash32("0x" + "11" * 32)
GOODS = Goods(1, SHARES)
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
    deductions = Deductions(fee_bps, royalty_bps)
    fee, royalty = deductions.of(price)
    assert 0 <= fee + royalty <= price * deductions.bps // 10_000 < price


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

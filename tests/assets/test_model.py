"""The rules of assets, against slow obvious models and at their limits."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.refusal import refused
from usufruct.assets import Holding, NewAsset, PricePeriod, about_calls, bps_of_percent, shares_of_percent
from usufruct.assets.errors import InvalidAsset
from usufruct.assets.model import SUPPLY
from usufruct.assets.passes import check_plan
from usufruct.assets.price_cards import TYPICAL_CALL, card_in_force
from usufruct.assets.registration import check_new_asset, check_owners
from usufruct.chain.contracts.asset_registry import Parent
from usufruct.core import ZERO_ADDRESS, Address, ChainId, moment
from usufruct.core.price_cards import PriceCard, PriceUnit

DEVNET, PUBLIC = ChainId(31337), ChainId(8453)
ANN, BOB = Address("0x" + "a1" * 20), Address("0x" + "b2" * 20)
CARD = PriceCard(500_000, 2_000_000, 100, 8_192, 1, cached_input_bps=1_000)
TERMS = NewAsset("my-model", "MINE", ANN, CARD)


def card(version: int) -> PriceCard:
    return replace(CARD, version=version)


class Contract:
    """What the registry's storage does, step by step."""

    def __init__(self, notice: int) -> None:
        self.notice, self.card, self.pending, self.pending_from = notice, 1, 0, 0

    def announce(self, now: int) -> PricePeriod:
        version = (self.pending if self.pending_from else self.card) + 1
        if self.pending_from and now >= self.pending_from:
            self.card = self.pending
        self.pending, self.pending_from = version, now + self.notice
        return PricePeriod(card(version), self.pending_from)

    def in_force(self, now: int) -> int:
        return self.pending if self.pending_from and now >= self.pending_from else self.card


@given(st.integers(1, 20), st.lists(st.integers(0, 15), max_size=8), st.integers(0, 60))
def test_the_card_in_force_is_the_registrys(notice: int, gaps: list[int], until: int):
    contract, cards, now = Contract(notice), [PricePeriod(card(1), 0)], 0
    for gap in gaps:
        now += gap
        cards.append(contract.announce(now))
    for time in range(now, now + until):
        assert card_in_force(cards, notice, time).card.version == contract.in_force(time)


amounts = st.integers(0, 2**128 - 1)


@given(st.integers(0, 2**192), amounts, amounts, amounts)
def test_about_so_many_calls_are_paid_and_one_more_is_not(credit: int, price_in: int, price_out: int, per_call: int):
    calls = about_calls(credit, PriceCard(price_in, price_out, per_call, 0, 1, cached_input_bps=0))
    exact = Fraction(TYPICAL_CALL[0] * price_in + TYPICAL_CALL[1] * price_out, 1_000_000) + per_call
    if calls is None:
        assert exact == 0
    else:
        assert calls * exact <= credit < (calls + 1) * (exact + 1)


def test_calls_that_are_not_counted_in_text_tokens_are_not_estimated():
    assert about_calls(10**9, replace(CARD, unit=PriceUnit.IMAGE)) is None


@pytest.mark.parametrize(("text", "bps"), [("12.5", 1_250), ("10%", 1_000), ("0", 0), ("100", 10_000)])
def test_per_cent_is_read_with_and_without_its_sign(text: str, bps: int):
    assert bps_of_percent(text, "cached_input") == bps


@given(st.integers(0, SUPPLY // 10**6))
def test_per_cent_and_shares_are_the_same_thing(millionths: int):
    held = Holding(ANN, millionths * 10**6)
    assert shares_of_percent(held.percent, "owner") == held.amount


@given(st.lists(st.integers(1, SUPPLY), max_size=4))
def test_no_more_shares_are_given_than_there_are(given_away: list[int]):
    owners = [Holding(Address(f"0x{index:040x}"), amount) for index, amount in enumerate(given_away, 1)]
    if sum(given_away) > SUPPLY:
        with pytest.raises(InvalidAsset, match="at most 100 per cent"):
            check_owners(owners, ANN)
    else:
        assert check_owners(owners, ANN) == owners


def test_the_registrants_own_part_is_not_given():
    assert check_owners([Holding(ANN, 70), Holding(BOB, 30)], ANN) == [Holding(BOB, 30)]


@pytest.mark.parametrize("owners", [[Holding(ANN, 1), Holding(ANN, 2)], [Holding(ANN, 0)], [Holding(ZERO_ADDRESS, 1)]])
def test_owners_that_cannot_be(owners: list[Holding]):
    with pytest.raises(InvalidAsset, match="owner"):
        check_owners(owners, BOB)


PARENTS = tuple(Parent(Address(f"0x{index:040x}"), 1_250) for index in range(1, 5))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x"},
        {"name": "n" * 64},
        {"name": "org/model.v2..1"},
        {"symbol": "S" * 11},
        {"notice_period": 3_600},
        {"notice_period": 30 * 86_400},
        {"resale_royalty_bps": 1_000},
        {"parents": PARENTS},
        {"card": replace(CARD, context_window=0)},
        {"card": replace(CARD, per_call=2**128 - 1)},
        {"card": replace(CARD, input_per_million=2**128 - 1, output_per_million=2**128 - 1)},
        {"card": replace(CARD, cached_input_bps=0)},
        {"card": replace(CARD, cached_input_bps=10_000, unit=PriceUnit.STEP)},
        {"salt": bytes(32)},
        {"transfer_policy": BOB},
    ],
)
def test_terms_at_their_limits(change: dict[str, object]):
    check_new_asset(replace(TERMS, **change), DEVNET)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": ""}),
        ("name", {"name": " x"}),
        ("name", {"name": "a\nb"}),
        ("name", {"name": "n" * 65}),
        ("name", {"name": "0x12"}),
        ("name", {"name": "12"}),
        ("name", {"name": "../account"}),
        ("name", {"name": "org/./model"}),
        ("name", {"name": ".."}),
        ("symbol", {"symbol": ""}),
        ("symbol", {"symbol": "S" * 12}),
        ("symbol", {"symbol": "A B"}),
        ("symbol", {"symbol": "Ä"}),
        ("notice", {"notice_period": 3_599}),
        ("notice", {"notice_period": 30 * 86_400 + 1}),
        ("resale_royalty", {"resale_royalty_bps": 1_001}),
        ("parents", {"parents": (*PARENTS, Parent(ANN, 1))}),
        ("parents", {"parents": (Parent(ANN, 1), Parent(ANN, 2))}),
        ("royalty", {"parents": (Parent(ANN, 0),)}),
        ("royalties", {"parents": (Parent(ANN, 5_001),)}),
        ("version", {"card": card(2)}),
        ("context_window", {"card": replace(CARD, context_window=1)}),
        ("input_per_million", {"card": replace(CARD, input_per_million=2**128)}),
        ("output_per_million", {"card": replace(CARD, output_per_million=-1)}),
        ("per_call", {"card": replace(CARD, per_call=2**128)}),
        ("cached_input", {"card": replace(CARD, cached_input_bps=10_001)}),
        ("cached_input", {"card": replace(CARD, cached_input_bps=-1)}),
        ("salt", {"salt": b"short"}),
        ("uri", {"uri": "a\x00"}),
        ("endpoint", {"endpoint": "e" * 1_001}),
    ],
)
def test_terms_no_asset_can_have(field: str, change: dict[str, object]):
    with pytest.raises(InvalidAsset) as refused:
        check_new_asset(replace(TERMS, **change), DEVNET)
    assert refused.value.details["field"] == field


def test_a_public_chain_wants_an_explicit_transfer_policy():
    with refused("transfer_policy_needed", "securities"):
        check_new_asset(TERMS, PUBLIC)
    for choice in (ZERO_ADDRESS, BOB):
        check_new_asset(replace(TERMS, transfer_policy=choice), PUBLIC)


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("price", (0, 1, 0)),
        ("credits", (1, 0, 0)),
        ("expiry", (1, 1, 100 + 30 * 86_400 + 60 - 1)),
        ("expiry", (1, 1, 1 << 40)),
    ],
)
def test_plans_that_sell_nothing(field: str, terms: tuple[int, int, int]):
    with pytest.raises(InvalidAsset) as refused:
        check_plan(*terms, now=100, notice_period=60)
    assert refused.value.details["field"] == field
    check_plan(1, 1, 100 + 30 * 86_400 + 60, now=100, notice_period=60)


def test_moments_are_readable_however_late():
    assert moment(0) == "1970-01-01T00:00:00Z"
    assert moment((1 << 40) - 1) == "1099511627775 seconds since 1970"


def test_the_same_name_makes_the_same_salt_and_another_name_another():
    salts = {replace(TERMS, name=name).registration().salt for name in ("a", "a", "b")}
    assert len(salts) == 2
    assert replace(TERMS, salt=bytes(31) + b"\1").registration().salt == bytes(31) + b"\1"

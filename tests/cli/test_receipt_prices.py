"""A receipt's lines are those of the price card, or of the card less the discount of a level that the service gives."""

import pytest

from tests.support import lying_gateway as liars
from usufruct.cli.support.receipt_checks import Check, check_prices
from usufruct.core import AssetId
from usufruct.core.price_cards import PriceCard
from usufruct.payments.pricing import Usage, discounted_card_up, price_lines
from usufruct_client import read_receipt
from usufruct_client.wire import ModelCard, ModelPrice, OutputLimits

CARD = PriceCard(1_000_000, 3_000_000, 5, 4_096, 2, cached_input_bps=1_234)
LEVELS = [0, 500, 1_250, *[2_000] * 7]


def service(level_discounts: list[int]) -> ModelCard:
    price = ModelPrice(
        CARD.version,
        CARD.unit.value,
        CARD.input_per_million,
        CARD.output_per_million,
        CARD.cached_input_bps,
        CARD.per_call,
        token=liars.TOKEN,
        decimals=6,
        symbol="AUD",
    )
    return ModelCard(
        id="answers",
        object="model",
        created=1,
        owned_by=liars.TILL,
        endpoint="chat",
        asset=f"0x{AssetId(7):032x}",
        context_window=4_096,
        output=OutputLimits(100, 1_000, 0),
        forward=[],
        price=price,
        counted_by="utf-8 bytes",
        level_discounts=level_discounts,
    )


def checked(discount_bps: int, level_discounts: list[int]) -> list[Check]:
    lines = price_lines(Usage(1_212, 640, 1_200).quantities, discounted_card_up(CARD, discount_bps))
    receipt = read_receipt(liars.receipt(lines=lines, price_card_version=CARD.version))
    return check_prices(receipt, [service(level_discounts)])


@pytest.mark.parametrize(
    ("discount", "says"),
    [
        (0, "as in price card 2"),
        (500, "as in price card 2, less 5 % by the payer's level"),
        (1_250, "as in price card 2, less 12.5 % by the payer's level"),
        (2_000, "as in price card 2, less 20 % by the payer's level"),
    ],
)
def test_lines_less_the_discount_of_a_level_are_good(discount: int, says: str):
    assert checked(discount, LEVELS) == [Check("prices", True, says)]


@pytest.mark.parametrize(("discount", "given"), [(2_500, LEVELS), (1_300, LEVELS), (500, [])])
def test_lines_less_a_discount_that_no_level_has_are_bad(discount: int, given: list[int]):
    assert checked(discount, given) == [Check("prices", False, "not as in price card 2")]

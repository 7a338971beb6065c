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


@pytest.mark.parametrize(
    ("discount", "given", "less"), [(2_500, LEVELS, "25"), (1_300, LEVELS, "13"), (500, [], "5"), (5_000, [], "50")]
)
def test_a_discount_that_ended_since_is_good_and_named(discount: int, given: list[int], less: str):
    says = f"as in price card 2, less {less} % which no level brings now"
    assert checked(discount, given) == [Check("prices", True, says)]


@pytest.mark.parametrize("changed", [0, 1])
def test_one_line_at_another_price_is_bad(changed: int):
    lines = list(price_lines(Usage(1_212, 640, 1_200).quantities, discounted_card_up(CARD, 500)))
    lines[changed] = lines[changed]._replace(price=lines[changed].price + 1)
    receipt = read_receipt(liars.receipt(lines=tuple(lines), price_card_version=CARD.version))
    assert check_prices(receipt, [service(LEVELS)]) == [Check("prices", False, "not as in price card 2")]


@pytest.mark.parametrize("discount", [5_100, 10_000])
def test_more_than_any_level_can_take_off_is_bad(discount: int):
    assert checked(discount, LEVELS) == [Check("prices", False, "not as in price card 2")]

"""A price card comes back from the registry's struct as it went; every unit has its word."""

import pytest

from usufruct.assets.price_cards import from_registry, to_registry
from usufruct.chain.contracts import asset_registry
from usufruct.core.price_cards import PriceCard, PriceUnit


@pytest.mark.parametrize("unit", asset_registry.PriceUnit)
def test_a_card_of_every_unit_comes_back_as_it_was(unit: asset_registry.PriceUnit):
    card = PriceCard(10, 20, 30, 9, 5, cached_input_bps=7, unit=PriceUnit(unit.name.lower()))
    assert to_registry(card) == asset_registry.PriceCard(10, 20, 30, 7, unit, 9, 5)
    assert from_registry(to_registry(card)) == card
    assert len(PriceUnit) == len(asset_registry.PriceUnit)

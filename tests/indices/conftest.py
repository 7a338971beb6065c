"""The simulated market, made once."""

import pytest

from usufruct.connectors.prices import Panel, SyntheticMarket, synthesize


@pytest.fixture(scope="session")
def market() -> Panel:
    return synthesize(SyntheticMarket(days=1_000))

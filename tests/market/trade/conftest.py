"""An installation with a registered service on sale, wallets that hold its shares, and a browser to trade in."""

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import chromium
from tests.support.trade_town import TradeTown, trade_town


@pytest.fixture
async def town(world, enter) -> AsyncIterator[TradeTown]:
    async with trade_town(world, enter) as opened:
        yield opened


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def root(world):
    return world.url.removesuffix("/v1")

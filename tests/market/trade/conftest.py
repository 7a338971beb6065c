"""An installation with a registered service on sale, wallets that hold its shares, and one that buys."""

from collections.abc import AsyncIterator

import pytest

from tests.support.trade_town import TradeTown, trade_town


@pytest.fixture
async def town(world, enter) -> AsyncIterator[TradeTown]:
    async with trade_town(world, enter) as opened:
        yield opened

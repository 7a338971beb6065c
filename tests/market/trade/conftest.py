"""An installation with a registered service on sale, wallets that hold its shares, and one that buys."""

from collections.abc import AsyncIterator

import pytest

from tests.support.share_town import ShareTown, share_town


@pytest.fixture
async def town(world, enter) -> AsyncIterator[ShareTown]:
    async with share_town(world, enter) as opened:
        yield opened

"""The guide's code, as it stands there, against a real gateway: what a reader types works."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.support import x402_installation as worlds
from usufruct.gateway import Operator

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "x402.md"

pytestmark = pytest.mark.anvil


def test_what_the_guide_says_works(devnet_template, tmp_path, capsys):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert len(blocks) == 3

    async def story() -> None:
        async with worlds.x402_installation(devnet_template, tmp_path) as world:
            await world.sell("chat")
            account = await world.account()
            token = re.search(r'TOKEN = "(0x\w+)"', blocks[0])[1]
            assert token.lower() == world.installation.get(Operator).token, "the guide names another test dollar"
            given = {"PRIVATE_KEY": account.key, "GATEWAY": world.url.removesuffix("/v1"), "MODEL": "chat"}
            await asyncio.to_thread(exec, "\n".join(blocks), given)
            assert len(await world.bills(account)) == 1
            again = given["openai"].chat.completions
            await again.create(**worlds.request())  # it knows nothing of the first, which another client made
            assert len(await world.bills(account)) == 2
            await given["openai"].close()
            given["session"].close()

    asyncio.run(story())
    assert "To be or not to be" in capsys.readouterr().out

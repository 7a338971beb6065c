"""A passkey buys where the chain has no precompile for it: a deposit is made, and the page names its price."""

import pytest

from tests.market.test_passkey_buyer import Person
from usufruct.chain.p256 import GAS_WITHOUT_P256

pytestmark = pytest.mark.anvil


@pytest.fixture
def hardfork() -> str:
    """Return the rules before Osaka, which brought the precompile (EIP-7951)."""
    return "prague"


async def test_a_deposit_is_made_and_the_accounts_page_names_the_price(world, http):
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    person = Person(world, http, 81)
    await person.enter()
    key = await person.make_key()
    assert (await http.post("/account/play-money")).status_code == 204
    made = await person.post(await person.signed_deposit(key["channel"], 2_000_000))
    assert (made.status_code, made.json()["balance"]) == (200, "2000000"), made.text
    page = await http.get(http.base_url.copy_with(path="/account/passkeys"))
    price = (await world.installation.client.head()).base_fee * GAS_WITHOUT_P256
    assert "takes 347,000 gas more" in page.text
    assert f"{price / 10**18:.18f}".rstrip("0") in page.text

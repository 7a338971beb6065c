"""A chain that does not check passkeys by itself: what that costs is said, and the relayer's bounds hold for it."""

from dataclasses import replace

import pytest

from tests.accounts.passkeys.conftest import BOUNDS, DOLLAR, OWNER
from tests.accounts.passkeys.test_relay import relayer_coins, until_limited
from usufruct.accounts.passkeys import GasLimits
from usufruct.accounts.passkeys.relay_store import GWEI, creation_hash
from usufruct.accounts.passkeys.support import check_support
from usufruct.chain.p256 import GAS_WITHOUT_P256
from usufruct.core import format_units

pytestmark = pytest.mark.anvil

LIMITS = GasLimits(700_000, 500_000)
WITH_PRECOMPILE = 115_317
"""Of a batch of two calls (docs/protocol/accounts.md, Gas)."""


@pytest.fixture
def hardfork() -> str:
    """Return the rules before Osaka, which brought the precompile (EIP-7951)."""
    return "prague"


async def test_the_doctor_names_the_price_in_the_chains_coin(world):
    [finding] = [each async for each in check_support(world.chain)]
    coins = format_units(GAS_WITHOUT_P256 * (await world.client.head()).base_fee, 18)
    assert (str(finding.verdict), "347,000 gas more" in finding.says) == ("ok", True)
    assert f"now {coins} of the chain's coin" in finding.says


async def test_an_operation_costs_about_so_much_more_and_the_days_bounds_hold(world):
    person = await world.owner(71)
    sent = await person.do("payments", to=OWNER, amount=str(DOLLAR))
    assert (sent.status_code, sent.json()["state"]) == (200, "succeeded"), sent.text
    used = (await world.relay.store.find(sent.json()["hash"])).gas
    assert WITH_PRECOMPILE + GAS_WITHOUT_P256 * 9 // 10 < used < WITH_PRECOMPILE + GAS_WITHOUT_P256 * 11 // 10

    created = (await world.relay.store.find(creation_hash(person.account))).gas
    most = created + used + 2 * (LIMITS.verification + LIMITS.calls + 100_000)
    relay, before = world.new_relay(replace(BOUNDS, account_gas=most)), await relayer_coins(world)
    results, refusal = await until_limited(lambda: relay, [person], world, LIMITS)
    assert (refusal.code, len(results) >= 2) == ("relay_limited", True)
    assert created + used + sum(each.gas for each in results) <= most
    assert before - await relayer_coins(world) <= sum(each.gwei for each in results) * GWEI

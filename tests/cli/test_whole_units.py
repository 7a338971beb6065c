"""Settings in whole units of the token are what they are in atomic units of the token that is charged in."""

from dataclasses import replace

import pytest

from usufruct.chain import TokenFacts
from usufruct.config import InvalidSetting
from usufruct.core import UINT128_MAX
from usufruct.payments.settlement.component import terms_of

pytestmark = pytest.mark.anvil


@pytest.mark.parametrize(("decimals", "least"), [(0, 1), (6, 250_000), (18, 25 * 10**16), (30, 25 * 10**28)])
def test_the_least_deposit_is_scaled_by_the_tokens_decimals(commands, cli_world, decimals, least):
    changed = cli_world.Commands(commands.own | {"USUFRUCT_GATEWAY_LEAST_DEPOSIT": "0.25"})

    async def offered(installation):
        installation.context.provide(TokenFacts, replace(installation.get(TokenFacts), decimals=decimals))
        return terms_of(installation.context)

    terms = changed.inside(offered)
    assert terms.least_deposit == least


def test_what_no_escrow_could_hold_is_refused_by_name(commands, cli_world):
    changed = cli_world.Commands(commands.own | {"USUFRUCT_GATEWAY_LEAST_DEPOSIT": str(UINT128_MAX // 10**6 + 1)})
    refused = changed.refused("service", "list")
    assert isinstance(refused, InvalidSetting)
    assert "gateway.least_deposit" in refused.message

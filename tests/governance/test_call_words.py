"""Words about a call say what is not known of it: arguments that cannot be read, calls within calls, long texts."""

import pytest

from tests.support.dao import Dao
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.cli.support.proposals import effect_lines
from usufruct.core import Address, checksum
from usufruct.governance import Proposals, sentence
from usufruct.governance.simulation import Simulation, ViewChange
from usufruct.governance.words import CallWords

pytestmark = pytest.mark.anvil

STRANGER = Address("0x" + "be" * 20)
NO_SALT = bytes(32)


def test_what_cannot_be_read_is_not_said_to_fail(dao: Dao):
    """Solidity takes dirty padding and texts that are no UTF-8, which are not read here."""

    async def explained(chain: ChainAccess) -> list[CallWords]:
        token = PlatformToken(chain.deployments.address(PlatformToken))
        good = token.set_contract_uri("https://evil.example").data
        other = good.replace(b"https", b"http\xff")
        calls = [Call(token.address, good[:-1] + b"\1"), Call(token.address, other), Call(token.address, b"\1\2\3\4")]
        return await Proposals(chain).explain(calls)

    for words in dao.inside(explained):
        told = sentence(words)
        assert words.is_unknown
        assert told.startswith("WARNING: ")
        assert told.endswith("What the call does is not known")
        assert "fail" not in told
        assert effect_lines([words], None)["call 1 data"] == f"to {checksum(words.call.to)}: 0x{words.call.data.hex()}"


def test_calls_within_calls_are_said(dao: Dao):
    async def explained(chain: ChainAccess) -> list[CallWords]:
        proposals = Proposals(chain)
        timelock, governor = proposals.timelock, proposals.governor
        dollar = TestDollar(chain.deployments.address(TestDollar))
        grant, strange = timelock.grant_role(b"\xaa" * 32, STRANGER), Call(STRANGER, b"\1\2\3\4")
        several = timelock.schedule_batch(
            [STRANGER] * 13 + [grant.to], [0] * 14, [b""] * 13 + [grant.data], NO_SALT, NO_SALT, 86_400
        )
        deep = [strange]
        for _ in range(5):
            deep.append(governor.relay(deep[-1].to, 0, deep[-1].data, value=0))
        return await proposals.explain(
            [
                governor.relay(grant.to, 0, grant.data, value=0),
                several,
                timelock.execute(strange.to, 0, strange.data, NO_SALT, NO_SALT, value=0),
                governor.relay(dollar.address, 0, dollar.transfer(STRANGER, 5_000_000).data, value=0),
                timelock.execute_batch([STRANGER], [], [b""], NO_SALT, NO_SALT, value=0),
                deep[-1],
            ]
        )

    relayed, several, executed, paid, uneven, deep = dao.inside(explained)
    granted = f"has role ({checksum(STRANGER)}, 0x{'aa' * 32}) no -> yes"
    assert sentence(relayed).endswith(f", which carries: 1) PlatformTimelock: {granted}")
    assert not relayed.is_unknown
    assert sentence(several).endswith(f"14) PlatformTimelock: {granted}")
    assert several.is_cut
    assert several.call.data.hex() in str(effect_lines([several], None)["call 1 data"]) or several.is_data_cut
    assert executed.is_unknown
    assert sentence(executed).startswith("WARNING: it is not known what a call in this one does. ")
    assert f"there is no contract at {checksum(STRANGER)} now" in sentence(executed)
    assert f"Pay 5 tUSD from the PlatformGovernor to {checksum(STRANGER)}" in sentence(paid)
    assert "cannot be read. What the call does is not known" in sentence(uneven)
    assert deep.is_unknown
    assert "PlatformGovernor.relay(address,uint256,bytes) cannot be read" in sentence(deep)


def test_a_text_that_is_cut_says_so(dao: Dao):
    async def explained(chain: ChainAccess) -> list[CallWords]:
        registry = AssetRegistry(chain.deployments.address(AssetRegistry))
        text = "https://good.example/" + "a" * 3_000 + "@evil.example"
        calls = [registry.set_contract_uri(text), registry.set_agent_uri(5, text), registry.set_contract_uri("b" * 300)]
        return await Proposals(chain).explain(calls)

    changed, called, whole = dao.inside(explained)
    for words in (changed, called):
        assert "a…" in sentence(words)
        assert words.is_cut
        assert f"({len(words.call.data)} bytes; --json prints all)" in str(effect_lines([words], None)["call 1 data"])
    assert sentence(whole).endswith('"' + "b" * 300 + '"')
    assert not whole.is_cut
    assert "call 1 data" not in effect_lines([whole], None)


def test_views_of_one_name_are_all_listed():
    changes = (ViewChange("Shares", "totalSupply", "1", "2"), ViewChange("Shares", "totalSupply", "1000", "0"))
    lines = effect_lines([], Simulation(5, (), changes))
    assert [lines["view 1"], lines["view 2"]] == ["Shares.totalSupply: 1 -> 2", "Shares.totalSupply: 1000 -> 0"]

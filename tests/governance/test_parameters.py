"""What a proposal can change: read from the chain, written by people, and refused where the contract would refuse."""

from typing import Any

import pytest

from tests.governance.test_call_text import PLACES, STRANGER, known
from tests.support.dao import Dao
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.interface import interface_of
from usufruct.core import DAY_SECONDS, Address, UsufructError, checksum
from usufruct.governance import Proposals
from usufruct.governance.known_contracts import KnownContract, KnownContracts
from usufruct.governance.parameters import Parameter, find_parameter
from usufruct.governance.settings import SETTINGS, Setting
from usufruct.governance.words import Value

SUPPLY = 10_000_000 * 10**18
NOW: dict[str, Any] = {
    "exchange_fee": 100,
    "fee_sink": STRANGER,
    "voting_period": 5 * DAY_SECONDS,
    "exit_penalty": 2_000,
}


def parameter(contract: str, key: str) -> Parameter:
    """Return a parameter of a contract whose settings are as in NOW."""
    interface = interface_of(contract)
    assert interface
    for signature, settings in SETTINGS[contract].items():
        for each in settings:
            if each.key == key:
                (function,) = [function for function in interface.functions if function.signature == signature]
                arguments = tuple(NOW.get(other.key) for other in settings)
                bounds = each.bounds.of(SUPPLY, NOW) if each.bounds else None
                place = KnownContract(contract, PLACES[contract], interface)
                return Parameter(place, function, each, Value(each.unit, NOW.get(key)), arguments, bounds)
    raise AssertionError(key)


@pytest.mark.parametrize(
    ("contract", "key", "text", "value"),
    [
        ("VoteEscrow", "exit_penalty", "25", 2_500),
        ("VoteEscrow", "exit_penalty", " 12.5 % ", 1_250),
        ("VoteEscrow", "exit_penalty", "12,5%", 1_250),
        ("VoteEscrow", "exit_penalty", "0", 0),
        ("PlatformGovernor", "voting_period", "2w", 14 * DAY_SECONDS),
        ("PlatformGovernor", "voting_period", "36h", 36 * 3_600),
        ("PlatformGovernor", "proposal_threshold", "1500.5", 1_500_500_000_000_000_000_000),
        ("PlatformGovernor", "guardian", "treasury", PLACES["PlatformTimelock"]),
        ("PlatformGovernor", "guardian", checksum(STRANGER), STRANGER),
        ("Exchange", "fee_sink", "VoteEscrow", PLACES["VoteEscrow"]),
        ("PlatformToken", "contract_uri", "ipfs://a b", "ipfs://a b"),
    ],
)
def test_a_new_value_is_read_by_its_unit(contract: str, key: str, text: str, value: object):
    assert parameter(contract, key).read(text, known()) == value


@pytest.mark.parametrize(
    ("contract", "key", "text", "code", "words"),
    [
        ("VoteEscrow", "exit_penalty", "9.99", "value_out_of_bounds", "10 % to 50 %, or 0"),
        ("VoteEscrow", "exit_penalty", "51%", "value_out_of_bounds", "51 %"),
        ("VoteEscrow", "exit_penalty", "20", "value_unchanged", "20 % already"),
        ("VoteEscrow", "exit_penalty", "", "invalid_value", "''; write per cent"),
        ("VoteEscrow", "exit_penalty", "12.345", "invalid_value", "two decimals"),
        ("VoteEscrow", "exit_penalty", "3d", "invalid_value", "per cent"),
        ("PlatformGovernor", "voting_period", "5", "invalid_value", "such as 90m"),
        ("PlatformGovernor", "voting_period", "29d", "value_out_of_bounds", "1 day to 28 days"),
        ("PlatformGovernor", "proposal_threshold", "1,500", "invalid_value", "1500"),
        ("PlatformGovernor", "proposal_threshold", "0", "value_out_of_bounds", "to 100,000"),
        ("PlatformGovernor", "guardian", "Ann", "invalid_value", "an address"),
        ("Exchange", "exchange_fee", "5.01", "value_out_of_bounds", "0 % to 5 %"),
    ],
)
def test_a_value_that_cannot_be_set_is_refused_with_what_can(contract: str, key: str, text: str, code: str, words: str):
    with pytest.raises(UsufructError) as refused:
        parameter(contract, key).read(text, known())
    assert (refused.value.code, refused.value.details["field"]) == (code, "value")
    assert words in refused.value.message


def test_what_else_a_function_sets_stays():
    fee = parameter("Exchange", "exchange_fee")
    assert fee.function.arguments(fee.call(250).data) == (STRANGER, 250)
    other = Address("0x" + "77" * 20)
    assert fee.function.arguments(fee.call(250, (other, 9)).data) == (other, 250)


@pytest.mark.anvil
def test_what_the_timelock_commands_can_be_changed_within_the_bounds_of_the_contracts(dao: Dao):
    """Each bound is where the contract refuses: it takes both ends, and nothing beyond them."""

    async def tried(chain: ChainAccess) -> None:
        proposals = Proposals(chain)
        found, contracts = await proposals.parameters(), await proposals.known()
        penalty = find_parameter(found, "VoteEscrow.exit_penalty")
        assert (penalty.now.raw, penalty.bounds, penalty.or_zero) == (2_000, (1_000, 5_000), True)
        offered = find_parameter(found, "Exchange.owner")
        assert not offered.takes_value
        assert found.index(penalty) < found.index(offered)
        with pytest.raises(UsufructError, match=r"VoteEscrow\.exit_penalty") as unknown:
            find_parameter(found, "Exchange.exchange_fee")  # the operator's until the timelock accepts it
        assert unknown.value.code == "unknown_parameter"

        supply = await PlatformToken(contracts.named("PlatformToken").address, chain.client).total_supply()
        calls = [each.call(None) for each in found if not each.takes_value]
        ends: list[tuple[str, bool]] = [(f"accept {number}", True) for number, _ in enumerate(calls)]
        for contract, setting, signature in bounded(contracts):
            assert setting.bounds is not None
            least, most = setting.bounds.of(supply, {"voting_period": 28 * DAY_SECONDS})
            for value, fits in ((least, True), (most, True), (most + 1, False), (least - 1, False)):
                if value < 0 or (setting.bounds.or_zero and value == 0):
                    continue
                calls.append(setter(contract, signature, setting, value, contracts.treasury))
                ends.append((f"{setting.key} {value}", fits))
        outcomes = (await proposals.simulate(calls)).outcomes
        assert [(name, each.succeeds) for (name, _), each in zip(ends, outcomes, strict=True)] == ends

    dao.inside(tried)


def bounded(known: KnownContracts) -> list[tuple[KnownContract, Setting, str]]:
    return [
        (contract, setting, signature)
        for name, functions in SETTINGS.items()
        if (contract := known.find(name))
        for signature, settings in functions.items()
        for setting in settings
        if setting.bounds
    ]


def setter(contract: KnownContract, signature: str, setting: Setting, value: int, sink: Address) -> Call:
    """Return the call that sets a value; an address beside it is `sink`."""
    (function,) = [each for each in contract.interface.functions if each.signature == signature]
    given = [value if place == setting.argument else sink for place in range(len(function.inputs))]
    return function.call(contract.address, given)

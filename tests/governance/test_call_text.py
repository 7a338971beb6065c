"""Calls that people write are read as their contract takes them, and what is not one is refused by a stable code."""

import pytest

from usufruct.chain import TokenFacts
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.levels import Level, Levels
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.interface import Function, Parameter, interface_of
from usufruct.core import Address, Invalid, checksum
from usufruct.governance.call_text import read_call, value_text
from usufruct.governance.known_contracts import KnownContract, KnownContracts

PLACES = {
    kind.__name__: Address(f"0x{number:040x}")
    for number, kind in enumerate(
        (AssetRegistry, Exchange, Levels, PlatformGovernor, PlatformTimelock, PlatformToken, VoteEscrow), 0xA0
    )
}
DOLLAR, TOKEN = Address("0x" + "d0" * 20), PLACES["PlatformToken"]
TIMELOCK = PLACES["PlatformTimelock"]
STRANGER = Address("0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc")


def known() -> KnownContracts:
    tokens = {TOKEN: TokenFacts(TOKEN, "Example", "EXM", 18, "1")}
    contracts = [
        KnownContract(name, place, interface_of(name), tokens.get(place))  # type: ignore[arg-type]
        for name, place in PLACES.items()
    ]
    dollar = TokenFacts(DOLLAR, "Test Dollar", "tUSD", 6, "1")
    contracts.append(KnownContract("tUSD", DOLLAR, interface_of("Erc20"), dollar))  # type: ignore[arg-type]
    return KnownContracts(contracts, TIMELOCK, AssetRegistry(PLACES["AssetRegistry"]))


ESCROW, GOVERNOR = VoteEscrow(PLACES["VoteEscrow"]), PlatformGovernor(PLACES["PlatformGovernor"])
MONEY = PlatformToken(DOLLAR)
POKE = Function("poke", (Parameter("", "uint256"), Parameter("", "address[]")), (), reads=False)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("VoteEscrow.setExitPenalty(2500)", ESCROW.set_exit_penalty(2_500)),
        ("VoteEscrow.setExitPenalty( 25% )", ESCROW.set_exit_penalty(2_500)),
        ("VoteEscrow.setExitPenalty(12.5%)", ESCROW.set_exit_penalty(1_250)),
        (f"{ESCROW.address}.acceptOwnership()", ESCROW.accept_ownership()),
        ("PlatformGovernor.setVotingDelay(2d)", GOVERNOR.set_voting_delay(172_800)),
        ("PlatformGovernor.setQuorumFloor(1_000)", GOVERNOR.set_quorum_floor(1_000)),
        ("PlatformGovernor.setGuardian(treasury)", GOVERNOR.set_guardian(TIMELOCK)),
        ("VoteEscrow.setLocker(PlatformTimelock, true)", ESCROW.set_locker(TIMELOCK, allowed=True)),
        (f"tUSD.transfer({checksum(STRANGER)}, 1000.5 tUSD)", MONEY.transfer(STRANGER, 1_000_500_000)),
        ("PlatformToken.setContractURI(ipfs://a b)", PlatformToken(TOKEN).set_contract_uri("ipfs://a b")),
        ('PlatformToken.setContractURI("a, \\"b\\")")', PlatformToken(TOKEN).set_contract_uri('a, "b")')),
        (f"{STRANGER}.poke(uint, address[])(25%, [treasury])", POKE.call(STRANGER, (2_500, [TIMELOCK]))),
        ("VoteEscrow.setExitPenalty(uint256)(25%)", ESCROW.set_exit_penalty(2_500)),
        ("PlatformToken.setContractURI(ipfs(1)(2))", PlatformToken(TOKEN).set_contract_uri("ipfs(1)(2)")),
        ("Exchange.cancel(1, 2)", Exchange(PLACES["Exchange"]).cancel(1, 2)),
        ("Exchange.cancel([1, 3], [2, 4])", Exchange(PLACES["Exchange"]).cancel_words_masks([1, 3], [2, 4])),
        (
            f"Levels.setLevels([{', '.join(f'({each}, 5%, {each * 100})' for each in range(10))}])",
            Levels(PLACES["Levels"]).set_levels([Level(each, 500, each * 100) for each in range(10)]),
        ),
    ],
)
def test_a_call_is_read_as_its_contract_takes_it(text: str, call: object):
    assert read_call(text, known()) == call


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("VoteEscrow", "invalid_call", "CONTRACT.FUNCTION"),
        ("VoteEscrow.setExitPenalty", "invalid_call", "CONTRACT.FUNCTION"),
        ("Escrow.setExitPenalty(1)", "unknown_contract", "VoteEscrow"),
        (f"{STRANGER}.transfer(1)", "unknown_contract", "write the types"),
        ("VoteEscrow.setPenalty(1)", "unknown_function", "setExitPenalty"),
        ("VoteEscrow.scoreFloor()", "unknown_function", "changes nothing"),
        ("VoteEscrow.setExitPenalty()", "wrong_arguments", "0 arguments"),
        ("VoteEscrow.setExitPenalty(1, 2)", "wrong_arguments", "2 arguments"),
        ("VoteEscrow.setExitPenalty(much)", "invalid_argument", "uint256"),
        ("VoteEscrow.setExitPenalty(-1)", "invalid_argument", "uint256"),
        ("VoteEscrow.setExitPenalty(1.234%)", "invalid_amount", "2 decimals"),
        ("VoteEscrow.setExitPenalty(5 USDC)", "invalid_argument", "uint256"),
        ("PlatformGovernor.setVotingDelay(281474976710656)", "invalid_argument", "uint48"),
        ("VoteEscrow.setLocker(0x12, true)", "invalid_address", "0x12"),
        ("VoteEscrow.setLocker(Nothing, true)", "unknown_contract", "Nothing"),
        ("VoteEscrow.setLocker(treasury, yes)", "invalid_argument", "bool"),
        ("Exchange.cancel([1], 2)", "invalid_argument", "uint256"),
        ("Levels.setLevels([(1, 2)])", "invalid_argument", "(uint96,uint16,uint32)"),
        ("Levels.setLevels([(1, 2, 3)])", "invalid_argument", "10"),
        (f"{STRANGER}.poke(uint256)(1, 2)", "wrong_arguments", "takes 1 arguments"),
        (f"{STRANGER}.poke(uint256)(x)", "invalid_argument", "uint256"),
        (f"{STRANGER}.poke(uint999)(1)", "unknown_contract", "write the types"),
        ("PlatformTimelock.grantRole(0x12, treasury)", "invalid_argument", "bytes32"),
        ("PlatformTimelock.grantRole(0xzz, treasury)", "invalid_argument", "bytes32"),
        ('PlatformToken.setContractURI("a)', "invalid_argument", "string"),
    ],
)
def test_what_is_no_call_is_refused(text: str, code: str, words: str):
    with pytest.raises(Invalid) as refused:
        read_call(text, known())
    assert refused.value.code == code
    assert words in refused.value.message
    assert "\n" not in refused.value.message


def test_values_are_written_as_they_are_read():
    assert value_text("(uint256,address)[]", [(1, STRANGER)]) == f"[(1, {checksum(STRANGER)})]"
    assert value_text("bytes32", bytes(32)) == "0x" + "00" * 32
    assert value_text("string", 'a "b"') == '"a \\"b\\""'
    assert value_text("bool[2]", (True, False)) == "[true, false]"

"""What the functions change that a proposal calls most: which view shows it before, and what its number means.

A function that is not here is said by its name and its arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from usufruct.core import DAY_SECONDS, divide_down


class Unit(StrEnum):
    """What a value means."""

    BPS = "bps"
    """Hundredths of a per cent."""
    SECONDS = "seconds"
    SCORE = "score"
    """Staking Score, in atomic units of the platform token."""
    ACCOUNT = "account"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class SupplyPart:
    """A score that is a part of the platform token's supply: the supply over `divisor`."""

    divisor: int


@dataclass(frozen=True, slots=True)
class ValueOf:
    """What another setting of the same contract is now, by its key."""

    key: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a contract takes for a number: `least` to `most`; `or_zero`: also 0, which switches it off."""

    least: int | SupplyPart
    most: int | SupplyPart | ValueOf
    or_zero: bool = False

    def of(self, supply: int, values: Mapping[str, int]) -> tuple[int, int]:
        """Return both ends, with this supply of the platform token and these values of the contract's settings."""

        def end(bound: int | SupplyPart | ValueOf) -> int:
            match bound:
                case SupplyPart(divisor):
                    return divide_down(supply, divisor)
                case ValueOf(key):
                    return values[key]
            return bound

        return end(self.least), end(self.most)


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a call sets.

    `key` names it; pages have a text for each. `view` shows it, `keys` are the places of the call's arguments that the
    view takes. `result`: the place of the value among the view's results. `argument`: the place of the new value among
    the call's arguments; None where it is always `value`, an address's is then the caller. `bounds`: what the contract
    takes, None where it takes any.
    """

    key: str
    view: str
    unit: Unit
    argument: int | None = 0
    result: int = 0
    keys: Sequence[int] = ()
    value: bool | None = None
    bounds: Bounds | None = None


_HOUR_SECONDS = 3_600
_EXIT_PENALTY = Bounds(1_000, 5_000, or_zero=True)
_MOST_PROTOCOL_FEE, _MOST_FEE = Bounds(0, 1_000), Bounds(0, 500)
_VOTING_DELAY, _VOTING_PERIOD = Bounds(_HOUR_SECONDS, 14 * DAY_SECONDS), Bounds(DAY_SECONDS, 28 * DAY_SECONDS)
_TIMELOCK_DELAY = Bounds(DAY_SECONDS, 30 * DAY_SECONDS)
_OWNER = (Setting("owner", "owner()", Unit.ACCOUNT, argument=None),)
_NEXT_OWNER = (Setting("next_owner", "pendingOwner()", Unit.ACCOUNT),)
_URI = (Setting("contract_uri", "contractURI()", Unit.TEXT),)
PROPOSED_OWNER = _NEXT_OWNER[0]
OWNER = _OWNER[0]
_OWNED = {"acceptOwnership()": _OWNER, "transferOwnership(address)": _NEXT_OWNER}

SETTINGS: Mapping[str, Mapping[str, Sequence[Setting]]] = {
    "AssetRegistry": {
        **_OWNED,
        "setContractURI(string)": _URI,
        "setFeeSink(address)": (Setting("fee_sink", "feeSink()", Unit.ACCOUNT),),
        "setGuardian(address)": (Setting("guardian", "guardian()", Unit.ACCOUNT),),
        "setProtocolFee(uint16)": (Setting("protocol_fee", "feeBps()", Unit.BPS, bounds=_MOST_PROTOCOL_FEE),),
        "listRevenueToken(address)": (
            Setting("revenue_token_listed", "isRevenueToken(address)", Unit.FLAG, argument=None, keys=(0,), value=True),
        ),
        "pause(uint32)": (Setting("paused", "paused()", Unit.FLAG, argument=None, value=True),),
        "unpause()": (Setting("paused", "paused()", Unit.FLAG, argument=None, value=False),),
    },
    "DealRoom": {
        **_OWNED,
        "setFee(address,uint16)": (
            Setting("sink_of_deal_fees", "platformFee()", Unit.ACCOUNT),
            Setting("fee_of_new_deals", "platformFee()", Unit.BPS, argument=1, result=1, bounds=_MOST_FEE),
        ),
    },
    "Exchange": {
        **_OWNED,
        "setFee(address,uint16)": (
            Setting("fee_sink", "protocolFee()", Unit.ACCOUNT),
            Setting("exchange_fee", "protocolFee()", Unit.BPS, argument=1, result=1, bounds=_MOST_FEE),
        ),
    },
    "Levels": _OWNED,
    "PlatformToken": {
        **_OWNED,
        "setContractURI(string)": _URI,
        "setTokenBridge(address)": (Setting("token_bridge", "tokenBridge()", Unit.ACCOUNT),),
    },
    "Reinvestor": _OWNED,
    "Till": _OWNED,
    "VoteEscrow": {
        **_OWNED,
        "setExitPenalty(uint256)": (Setting("exit_penalty", "exitPenaltyBps()", Unit.BPS, bounds=_EXIT_PENALTY),),
        "setScoreFloor(uint256)": (
            Setting("score_floor", "scoreFloor()", Unit.SCORE, bounds=Bounds(0, SupplyPart(100))),
        ),
        "setLocker(address,bool)": (Setting("may_lock", "lockers(address)", Unit.FLAG, argument=1, keys=(0,)),),
    },
    "PlatformGovernor": {
        "setVotingDelay(uint48)": (Setting("voting_delay", "votingDelay()", Unit.SECONDS, bounds=_VOTING_DELAY),),
        "setVotingPeriod(uint32)": (Setting("voting_period", "votingPeriod()", Unit.SECONDS, bounds=_VOTING_PERIOD),),
        "setProposalThreshold(uint256)": (
            Setting("proposal_threshold", "proposalThreshold()", Unit.SCORE, bounds=Bounds(1, SupplyPart(100))),
        ),
        "updateQuorumNumerator(uint256)": (
            Setting("quorum_part", "quorumNumerator()", Unit.BPS, bounds=Bounds(100, 5_000)),
        ),
        "setQuorumFloor(uint256)": (
            Setting("quorum_floor", "quorumFloor()", Unit.SCORE, bounds=Bounds(SupplyPart(1_000), SupplyPart(10))),
        ),
        "setLateQuorumVoteExtension(uint48)": (
            Setting(
                "late_quorum_extension",
                "lateQuorumVoteExtension()",
                Unit.SECONDS,
                bounds=Bounds(0, ValueOf("voting_period")),
            ),
        ),
        "setGuardian(address)": (Setting("guardian", "guardian()", Unit.ACCOUNT),),
        "updateTimelock(address)": (Setting("timelock", "timelock()", Unit.ACCOUNT),),
    },
    "PlatformTimelock": {
        "updateDelay(uint256)": (Setting("timelock_delay", "getMinDelay()", Unit.SECONDS, bounds=_TIMELOCK_DELAY),),
        "grantRole(bytes32,address)": (
            Setting("has_role", "hasRole(bytes32,address)", Unit.FLAG, argument=None, keys=(0, 1), value=True),
        ),
        "revokeRole(bytes32,address)": (
            Setting("has_role", "hasRole(bytes32,address)", Unit.FLAG, argument=None, keys=(0, 1), value=False),
        ),
    },
}
"""By contract and by the signature of the function."""

"""What the configuration says about governor and timelock, as their constructors take it."""

from datetime import UTC, datetime

from usufruct.chain.contracts.platform_governor import Parameters, PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.deployment import Creation, address_of
from usufruct.config import GovernanceConfig, InvalidSetting
from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, Address, parse_units

_HOUR_SECONDS = 3_600
_BPS_PER_PERCENT = 100
_TOKEN_DECIMALS = 18


def timelock_creation(settings: GovernanceConfig, appointer: Address) -> Creation:
    """Return the creation of the timelock; `appointer` names its governor, once."""
    return PlatformTimelock.deploy(settings.timelock_days * DAY_SECONDS, appointer)


def planned_timelock(settings: GovernanceConfig, owner: Address) -> Address | None:
    """Return where the timelock is, or will be: also before it is deployed; None where there is no governor."""
    if settings.quorum_floor.strip() == "0":
        return None
    return address_of(PlatformTimelock, timelock_creation(settings, owner))


def governor_creation(settings: GovernanceConfig, escrow: Address, timelock: Address) -> Creation:
    """Return the creation of the governor on the scores of `escrow`.

    The settings hold at deployment; afterwards proposals change them. The constructor refuses those out of its bounds.

    Raises:
        InvalidSetting: when a guardian has no date to expire at, or a date no guardian.
    """
    if bool(settings.guardian) != bool(settings.guardian_until):
        raise InvalidSetting(
            f"`governance.guardian` is {settings.guardian!r} and `governance.guardian_until` "
            f"{settings.guardian_until!r}; set both, or neither"
        )
    parameters = Parameters(
        voting_delay=settings.voting_delay_hours * _HOUR_SECONDS,
        voting_period=settings.voting_period_days * DAY_SECONDS,
        proposal_threshold=_score(settings.proposal_threshold, "proposal_threshold"),
        quorum_bps=settings.quorum_percent * _BPS_PER_PERCENT,
        quorum_floor=_score(settings.quorum_floor, "quorum_floor"),
        late_quorum_extension=settings.late_quorum_hours * _HOUR_SECONDS,
        guardian=Address(settings.guardian) or ZERO_ADDRESS,
        guardian_until=_start_of_day(settings.guardian_until) if settings.guardian_until else 0,
    )
    return PlatformGovernor.deploy(escrow, timelock, parameters)


def _score(text: str, key: str) -> int:
    return parse_units(text, _TOKEN_DECIMALS, f"governance.{key}")


def _start_of_day(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())

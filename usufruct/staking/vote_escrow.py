"""What the configuration says about the VoteEscrow, as its constructor takes it."""

from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Creation
from usufruct.config import InvalidSetting, PlatformTokenConfig
from usufruct.core import Address, parse_units
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS

_FLOOR_PARTS = 100
_LEAST_PENALTY_PERCENT = 10


def vote_escrow_creation(
    settings: PlatformTokenConfig, owner: Address, token: Address, revenue_token: Address
) -> Creation:
    """Return the creation of the escrow that locks `token` and pays `revenue_token`.

    The settings hold at deployment; afterwards the owner sets them on the contract.

    Raises:
        InvalidSetting: when the floor is over a hundredth of the supply, or the penalty is below its least.
    """
    supply = parse_units(settings.supply, TOKEN_DECIMALS, "platform_token.supply")
    floor = parse_units(settings.score_floor, TOKEN_DECIMALS, "platform_token.score_floor")
    if floor > supply // _FLOOR_PARTS:
        raise InvalidSetting(
            f"`platform_token.score_floor` is {settings.score_floor}, more than a hundredth of the supply of "
            f"{settings.supply}; lower it"
        )
    percent = settings.exit_penalty_percent
    if 0 < percent < _LEAST_PENALTY_PERCENT:
        raise InvalidSetting(
            f"`platform_token.exit_penalty_percent` is {percent}; set 0 for no early exit, or at least "
            f"{_LEAST_PENALTY_PERCENT}"
        )
    return VoteEscrow.deploy(owner, token, revenue_token, floor, percent * 100)

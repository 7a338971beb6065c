"""What the configuration says about the platform token, as its constructor takes it."""

from usufruct.chain.contracts.platform_token import Allocation, PlatformToken, Terms
from usufruct.chain.deployment import Creation
from usufruct.config import InvalidSetting, PlatformTokenConfig
from usufruct.core import Address, divide_down, divide_up, parse_units
from usufruct.core.address_lists import read_allocation
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS

_BPS = 10_000


def platform_token_creation(settings: PlatformTokenConfig, owner: Address, treasury: Address) -> Creation:
    """Return the creation of the platform token; `treasury` gets what is allocated to no other.

    The airdrop's part is rounded up, the others down: the treasury's rest makes up for it.

    Raises:
        InvalidSetting: when the airdrop is less than its least share, or the parts are over the supply.
    """
    airdrop, least = settings.airdrop_percent, settings.least_airdrop_percent
    if airdrop < least:
        raise InvalidSetting(
            f"`platform_token.airdrop_percent` is {airdrop}, below `platform_token.least_airdrop_percent`, {least}"
        )
    supply = parse_units(settings.supply, TOKEN_DECIMALS, "platform_token.supply")
    reserve = divide_up(supply * airdrop, 100)
    parts = {Address(to): divide_down(supply * bps, _BPS) for to, bps in read_allocation(settings.allocation).items()}
    rest = supply - reserve - sum(parts.values())
    if rest < 0:
        raise InvalidSetting(
            f"`platform_token.allocation` and the airdrop's {airdrop} per cent are more than the supply; lower one"
        )
    parts[treasury] = parts.get(treasury, 0) + rest
    rows = [Allocation(to, amount) for to, amount in parts.items() if amount]
    terms = Terms(settings.name, settings.symbol, settings.contract_uri, supply, reserve, least * 100)
    return PlatformToken.deploy(terms, rows, owner)

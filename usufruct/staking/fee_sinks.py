"""Where fees of services, trades and deals go at deployment, as `platform_token.fee_to` says."""

from collections.abc import Awaitable, Callable
from secrets import token_hex

from usufruct.assets import registry_creation
from usufruct.chain import Call
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.config import InvalidSetting, PlatformTokenConfig
from usufruct.core import Address
from usufruct.core.components import DeployStep


def fee_sink_at(site: DeploySite, settings: PlatformTokenConfig, splitter: Address) -> Address:
    """Return who shall get the fees.

    Raises:
        InvalidSetting: when that is the treasury, and there is no governor.
    """
    setup = site.setup
    if settings.fee_to == "treasury" and setup.treasury == setup.fee_sink:
        raise InvalidSetting(
            "`platform_token.fee_to` is treasury and there is no DAO; set `governance.quorum_floor`, or `fee_to` to "
            "operator or stakers"
        )
    return {"stakers": splitter, "treasury": setup.treasury, "operator": setup.fee_sink}[settings.fee_to]


def fee_steps(site: DeploySite, settings: PlatformTokenConfig, splitter: Address) -> list[DeployStep]:
    """Return the steps that let fees of services and trades go where they shall; raises as `fee_sink_at`."""
    sink = fee_sink_at(site, settings, splitter)
    if sink == site.setup.fee_sink:
        return []
    registry = AssetRegistry(address_of(AssetRegistry, registry_creation(site.setup)), site.client)

    async def set_registry() -> Call:
        return registry.set_fee_sink(sink)

    steps = [_step(site, settings, registry, registry.fee_sink, set_registry)]
    if site.plans(Exchange):
        exchange = Exchange(site.planned(Exchange), site.client)

        async def exchange_sink() -> Address:
            return (await exchange.protocol_fee()).sink

        async def set_exchange() -> Call:
            return exchange.set_fee(sink, (await exchange.protocol_fee()).bps)

        steps.append(_step(site, settings, exchange, exchange_sink, set_exchange))
    return steps


def deal_fee_steps(site: DeploySite, settings: PlatformTokenConfig, splitter: Address) -> list[DeployStep]:
    """Return the step that lets fees of deals go where they shall; raises as `fee_sink_at`."""
    sink = fee_sink_at(site, settings, splitter)
    room = DealRoom(site.planned(DealRoom), site.client)

    async def room_sink() -> Address:
        return (await room.platform_fee()).sink

    async def set_room() -> Call:
        return room.set_fee(sink, (await room.platform_fee()).bps)

    return [] if sink == site.setup.fee_sink else [_step(site, settings, room, room_sink, set_room)]


def _step(
    site: DeploySite,
    settings: PlatformTokenConfig,
    contract: AssetRegistry | Exchange | DealRoom,
    now: Callable[[], Awaitable[Address]],
    change: Callable[[], Awaitable[Call]],
) -> DeployStep:
    """Return the step that takes the place of the operator's account; a sink that was chosen since stays."""

    async def chosen() -> bool:
        return await now() != site.setup.fee_sink or await contract.owner() != site.setup.owner

    async def choose() -> None:
        await site.sender.execute(await change(), f"fee-sink/{contract.address}/{token_hex(4)}")

    what = f"let the fees of {type(contract).__name__} go to the {settings.fee_to}"
    return site.setting(what, contract.address, chosen, choose)

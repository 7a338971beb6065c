"""What `deploy` creates for deals: the deal room, and the list of allowed accounts that its deals can share."""

from usufruct.chain.contracts.allow_list import AllowList
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.deployment import Creation, Deployments, DeploySite, address_of
from usufruct.config import PlatformTokenConfig
from usufruct.core import Address
from usufruct.core.components import DeployStep
from usufruct.staking.fee_sinks import deal_fee_steps


def has_deals(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with levels, to which deals are offered."""
    return DealRoom.__name__ in deployments.contracts


def deal_room_creation(settings: PlatformTokenConfig, owner: Address, levels: Address, fee_sink: Address) -> Creation:
    """Return the creation of the deal room whose deals copy the thresholds of `levels`."""
    return DealRoom.deploy(owner, levels, fee_sink, settings.deal_fee_bps)


def deploy_steps(site: DeploySite, settings: PlatformTokenConfig) -> list[DeployStep]:
    """Return what deals need, if the platform token has levels."""
    if not (settings.name and settings.levels):
        return []
    levels = site.planned(Levels)
    room = deal_room_creation(settings, site.setup.owner, levels, site.setup.fee_sink)
    room_at = address_of(DealRoom, room)
    return [
        site.creation(DealRoom, room, needs=levels),
        *deal_fee_steps(site, settings, site.planned(FeeSplitter)),
        site.creation(AllowList, AllowList.deploy(room_at), needs=room_at),
    ]

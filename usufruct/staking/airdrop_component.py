"""What served airdrops add to an installation: their claims, routes, the job that settles claims, and what to check."""

from collections.abc import Sequence

from usufruct.accounts import Sessions
from usufruct.chain import ChainAccess, Senders
from usufruct.chain.keys import Role
from usufruct.config import Config
from usufruct.core import Clock, parse_units
from usufruct.core.address_lists import read_airdrops
from usufruct.core.components import Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.staking.airdrop_claim_store import ClaimBounds
from usufruct.staking.airdrop_claims import GWEI, AirdropClaims
from usufruct.staking.api import airdrop_routes
from usufruct.staking.diagnostics import check_airdrops
from usufruct.staking.pages import airdrop_pages
from usufruct.staking.served_airdrops import ServedAirdrops
from usufruct.store import MasterSecret
from usufruct.web import Route
from usufruct.web.ui import Pages

_COIN_DECIMALS = 18
_SETTLE_SECONDS = 15.0


class AirdropParts:
    """The parts of a component; empty while no airdrop is configured."""

    def __init__(self, context: Context) -> None:
        """Provide the claims of the configured airdrops; files are opened when they are first asked for."""
        self._context = context
        context.provide_later(AirdropClaims, self._claims)

    def routes(self) -> Sequence[Route]:
        """Return the routes of the API and the page."""
        get = self._context.get
        if not self._settings:
            return []
        symbol = get(Config).platform_token.symbol
        pages = airdrop_pages(get(AirdropClaims), get(Sessions), get(Pages), symbol)
        return [*airdrop_routes(get(AirdropClaims)), *pages]

    def gateway_jobs(self) -> Sequence[Job]:
        """Return the job that notes how claims ended."""
        if not self._settings:
            return []
        return [Job("airdrop_claims", self._context.get(AirdropClaims).settle, _SETTLE_SECONDS)]

    @property
    def diagnostic(self) -> Diagnostic:
        """What `usufruct doctor` asks."""
        return Diagnostic("airdrops", lambda: check_airdrops(self._context.get(AirdropClaims)), needs=("contracts",))

    @property
    def _settings(self) -> str:
        return self._context.get(Config).platform_token.airdrops

    def _claims(self) -> AirdropClaims:
        get = self._context.get
        served = ServedAirdrops.open(read_airdrops(self._settings))
        self._context.closing.callback(served.close)
        relayer = get(Config).relayer
        bounds = ClaimBounds(relayer.airdrop_claims, parse_units(relayer.airdrop_coins, _COIN_DECIMALS) // GWEI)
        stamp = get(MasterSecret).stamp("networks of airdrop claims")
        return AirdropClaims(served, get(ChainAccess), lambda: get(Senders).of(Role.RELAYER), bounds, stamp, get(Clock))

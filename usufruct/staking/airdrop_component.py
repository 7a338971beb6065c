"""What served airdrops add to an installation: their claims, routes, the job that settles claims, and what to check."""

from collections.abc import Sequence

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import Wallet, has_factory
from usufruct.chain import ChainAccess, Senders
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import Role, devnet_signer
from usufruct.config import Config
from usufruct.core import Address, Clock, parse_units
from usufruct.core.address_lists import read_airdrops
from usufruct.core.components import Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.staking.airdrop_claim_store import ClaimBounds
from usufruct.staking.airdrop_claims import GWEI, AirdropClaims
from usufruct.staking.airdrop_locks import AirdropLocks
from usufruct.staking.airdrop_pages import PATH, airdrop_pages
from usufruct.staking.api import airdrop_lock_routes, airdrop_routes
from usufruct.staking.diagnostics import check_airdrops
from usufruct.staking.served_airdrops import ServedAirdrops
from usufruct.store import MasterSecret
from usufruct.web import Route
from usufruct.web.ui import ECONOMY, NavigationLink, Pages

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
        claims, locks, sessions = get(AirdropClaims), self._locks(), get(Sessions)
        pages = airdrop_pages(claims, locks, sessions, get(Pages), symbol)
        return [*airdrop_routes(claims), *airdrop_lock_routes(claims, locks, sessions), *pages]

    @property
    def navigation(self) -> Sequence[NavigationLink]:
        """What leads to the page."""
        return [NavigationLink(PATH, "Airdrop", ECONOMY, 20)] if self._settings else []

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
    def contracts(self) -> list[Address]:
        """The contracts of the served airdrops that are deployed."""
        return [Address(place) for place in read_airdrops(self._settings).values() if place]

    @property
    def _settings(self) -> str:
        return self._context.get(Config).platform_token.airdrops

    def _locks(self) -> AirdropLocks:
        get = self._context.get
        chain = get(ChainAccess)
        wallet = get(Wallet) if has_factory(get(Deployments)) else None
        demo = devnet_signer(DEMO_ACCOUNT, chain.chain_id) if is_devnet(chain.chain_id) else None
        return AirdropLocks(get(AirdropClaims), chain, wallet, demo)

    def _claims(self) -> AirdropClaims:
        get = self._context.get
        served = ServedAirdrops.open(read_airdrops(self._settings))
        self._context.closing.callback(served.close)
        relayer = get(Config).relayer
        bounds = ClaimBounds(relayer.airdrop_claims, parse_units(relayer.airdrop_coins, _COIN_DECIMALS) // GWEI)
        stamp = get(MasterSecret).stamp("networks of airdrop claims")
        return AirdropClaims(served, get(ChainAccess), lambda: get(Senders).of(Role.RELAYER), bounds, stamp, get(Clock))

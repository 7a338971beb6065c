"""What trusts add to an installation: the index of their proposals, as JSON and as pages."""

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Passkeys, has_factory
from usufruct.assets import AssetIndexer, Assets, Listings, RegistryClient
from usufruct.chain import ChainAccess
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.core import Address
from usufruct.core.components import Component, Context
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.governance.draft_limit import DraftLimit
from usufruct.governance.trusts.api import trust_routes
from usufruct.governance.trusts.changes import TrustExplainer
from usufruct.governance.trusts.draft_api import trust_draft_routes
from usufruct.governance.trusts.draft_pages import trust_draft_pages
from usufruct.governance.trusts.drafts import TrustDrafts
from usufruct.governance.trusts.pages import TrustPages, trust_pages
from usufruct.governance.trusts.service import TitleTrusts
from usufruct.governance.trusts.voters import ShareVoters, ShareVotersCalls
from usufruct.web import Route
from usufruct.web.ui import Pages

_POLL_SECONDS = 5.0


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def trusts() -> TitleTrusts:
        return TitleTrusts(get(ChainAccess), get(RegistryClient), Assets(get(RegistryClient)), get(AssetIndexer))

    async def holds_passkey(account: Address) -> bool:
        return has_factory(get(Deployments)) and bool(await get(Passkeys).store.list(account))

    def routes() -> list[Route]:
        chain, sessions = get(ChainAccess), get(Sessions)
        demo = devnet_signer(DEMO_ACCOUNT, chain.chain_id) if is_devnet(chain.chain_id) else None
        voters = ShareVoters(get(TitleTrusts), get(RegistryClient), chain, holds_passkey, demo)
        explainer = TrustExplainer(get(RegistryClient))
        drafts = TrustDrafts(voters, explainer, get(DraftLimit))
        pages = TrustPages(voters, get(Listings), get(Pages))
        return [
            *trust_routes(voters, explainer, sessions),
            *trust_draft_routes(drafts, sessions),
            *trust_draft_pages(drafts, pages, get(RegistryClient), sessions),
            *trust_pages(voters, explainer, sessions, pages),
        ]

    async def start() -> None:
        get(MoreRelayedCalls)["trusts"] = lambda: ShareVotersCalls(get(TitleTrusts), get(RegistryClient))

    context.provide_later(TitleTrusts, trusts)
    return Component(
        "trusts",
        start=start,
        routes=routes,
        jobs=lambda: [Job("trusts", get(TitleTrusts).poll, _POLL_SECONDS)],
    )

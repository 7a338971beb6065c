"""A service whose shareholders decide: one proposal of theirs is executed, one is voted about."""

from collections.abc import Sequence

from bench.site.accounts import Accounts
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.assets import SUPPLY, Assets, CardChange, Holding, NewAsset, RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.title_trust import Terms
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, AssetId, format_asset
from usufruct.core.price_cards import PriceCard
from usufruct.governance import Support
from usufruct.governance.trusts import CONFIGURATION, TitleTrusts, configuration_entry

SERVICE = "advisor"

_OWNER = 5
_HOLDERS = {DEMO_ACCOUNT: 30, 7: 15}
"""Accounts that hold shares beside the owner, in per cent."""

_TERMS = Terms(DAY_SECONDS, 5 * DAY_SECONDS, 100, 2_000)
"""A day until votes count, five days of voting, 1 % of the shares to propose, a quorum of 20 %."""

_PRICES = PriceCard(
    input_per_million=800_000, output_per_million=3_000_000, per_call=0, context_window=8_192, version=1
)


class Trust:
    """The trust that holds the service's title."""

    def __init__(self, accounts: Accounts, trusts: TitleTrusts, asset: AssetId) -> None:
        self._accounts = accounts
        self._trusts = trusts
        self._asset = asset

    @classmethod
    async def create(cls, accounts: Accounts) -> "Trust":
        """Register the service, give its title to a trust, and let its shareholders vote."""
        registry, owner = RegistryClient(accounts.chain), accounts.sender(_OWNER)
        trusts = TitleTrusts(accounts.chain, registry, assets := Assets(registry))
        terms = NewAsset(SERVICE, "ADVISE", accounts.dollar.address, _PRICES, transfer_policy=ZERO_ADDRESS)
        holdings = [Holding(DEVNET_ADDRESSES[each], SUPPLY // 100 * part) for each, part in _HOLDERS.items()]
        asset = (await assets.register(owner, terms, holdings)).id
        await trusts.give(owner, asset, await trusts.create(owner, asset, _TERMS))
        for account in (_OWNER, *_HOLDERS):
            await trusts.delegate(accounts.sender(account), asset, DEVNET_ADDRESSES[account])
        await accounts.jump(await accounts.now() + 2)  # votes count in the second after they were given
        return cls(accounts, trusts, asset)

    @property
    def id(self) -> str:
        """Return the asset's id."""
        return format_asset(self._asset)

    async def propose_price(self) -> int:
        """Propose a lower price; return the proposal's id."""
        change = CardChange(input_per_million=500_000, output_per_million=2_000_000)
        return await self._propose([await self._trusts.plan_price(self._asset, change)], "Lower the price by a third")

    async def propose_configuration(self) -> int:
        """Propose other prompts; return the proposal's id."""
        entry = configuration_entry(b'{"system": "Answer in one paragraph."}', "https://example.org/advisor.json")
        call = self._trusts.plan_entry(self._asset, CONFIGURATION, entry)
        return await self._propose([call], "Shorter answers\n\nBuyers of July asked for answers of one paragraph.")

    async def _propose(self, calls: Sequence[Call], text: str) -> int:
        made, _ = await self._trusts.propose(self._accounts.sender(_OWNER), self._asset, calls, text)
        return made.id

    async def vote(self, proposal: int, account: int, reason: str = "") -> None:
        """Vote for a proposal."""
        await self._trusts.vote(self._accounts.sender(account), self._asset, proposal, Support.FOR, reason)

    async def execute(self, proposal: int) -> None:
        """Carry out a proposal that passed."""
        await self._trusts.execute(self._accounts.sender(_OWNER), self._asset, proposal)

"""What a seller earned: of each service by the ledger, and what became of it by the chain."""

from dataclasses import dataclass

from usufruct.assets import Listings, ShareHolders, SharesIncome
from usufruct.chain import Client
from usufruct.chain.contracts.till import Till
from usufruct.core import Address, AssetId
from usufruct.core.components import Context
from usufruct.gateway.operator_profile import Operator
from usufruct.payments.ledger import Earned, Ledger


@dataclass(frozen=True, slots=True)
class ServiceIncome:
    """What one service earned; `name` and `pay_to` are None for charges whose service is not known."""

    name: str | None
    pay_to: Address | None
    earned: Earned


@dataclass(frozen=True, slots=True)
class PayeeIncome:
    """What the till still owes a payee, and what its shares divided if it is one of revenue shares; atomic units."""

    pay_to: Address
    services: tuple[str, ...]
    deferred: int
    shares: SharesIncome | None


@dataclass(frozen=True, slots=True)
class Income:
    """The income of an installation, in atomic units of the operator's token.

    `earned` = `unclaimed` + `paid`; of what was paid, the till holds `deferred` back for its payees. The shares give
    `protocol_fee` of what they received, whoever paid it.
    """

    services: tuple[ServiceIncome, ...]
    payees: tuple[PayeeIncome, ...]
    deferred: int
    oldest_unclaimed_at: int | None

    @property
    def unclaimed(self) -> int:
        """Charged, and not claimed for the payees yet."""
        return sum(each.earned.unclaimed for each in self.services)

    @property
    def paid(self) -> int:
        """Claimed and split among the payees."""
        return sum(each.earned.paid for each in self.services)

    @property
    def protocol_fee(self) -> int:
        """The protocol's part of what shares received."""
        return sum(each.shares.protocol_fee for each in self.payees if each.shares)


async def read_income(context: Context) -> Income:
    """Read what every service earned, those that are not on sale any more too; the time grows with the ledger.

    Raises:
        RpcUnavailable: when the node does not answer.
    """
    ledger, operator, listings = context.get(Ledger), context.get(Operator), context.get(Listings)
    till = Till(operator.till, context.get(Client))
    earned = {each.asset: each for each in await ledger.earnings(operator.token)}
    on_sale: list[AssetId | None] = [listing.id for listing in await listings.list()]
    services: list[ServiceIncome] = []
    shares_of: dict[Address, AssetId] = {}
    for asset in dict.fromkeys([*on_sale, *earned]):
        listing = None if asset is None else await listings.by_id(asset)
        name, pay_to = (listing.name, listing.pay_to) if listing else (None, None)
        services.append(ServiceIncome(name, pay_to, earned.get(asset, Earned(asset, 0, 0))))
        if listing is not None and listing.registered:
            shares_of[listing.pay_to] = listing.id
    payees = [
        PayeeIncome(
            pay_to,
            tuple(each.name for each in services if each.pay_to == pay_to and each.name),
            await till.owed(pay_to, operator.token),
            await context.get(ShareHolders).income(shares_of[pay_to], operator.token) if pay_to in shares_of else None,
        )
        for pay_to in dict.fromkeys(each.pay_to for each in services if each.pay_to)
    ]
    deferred = await till.total_owed(operator.token)
    return Income(tuple(services), tuple(payees), deferred, await ledger.oldest_unclaimed())

"""What the commands that trade in shares, pass credits and titles have in common."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from typer import Option

from usufruct.cli.support.command import Facts
from usufruct.cli.support.deposits import Payer, agreed_token, open_payer
from usufruct.cli.support.gateway_client import open_gateway, terms_of
from usufruct.cli.support.registry_session import RegistrySession
from usufruct.cli.support.trade import Bought, Trader, find_asset, trade_at
from usufruct.cli.support.wallet_option import account
from usufruct.config import Config
from usufruct.core import checksum, format_asset, format_units, hash32
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import OfferFacts
from usufruct_client.wire import Token

Maker = Annotated[str, Option(help="Only of this account: an address, a wallet's name, or a devnet account.")]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A wallet at its gateway, a price in atomic units, and the token that both mean by it."""

    payer: Payer
    price: int
    token: Token

    def paid(self, bought: Bought, symbol: str = "currency") -> Facts:
        """Return what a purchase cost, as it is printed; `symbol` names the fact that is the token's symbol."""
        return {"paid": format_units(bought.price, self.token.decimals), symbol: self.token.symbol}


@contextmanager
def agreed_price(config: Config, wallet: str, gateway: str, price: str, field: str, token: str) -> Iterator[Agreement]:
    """Open a wallet and its gateway, and agree on the token of a price; `field` is its option."""
    with open_payer(wallet, gateway, config) as payer:
        whole = payer.atomic(price, field)
        yield Agreement(payer, whole, agreed_token(payer.terms, whole, token, config))


async def read_offers(
    session: RegistrySession, asset: str, maker: str, gateway: str, kind: GoodsKind
) -> tuple[list[OfferFacts], Token]:
    """Return the offers of a service's goods at a gateway, all or a maker's, and the token of its prices."""
    config = session.chain.config
    whose = account(maker, config, "maker") if maker else None
    with open_gateway(gateway, config) as remote:
        token = terms_of(remote, config).token
        of_kind = {
            GoodsKind.SHARES: remote.share_offers,
            GoodsKind.CREDITS: remote.credit_offers,
            GoodsKind.TITLE: remote.title_offers,
        }
        found = of_kind[kind](format_asset(await find_asset(session, remote, asset)))
    return [each for each in found if whose in (None, each.maker)], token


def bought_facts(bought: Bought, to: Agreement, asset: Facts, goods: Facts) -> Facts:
    """Return a purchase as it is printed: of which `asset`, from whom, `to` whom, what `goods`, and how it was sent."""
    return {
        "offer": bought.offer.offer,
        **asset,
        "from": checksum(bought.offer.maker),
        "to": checksum(to.payer.address),
        **goods,
        "transaction": bought.transaction,
    }


def cancel_offer(
    config: Config,
    offer: str,
    wallet: str,
    gateway: str,
    kind: GoodsKind,
    ended: Callable[[OfferFacts, RegistrySession], Awaitable[Facts]],
) -> Facts:
    """End an offer of the wallet's; `ended` says what it sold, and what of that is not sold."""
    which = hash32(offer, "offer")
    with open_payer(wallet, gateway, config) as payer:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            over, transaction = await trader.cancel(which)
            return {"offer": which, **await ended(over, session), "transaction": transaction}

        return trade_at(config, payer, made, kind)

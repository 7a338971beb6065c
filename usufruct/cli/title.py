"""Sell and buy the title of a service (its owner NFT), alone or together with shares and pass credits."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from typer import Argument, BadParameter, Option, Typer

from usufruct.assets import SHARE_DECIMALS
from usufruct.cli.support.command import Facts, Rows, parse_duration, runs
from usufruct.cli.support.deposits import TokenOption
from usufruct.cli.support.gateway_client import GatewayUrl
from usufruct.cli.support.offer_commands import Maker, agreed_price, bought_facts, cancel_offer, read_offers
from usufruct.cli.support.registry_session import AssetArgument, RegistrySession, open_registry
from usufruct.cli.support.trade import SHARES, TITLE, Bundled, Trader, Unit, find_asset, trade_at
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import Config
from usufruct.core import AssetId, Clock, Invalid, checksum, format_asset, format_units, hash32, moment, parse_units
from usufruct_client.trade import Goods, GoodsKind, OfferedItem
from usufruct_client.trade_documents import BundledGoods, OfferFacts
from usufruct_client.wire import Token

app = Typer()

OfferArgument = Annotated[str, Argument(metavar="OFFER", help="The offer's id, as `usufruct title offers` shows it.")]


@app.command()
@runs(open_registry)
async def offers(
    session: RegistrySession,
    asset: AssetArgument,
    maker: Maker = "",
    gateway: GatewayUrl = "",
) -> Rows:
    """List the offers of a service's title at a gateway, the lowest price first.

    `with` is what is sold together with the title, and its part of the price: all of it, or nothing.

    Example: usufruct title offers my-model
    """
    found, token = await read_offers(session, asset, maker, gateway, GoodsKind.TITLE)
    rows = [await _offer_facts(each, token, session) for each in found]
    return Rows(rows, nothing="no offer of this title; `usufruct title offer` makes one")


@app.command()
@runs()
def offer(
    config: Config,
    asset: AssetArgument,
    price: Annotated[str, Option(help="The price of everything, as in 500; it is sold as a whole.")],
    wallet: Wallet,
    shares: Annotated[str, Option(help="AMOUNT:PRICE of shares that go with it, the price a part of --price.")] = "",
    credits_: Annotated[
        list[str] | None, Option("--credits", help="PLAN:AMOUNT:PRICE of pass credits that go with it; repeatable.")
    ] = None,
    expires: Annotated[str, Option(help="How long the offer holds: 1m to 90d, and not after a plan's end.")] = "30d",
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Offer the title of the wallet's service for sale, by a signature. The wallet stays its owner until it is bought.

    The exchange is approved for what is sold, by a transaction of the wallet for each kind of goods. Who owns the title
    sets price, endpoint and metadata, and may retire the service. Shares and their income go with it only by --shares.

    Example: usufruct title offer my-model --price 500 --shares 40000000:300 --wallet 0
    """
    until = Clock().now() + parse_duration(expires, "expires")
    with agreed_price(config, wallet, gateway, price, "price", token) as agreed:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            which = await find_asset(session, agreed.payer.gateway, asset)
            more = [await _shares(shares, which, agreed.token, session)] if shares else []
            more += [await _credits(each, which, agreed.token, session) for each in credits_ or ()]
            others = sum(each.item.price for each in more)
            if others >= agreed.price:
                left = format_units(others, agreed.token.decimals)
                raise Invalid(f"--price is {price}, and --shares and --credits take {left}; leave some for the title",
                              code="invalid_offer", field="price")  # fmt: skip
            goods = Goods(which, session.registry.contract.address, title=True)
            sale = await trader.offer(goods, TITLE, 1, agreed.price, agreed.token, until, more)
            facts = await _offer_facts(sale.offer, agreed.token, session)
            return {**facts, **sale.proceeds(agreed.token), "approvals": list(sale.approvals)}

        return trade_at(config, agreed.payer, made, GoodsKind.TITLE)


@app.command()
@runs()
def buy(
    config: Config,
    offer: OfferArgument,
    max_price: Annotated[str, Option(help="The most that you pay for everything, as in 500.")],
    wallet: Wallet,
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Buy a title, and all that is sold with it, by one signature: a payment of exactly the price, made once.

    The gateway pays the gas within its daily bounds; over them, the wallet sends the purchase itself.

    Example: usufruct title buy 0x5c1f...9a03 --max-price 500 --wallet 7
    """
    which = hash32(offer, "offer")
    with agreed_price(config, wallet, gateway, max_price, "max_price", token) as agreed:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            bought = await trader.buy(which, TITLE, 0, agreed.price, agreed.token)
            goods = {"with": await _with(bought.offer.more, agreed.token, session), **agreed.paid(bought)}
            return bought_facts(bought, agreed, {"asset": format_asset(AssetId(bought.offer.asset))}, goods)

        return trade_at(config, agreed.payer, made, GoodsKind.TITLE)


@app.command()
@runs()
def cancel(config: Config, offer: OfferArgument, wallet: Wallet, gateway: GatewayUrl = "") -> Facts:
    """End an offer of the wallet's for good, by a transaction: a signature cannot be taken back.

    Example: usufruct title cancel 0x5c1f...9a03 --wallet 0
    """

    async def ended(over: OfferFacts, _: RegistrySession) -> Facts:
        return {"asset": format_asset(AssetId(over.asset))}

    return cancel_offer(config, offer, wallet, gateway, GoodsKind.TITLE, ended)


async def _shares(text: str, asset: AssetId, token: Token, session: RegistrySession) -> Bundled:
    amount, price = _parts(text, 2, "--shares", "AMOUNT:PRICE, as in 40000000:300")
    goods = Goods(asset, (await session.registry.shares(asset)).address)
    atoms = parse_units(amount, SHARE_DECIMALS, "shares")
    return Bundled(OfferedItem(goods, atoms, parse_units(price, token.decimals, "shares")), SHARES)


async def _credits(text: str, asset: AssetId, token: Token, session: RegistrySession) -> Bundled:
    plan, amount, price = _parts(text, 3, "--credits", "PLAN:AMOUNT:PRICE, as in my-model:10:8")
    found = await session.passes.find(plan)
    goods = Goods(asset, session.registry.passes.address, found.id)
    atoms = parse_units(amount, found.currency.decimals, "credits")
    unit = Unit(found.currency.decimals, f"{found.currency.symbol} of use")
    return Bundled(OfferedItem(goods, atoms, parse_units(price, token.decimals, "credits")), unit)


def _parts(text: str, count: int, option: str, form: str) -> list[str]:
    parts = text.split(":")
    if len(parts) != count or not all(parts):
        raise BadParameter(f"{text!r} must be {form}", param_hint=option)
    return parts


async def _offer_facts(offer: OfferFacts, token: Token, session: RegistrySession) -> Mapping[str, object]:
    return {
        "offer": offer.offer,
        "asset": format_asset(AssetId(offer.asset)),
        "maker": checksum(offer.maker),
        "with": await _with(offer.more, token, session),
        "price": format_units(offer.price, token.decimals),
        "currency": token.symbol,
        "expires": moment(offer.expiry),
        "state": offer.state,
    }


async def _with(more: Sequence[BundledGoods], token: Token, session: RegistrySession) -> str | None:
    """Write what is sold together with a title, and for how much of the price; None: nothing."""
    texts = []
    for each in more:
        unit = SHARES
        if each.plan is not None:
            currency = (await session.passes.show(each.plan)).currency
            unit = Unit(currency.decimals, f"{currency.symbol} of use")
        texts.append(f"{unit.show(each.amount)} for {format_units(each.price, token.decimals)}")
    return "; ".join(texts) or None

"""Transfer, sell and buy revenue shares, see who holds them, collect their income."""

from collections.abc import Mapping
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.assets import SHARE_DECIMALS
from usufruct.cli.support.command import ADDRESS, Facts, Rows, parse_duration, runs
from usufruct.cli.support.deposits import TokenOption
from usufruct.cli.support.gateway_client import GatewayUrl
from usufruct.cli.support.offer_commands import Maker, agreed_price, bought_facts, cancel_offer, read_offers
from usufruct.cli.support.registry_session import AssetArgument, Holder, Receiver, RegistrySession, open_registry
from usufruct.cli.support.trade import SHARES, Trader, find_asset, trade_at
from usufruct.cli.support.wallet_option import Wallet, account
from usufruct.config import Config
from usufruct.core import (
    Address,
    AssetId,
    Clock,
    checksum,
    format_asset,
    format_units,
    hash32,
    moment,
    parse_units,
)
from usufruct_client.trade import Goods, GoodsKind, price_of_one, price_up
from usufruct_client.trade_documents import OfferFacts
from usufruct_client.wire import Token

app = Typer()

OfferArgument = Annotated[str, Argument(metavar="OFFER", help="The offer's id, as `usufruct shares offers` shows it.")]


@app.command()
@runs(open_registry)
async def transfer(
    session: RegistrySession,
    asset: AssetArgument,
    to: Annotated[Address, Argument(**ADDRESS, help="Address that receives the shares.")],
    amount: Annotated[str, Argument(help="How many of the 100,000,000 shares, as in 2500000 or 12.5.")],
    wallet: Wallet,
) -> Facts:
    """Transfer shares. What accrued so far stays yours; what has not goes with the shares.

    Example: usufruct shares transfer my-model 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc 2500000 --wallet 0
    """
    sender, atoms = session.sender(wallet), parse_units(amount, SHARE_DECIMALS)
    which = await session.registry.find(asset)
    transaction = await session.holders.transfer(sender, which, to, atoms)
    return {
        "asset": format_asset(which),
        "from": checksum(sender.address),
        "to": checksum(to),
        "shares": format_units(atoms, SHARE_DECIMALS),
        "transaction": transaction,
    }


@app.command()
@runs(open_registry)
async def holders(session: RegistrySession, asset: AssetArgument) -> Rows:
    """List who holds a service's shares, from the chain's logs up to now.

    Example: usufruct shares holders my-model
    """
    found = await session.holders.holders(await session.registry.find(asset))
    rows = [
        {"holder": checksum(each.holder), "shares": format_units(each.amount, SHARE_DECIMALS), "percent": each.percent}
        for each in found
    ]
    return Rows(rows, ("holder", "shares", "percent"), "no shares")


@app.command()
@runs(open_registry)
async def pending(session: RegistrySession, asset: AssetArgument, holder: Holder) -> Rows:
    """Show what an account's shares have earned and it has not collected, for each revenue token.

    Accrued can be collected as it is; pending counts also what has arrived, or is due from child assets, and was not
    accrued yet.

    Example: usufruct shares pending my-model --holder 0
    """
    who = account(holder, session.chain.config)
    rows = [
        {
            "token": each.token.symbol,
            "pending": each.token.show(each.total),
            "accrued": each.token.show(each.accrued),
            "not_accrued": each.token.show(each.total - each.accrued),
        }
        for each in await session.holders.pending(await session.registry.find(asset), who)
    ]
    return Rows(rows, ("token", "pending", "accrued", "not_accrued"), "no revenue token")


@app.command()
@runs(open_registry)
async def collect(session: RegistrySession, asset: AssetArgument, wallet: Wallet, to: Receiver = None) -> Rows:
    """Collect the income of the wallet's shares, in every revenue token.

    Wraps native coin, fetches royalties of child assets and accrues what has just arrived, first.

    Example: usufruct shares collect my-model --wallet 0
    """
    sender = session.sender(wallet)
    receiver = to or sender.address
    rows = [
        {
            "token": each.token.symbol,
            "collected": each.token.show(each.amount),
            "to": checksum(receiver),
            "transaction": each.transaction,
        }
        for each in await session.holders.collect(sender, await session.registry.find(asset), receiver)
    ]
    return Rows(rows, nothing="nothing to collect")


@app.command()
@runs(open_registry)
async def offers(
    session: RegistrySession,
    asset: AssetArgument,
    maker: Maker = "",
    gateway: GatewayUrl = "",
) -> Rows:
    """List the offers of a service's shares at a gateway, the lowest price of a share first.

    `shares` is what can be bought now, and `price` the price of it.

    Example: usufruct shares offers my-model
    """
    found, token = await read_offers(session, asset, maker, gateway, GoodsKind.SHARES)
    rows = [_offer_facts(each, token) for each in found]
    return Rows(rows, nothing="no offer of these shares; `usufruct shares offer` makes one")


@app.command()
@runs()
def offer(
    config: Config,
    asset: AssetArgument,
    amount: Annotated[str, Argument(help="How many of the 100,000,000 shares, as in 1000000.")],
    price: Annotated[str, Option(help="The price of all of them, as in 50; parts are sold, too.")],
    wallet: Wallet,
    expires: Annotated[str, Option(help="How long the offer holds: 1m to 90d.")] = "30d",
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Offer shares for sale, by a signature. They and their income stay the wallet's until they are bought.

    The exchange is approved for what is on offer: by a signature if the gateway pays the gas, else by a transaction.

    Example: usufruct shares offer my-model 1000000 --price 50 --wallet 0
    """
    atoms, expiry = parse_units(amount, SHARE_DECIMALS, "amount"), Clock().now() + parse_duration(expires, "expires")
    with agreed_price(config, wallet, gateway, price, "price", token) as agreed:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            which = await find_asset(session, agreed.payer.gateway, asset)
            goods = Goods(which, (await session.registry.shares(which)).address)
            sale = await trader.offer(goods, SHARES, atoms, agreed.price, agreed.token, expiry)
            proceeds = sale.proceeds(agreed.token)
            del proceeds["royalty"]  # shares have none
            return {**_offer_facts(sale.offer, agreed.token), **proceeds, "approval": sale.approval}

        return trade_at(config, agreed.payer, made)


@app.command()
@runs()
def buy(
    config: Config,
    offer: OfferArgument,
    amount: Annotated[str, Argument(help="How many shares, as in 500000.")],
    max_price: Annotated[str, Option(help="The most that you pay for them, as in 25.")],
    wallet: Wallet,
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Buy shares of an offer by one signature: a payment of exactly the price, which is made once.

    The gateway pays the gas within its daily bounds; over them, the wallet sends the purchase itself.

    Example: usufruct shares buy 0x5c1f...9a03 500000 --max-price 25 --wallet 5
    """
    atoms, which = parse_units(amount, SHARE_DECIMALS, "amount"), hash32(offer, "offer")
    with agreed_price(config, wallet, gateway, max_price, "max_price", token) as agreed:

        async def made(trader: Trader, _: RegistrySession) -> Facts:
            bought = await trader.buy(which, SHARES, atoms, agreed.price, agreed.token)
            goods = {"shares": format_units(atoms, SHARE_DECIMALS), **agreed.paid(bought)}
            return bought_facts(bought, agreed, {"asset": format_asset(AssetId(bought.offer.asset))}, goods)

        return trade_at(config, agreed.payer, made)


@app.command()
@runs()
def cancel(config: Config, offer: OfferArgument, wallet: Wallet, gateway: GatewayUrl = "") -> Facts:
    """End an offer of the wallet's for good, by a transaction: a signature cannot be taken back.

    Example: usufruct shares cancel 0x5c1f...9a03 --wallet 0
    """

    async def ended(over: OfferFacts, _: RegistrySession) -> Facts:
        left = format_units(over.left, SHARE_DECIMALS)
        return {"asset": format_asset(AssetId(over.asset)), "shares_not_sold": left}

    return cancel_offer(config, offer, wallet, gateway, GoodsKind.SHARES, ended)


def _offer_facts(offer: OfferFacts, token: Token) -> Mapping[str, object]:
    amount = offer.left if offer.available is None else offer.available
    one = price_of_one(offer.price, offer.amount, SHARE_DECIMALS, token.decimals)
    return {
        "offer": offer.offer,
        "asset": format_asset(AssetId(offer.asset)),
        "maker": checksum(offer.maker),
        "shares": format_units(amount, SHARE_DECIMALS),
        "price": format_units(price_up(offer.price, offer.amount, amount), token.decimals),
        "price_of_one": f"{one:f}",
        "currency": token.symbol,
        "expires": moment(offer.expiry),
        "state": offer.state,
    }

"""Sell, use and trade in passes: prepaid credits of a service.

Calls are counted as a call of 1,000 text tokens in and 500 out, at today's price.
"""

from collections.abc import Mapping
from typing import Annotated

from typer import Argument, BadParameter, Option, Typer

from usufruct.assets import Credits, PassPlan, about_calls
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.cli.support.command import Facts, Rows, parse_duration, runs
from usufruct.cli.support.deposits import TokenOption
from usufruct.cli.support.gateway_client import GatewayUrl, open_gateway
from usufruct.cli.support.local_store import SavedKey, save_key
from usufruct.cli.support.offer_commands import Maker, agreed_price, bought_facts, cancel_offer, read_offers
from usufruct.cli.support.output import say
from usufruct.cli.support.registry_session import AssetArgument, Holder, Receiver, RegistrySession, open_registry
from usufruct.cli.support.trade import Trader, Unit, trade_at
from usufruct.cli.support.wallet_option import Wallet, account, open_wallet
from usufruct.config import Config
from usufruct.core import (
    UINT128_MAX,
    ZERO_ADDRESS,
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
from usufruct.payments.pricing import PassTerms, sign_grant
from usufruct_client.trade import Goods, GoodsKind, price_of_one, price_up
from usufruct_client.trade_documents import OfferFacts
from usufruct_client.wire import Token

app = Typer()

OfferArgument = Annotated[str, Argument(metavar="OFFER", help="The offer's id, as `usufruct pass offers` shows it.")]
PlanArgument = Annotated[str, Argument(metavar="PLAN", help="The plan's id, or an asset with one plan on sale.")]


@app.command()
@runs(open_registry)
async def plan(
    session: RegistrySession,
    asset: AssetArgument,
    price: Annotated[str, Option(help="Price of a package, as in 9; left out: the plans are listed.")] = "",
    credits_: Annotated[str, Option("--credits", help="What a package pays for, in the asset's currency, as 10.")] = "",
    token: Annotated[str, Option(help="Revenue token of the price; left out: the asset's currency.")] = "",
    expires: Annotated[str, Option(help="When credits become void, as in 365d (30d at least); else never.")] = "",
    wallet: Annotated[str, Option("--wallet", "-w", help="Who signs: the title holder's wallet.")] = "",
) -> Facts | Rows:
    """List a service's plans; with --price and --credits, offer another.

    Example: usufruct pass plan my-model --price 9 --credits 10 --wallet 0
    """
    wanted = price or credits_
    for option, text in (("--price", price), ("--credits", credits_), ("--wallet", wallet)):
        if wanted and not text:
            raise BadParameter("a new plan needs --price, --credits and --wallet", param_hint=option)
    which = await session.registry.find(asset)
    if not wanted:
        plans = [await _plan_facts(each, session) for each in await session.passes.plans(which)]
        return Rows(plans, nothing="no plan yet; --price and --credits make one")
    currency = await session.registry.token((await session.registry.asset(which)).currency)
    paid_in = await session.registry.find_token(token, "token") if token else currency
    made, transaction = await session.passes.plan(
        session.sender(wallet),
        which,
        paid_in,
        parse_units(price, paid_in.decimals, "price"),
        parse_units(credits_, currency.decimals, "credits"),
        await session.registry.now() + parse_duration(expires, "expires") if expires else 0,
    )
    return {**await _plan_facts(made, session), "transaction": transaction}


@app.command()
@runs(open_registry)
async def buy(
    session: RegistrySession,
    plan: PlanArgument,
    wallet: Wallet,
    packages: Annotated[int, Option(min=1, help="How many packages.")] = 1,
    to: Receiver = None,
) -> Facts:
    """Buy packages of a plan. The price is fixed by the plan; exactly that much is approved, and no more can be taken.

    Example: usufruct pass buy my-model --packages 2 --wallet 4
    """
    sender, found = session.sender(wallet), await session.passes.find(plan)
    receiver, most = to or sender.address, found.token.show(found.price * packages)
    say(f"This takes at most {most} {found.token.symbol} from {sender.address}.")
    bought, transaction, approval = await session.passes.buy(sender, found, packages, receiver)
    card = await session.registry.price_card(found.asset)
    calls = {"about_calls": about_calls(bought.credits, card), "approval": approval}
    return _trade(found, receiver, bought.credits, bought.paid) | calls | {"transaction": transaction}


@app.command()
@runs(open_registry)
async def activate(
    session: RegistrySession,
    plan: PlanArgument,
    amount: Annotated[str, Argument(metavar="CREDITS", help="How much use, in the asset's currency, as in 10.")],
    wallet: Wallet,
) -> Facts:
    """Take credits out of circulation, so that the service's meter can burn them as they are used.

    Example: usufruct pass activate my-model 5 --wallet 4
    """
    sender, found = session.sender(wallet), await session.passes.find(plan)
    wanted = parse_units(amount, found.currency.decimals, "credits")
    meter, transaction = await session.passes.activate(sender, found, wanted)
    return {
        "plan": hex(found.id),
        "activated": found.currency.show(wanted),
        "currency": found.currency.symbol,
        "meter": checksum(meter),
        "transaction": transaction,
    }


@app.command()
@runs(open_registry)
async def grant(
    session: RegistrySession,
    plan: PlanArgument,
    wallet: Wallet,
    limit: Annotated[str, Option(help="The most it may be charged, as in 5; else all that is activated.")] = "",
    expires: Annotated[str, Option(help="How long it holds.")] = "30d",
    save: Annotated[bool, Option("--save", help="Keep it on this machine for `usufruct call`.")] = False,
    gateway: GatewayUrl = "",
) -> Facts:
    """Make a key that pays with the wallet's activated credits: a signature, that costs nothing and is kept nowhere.

    It works like any bearer key. A limit counts what other keys of these credits were charged, too. It cannot be
    revoked: let it expire soon, or activate only what it may spend.

    Example: usufruct pass grant my-model --wallet 4 --expires 7d --save
    """
    signer, found = open_wallet(wallet, session.chain.config), await session.passes.find(plan)
    meter, contract = await session.passes.meter(found), session.chain.deployments.address(AccessPass)
    terms = PassTerms(session.chain.chain_id, contract, meter, found.currency.address)
    most = parse_units(limit, found.currency.decimals, "limit") if limit else UINT128_MAX
    until = Clock().now() + parse_duration(expires, "expires")
    made = sign_grant(terms, found.id, most, until, signer)
    account = terms.account_id(terms.credits(found.id, signer.address))
    facts: dict[str, object] = {
        "key": made.text(),
        "plan": hex(found.id),
        "asset": format_asset(found.asset),
        "limit": found.currency.show(most) if limit else None,
        "expires": moment(made.expires_at),
        "account": account,
    }
    if save:
        with open_gateway(gateway, session.chain.config) as remote:
            kept = SavedKey(remote.url, f"grant_{account[2:18]}", account, made.text())
        facts["file"] = str(save_key(session.chain.config, kept))
    say("Keep it: the bearer of this key can use the credits.")
    return facts


@app.command()
@runs(open_registry)
async def refund(session: RegistrySession, plan: PlanArgument, wallet: Wallet, to: Receiver = None) -> Rows:
    """Give back all unused credits of a plan for what they cost, once its service is retired or its meter silent.

    Credits that were not activated also while activations are paused, and once another meter was named.

    Example: usufruct pass refund my-model --wallet 4
    """
    sender, found = session.sender(wallet), await session.passes.find(plan)
    receiver = to or sender.address
    refunded = await session.passes.refund(sender, found, receiver)
    rows = [_trade(found, receiver, back.credits, back.amount) | {"transaction": hash_} for back, hash_ in refunded]
    return Rows(rows, nothing="nothing")


@app.command()
@runs(open_registry)
async def balance(
    session: RegistrySession,
    holder: Holder,
    asset: Annotated[str, Argument(help="Only this asset's credits: its id or name.")] = "",
) -> Rows:
    """Show an account's credits: circulating, activated, and from when on unused ones can be given back.

    Example: usufruct pass balance my-model --holder 4
    """
    who = account(holder, session.chain.config)
    which = await session.registry.find(asset) if asset else None
    return Rows([_credit_row(each) for each in await session.passes.balance(who, which)], nothing="no credits")


@app.command()
@runs(open_registry)
async def offers(
    session: RegistrySession,
    asset: AssetArgument,
    maker: Maker = "",
    gateway: GatewayUrl = "",
) -> Rows:
    """List the offers of a service's circulating credits at a gateway, the lowest price of a credit first.

    `credits` is what can be bought now, and `price` the price of it. The plan itself sold them for `plan_price_of_one`.

    Example: usufruct pass offers my-model
    """
    found, token = await read_offers(session, asset, maker, gateway, GoodsKind.CREDITS)
    of_plans = [each for each in found if each.plan is not None]
    rows = [_offer_facts(each, await _plan_of(each, session), token) for each in of_plans]
    return Rows(rows, nothing="no offer of these credits; `usufruct pass offer` makes one")


@app.command()
@runs()
def offer(
    config: Config,
    plan: PlanArgument,
    amount: Annotated[str, Argument(metavar="CREDITS", help="How much use, in the asset's currency, as in 10.")],
    price: Annotated[str, Option(help="The price of all of them, as in 8; parts are sold, too.")],
    wallet: Wallet,
    expires: Annotated[str, Option(help="How long the offer holds: 1m to 90d, and not after the plan's end.")] = "30d",
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Offer credits that are not activated for sale, by a signature. They stay the wallet's until they are bought.

    The exchange is approved for credits once, by a transaction of the wallet; it moves only what the wallet offers.

    Example: usufruct pass offer my-model 10 --price 8 --wallet 4
    """
    until = Clock().now() + parse_duration(expires, "expires")
    with agreed_price(config, wallet, gateway, price, "price", token) as agreed:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            found = await session.passes.find(plan)
            atoms = parse_units(amount, found.currency.decimals, "credits")
            goods = Goods(found.asset, session.registry.passes.address, found.id)
            sale = await trader.offer(goods, _unit(found), atoms, agreed.price, agreed.token, until)
            facts = _offer_facts(sale.offer, found, agreed.token)
            return {**facts, **sale.proceeds(agreed.token), "approval": sale.approval}

        return trade_at(config, agreed.payer, made, GoodsKind.CREDITS)


@app.command()
@runs()
def buy_offered(
    config: Config,
    offer: OfferArgument,
    amount: Annotated[str, Argument(metavar="CREDITS", help="How much use, in the asset's currency, as in 10.")],
    max_price: Annotated[str, Option(help="The most that you pay for it, as in 8.")],
    wallet: Wallet,
    token: TokenOption = "",
    gateway: GatewayUrl = "",
) -> Facts:
    """Buy credits of an offer by one signature: a payment of exactly the price, which is made once.

    The gateway pays the gas within its daily bounds; over them, the wallet sends the purchase itself.

    Example: usufruct pass buy-offered 0x5c1f...9a03 5 --max-price 4 --wallet 7
    """
    which = hash32(offer, "offer")
    with agreed_price(config, wallet, gateway, max_price, "max_price", token) as agreed:

        async def made(trader: Trader, session: RegistrySession) -> Facts:
            plan = await _plan_of(await trader.find(which), session)
            atoms = parse_units(amount, plan.currency.decimals, "credits")
            bought = await trader.buy(which, _unit(plan), atoms, agreed.price, agreed.token)
            card = await session.registry.price_card(plan.asset)
            goods = {
                "credits": plan.currency.show(atoms),
                "currency": plan.currency.symbol,
                "about_calls": about_calls(atoms, card),
                **agreed.paid(bought, "token"),
            }
            return bought_facts(bought, agreed, {"plan": hex(plan.id)}, goods)

        return trade_at(config, agreed.payer, made, GoodsKind.CREDITS)


@app.command()
@runs()
def cancel(config: Config, offer: OfferArgument, wallet: Wallet, gateway: GatewayUrl = "") -> Facts:
    """End an offer of the wallet's for good, by a transaction: a signature cannot be taken back.

    Example: usufruct pass cancel 0x5c1f...9a03 --wallet 4
    """

    async def ended(over: OfferFacts, session: RegistrySession) -> Facts:
        plan = await _plan_of(over, session)
        return {"plan": hex(plan.id), "credits_not_sold": plan.currency.show(over.left)}

    return cancel_offer(config, offer, wallet, gateway, GoodsKind.CREDITS, ended)


async def _plan_of(offer: OfferFacts, session: RegistrySession) -> PassPlan:
    assert offer.plan is not None  # checked by the trader, which trades in credits
    return await session.passes.show(offer.plan)


def _unit(plan: PassPlan) -> Unit:
    return Unit(plan.currency.decimals, f"{plan.currency.symbol} of use")


def _offer_facts(offer: OfferFacts, plan: PassPlan, token: Token) -> Mapping[str, object]:
    amount, decimals = offer.left if offer.available is None else offer.available, plan.currency.decimals
    one = price_of_one(offer.price, offer.amount, decimals, token.decimals)
    plan_one = price_of_one(plan.price, plan.credits, decimals, plan.token.decimals)
    return {
        "offer": offer.offer,
        "asset": format_asset(AssetId(offer.asset)),
        "plan": hex(plan.id),
        "maker": checksum(offer.maker),
        "credits": plan.currency.show(amount),
        "currency": plan.currency.symbol,
        "price": format_units(price_up(offer.price, offer.amount, amount), token.decimals),
        "price_of_one": f"{one:f}",
        "token": token.symbol,
        "plan_price_of_one": f"{plan_one:f}",
        "plan_token": plan.token.symbol,
        "expires": moment(offer.expiry),
        "void": moment(plan.expiry) if plan.expiry else None,
        "state": offer.state,
    }


def _trade(plan: PassPlan, to: Address, credits_: int, paid: int) -> dict[str, object]:
    return {
        "plan": hex(plan.id),
        "credits": plan.currency.show(credits_),
        "currency": plan.currency.symbol,
        "paid": plan.token.show(paid),
        "token": plan.token.symbol,
        "to": checksum(to),
    }


async def _plan_facts(plan: PassPlan, session: RegistrySession) -> Mapping[str, object]:
    card = await session.registry.price_card(plan.asset)
    return {
        "id": hex(plan.id),
        "asset": format_asset(plan.asset),
        "price": plan.token.show(plan.price),
        "token": plan.token.symbol,
        "credits": plan.currency.show(plan.credits),
        "currency": plan.currency.symbol,
        "about_calls": about_calls(plan.credits, card),
        "expires": moment(plan.expiry) if plan.expiry else None,
        "on_sale": plan.open,
    }


def _credit_row(held: Credits) -> dict[str, object]:
    currency = held.plan.currency
    return {
        "plan": hex(held.plan.id),
        "asset": format_asset(held.plan.asset),
        "meter": None if held.meter == ZERO_ADDRESS else checksum(held.meter),
        "circulating": currency.show(held.circulating),
        "activated": currency.show(held.activated),
        "currency": currency.symbol,
        "about_calls": held.calls,
        "circulating_refund_from": _refund_from(held.circulating, held.circulating_refundable_at),
        "activated_refund_from": _refund_from(held.activated, held.activated_refundable_at),
    }


def _refund_from(amount: int, opens_at: int) -> str | None:
    if not amount:
        return None
    return moment(opens_at) if opens_at else "now"

"""Sell tokens to stakers at a fixed price, and buy: create, subscribe, refund, claim, take what is due."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Annotated, Any

from typer import Argument, Option, Typer

from usufruct.chain import Call, ChainAccess, Receipt, open_chain, token_address
from usufruct.chain.contracts.deal_room import (
    Claimed,
    DealCreated,
    FeesReleased,
    ProceedsTaken,
    Refunded,
    TokensReturned,
)
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.command import ADDRESS, Facts, Rows, runs
from usufruct.cli.support.output import say
from usufruct.cli.support.ownership import Yes, confirm_on_public_chain
from usufruct.cli.support.wallet_option import Wallet, account, open_wallet
from usufruct.core import Address, address, checksum, hash32, hash32_from_bytes, moment, parse_units
from usufruct.core.address_lists import read_deals
from usufruct.staking.deals import (
    DealCalls,
    DealIndexer,
    DealPart,
    DealPlan,
    Deals,
    DealState,
    DealTerms,
    DealTokens,
    ShownDeals,
    amount_text,
    deal_in_words,
    obstacle,
    price_of_one,
    read_file,
    read_level,
    read_plan,
)

app = Typer()

Id = Annotated[str, Argument(metavar="DEAL", help="The deal's id, 0x and 64 hex digits.")]
_Payout = Refunded | Claimed | ProceedsTaken | TokensReturned
"""Events of payouts: each has an amount, and who got it."""

To = Annotated[Address | None, Option(**ADDRESS, help="Who gets it; by default the wallet.")]


@app.command()
@runs(open_chain)
async def create(
    chain: ChainAccess,
    wallet: Wallet,
    file: Annotated[Path | None, Argument(metavar="FILE.toml", help="The terms; options win over it.")] = None,
    sale_token: Annotated[str, Option(help="What is sold, an address.")] = "",
    payment_token: Annotated[str, Option(help="What is paid; by default what the installation charges in.")] = "",
    for_sale: Annotated[str, Option(help="How many tokens; all come in with the deal.")] = "",
    hard_cap: Annotated[str, Option(help="The price of all of them.")] = "",
    soft_cap: Annotated[str, Option(help="If less is paid in, all payments go back.")] = "",
    closes: Annotated[str, Option(help="When the sale ends, as 2030-07-06T12:00, UTC.")] = "",
    cliff_days: Annotated[int | None, Option(min=0, help="Days before which nothing vests.")] = None,
    vesting_days: Annotated[int | None, Option(min=0, help="Days until all has vested.")] = None,
    level: Annotated[
        list[str] | None, Option(metavar="FROM=CAP@OPENS", help="Levels from FROM up: cap, opening time; repeat.")
    ] = None,
    allow_list: Annotated[bool, Option("--allow-list", help="Only accounts that `deal allow` names.")] = False,
    policy: Annotated[str, Option(help="A contract of your own that decides who may subscribe.")] = "",
    dry_run: Annotated[bool, Option("--dry-run", help="Say what the deal is, and send nothing.")] = False,
    yes: Yes = False,
) -> Facts:
    """Create a deal: the wallet's tokens come in, and levels may subscribe from their opening times on.

    The deal is said in words before anything is signed. The printed setting has gateways show it at /deals.

    Example: usufruct deal create deal.toml --wallet 0

    Example: usufruct deal create --sale-token 0x... --for-sale 1000000 --hard-cap 100000 --soft-cap 20000
    --closes 2030-07-06T12:00 --vesting-days 300 --level 8=80000@2030-07-01T12:00 --level 1=10000@2030-07-02T12:00 -w 0
    """
    options = {
        "sale_token": sale_token, "payment_token": payment_token, "for_sale": for_sale, "hard_cap": hard_cap,
        "soft_cap": soft_cap, "closes": closes, "cliff_days": cliff_days, "vesting_days": vesting_days,
        "levels": [read_level(each) for each in level or ()], "allow_list": allow_list, "policy": policy,
    }  # fmt: skip
    plan = read_plan({**(read_file(file) if file else {}), **_given(options)})
    session = _Session(chain, wallet)
    terms, words = await _terms(session.deals, plan, chain)
    calls = await session.calls.create(session.signer.address, terms, token_bytes(32))
    for line in words:
        say(line)
    if dry_run:
        return {"created": False, "terms": words}
    confirm_on_public_chain(chain, "Create this deal? All tokens for sale come in with it.", yes=yes)
    receipt = (await session.send_all("create", calls))[-1]
    (made,) = DealCreated.among(receipt.logs, session.deals.room.address)
    deal = hash32_from_bytes(made.deal)
    return {
        "created": True,
        "deal": deal,
        "issuer": checksum(made.issuer),
        "transaction": receipt.hash,
        "terms": words,
        "setting": f'[platform_token] deals = "{deal}"',
    }


async def _terms(deals: Deals, plan: DealPlan, chain: ChainAccess) -> tuple[DealTerms, list[str]]:
    """Return the terms of a plan, and what they mean in words."""
    payment_at = plan.payment_token or token_address(chain.config, chain.deployments)
    tokens = DealTokens(await deals.token(plan.sale_token), await deals.token(payment_at))
    now = (await chain.client.head()).timestamp
    thresholds = await Levels(chain.deployments.address(Levels), chain.client).thresholds()
    terms = plan.terms(tokens.sale, tokens.payment, thresholds, deals.allow_list.address, now)
    return terms, deal_in_words(terms, tokens, (await deals.room.platform_fee()).bps)


@app.command("list")
@runs(open_chain)
async def list_(
    chain: ChainAccess, everything: Annotated[bool, Option("--all", help="Also those that pages do not show.")] = False
) -> Rows:
    """List the deals that the pages show, the newest first; with --all every deal of the contract.

    Example: usufruct deal list --all
    """
    deals = _deals(chain)
    found = await (deals.all() if everything else deals.listed())
    rows = [await _summary(deals, each) for each in found]
    return Rows(rows, ("deal", "phase", "sells", "price_of_all", "paid", "closes", "shown"), _nothing(everything))


@app.command("show")
@runs(open_chain)
async def show_(
    chain: ChainAccess,
    deal: Id,
    holder: Annotated[str, Option("--account", help="What this account has in it: an address or a wallet.")] = "",
) -> Facts:
    """Show a deal, and with --account what an account has in it and may do.

    Example: usufruct deal show 0x5c0e... --account 0
    """
    deals = _deals(chain)
    state = await deals.state(hash32(deal, "deal"))
    tokens = await deals.tokens(state.deal)
    terms = deal_in_words(state.deal.terms, tokens, state.deal.fee_bps)
    facts = {**await _summary(deals, state), "issuer": checksum(state.deal.issuer), "accounts": state.accounts}
    facts |= {"accepted": amount_text(state.accepted, tokens.payment), "terms": terms}
    if holder:
        part = await deals.part(state, account(holder, chain.config))
        facts["account"] = _part_facts(state, part, tokens)
    return facts


@app.command()
@runs(open_chain)
async def subscribe(
    chain: ChainAccess,
    deal: Id,
    amount: Annotated[str, Argument(help="How much to pay in, as in 500 or 12.5.")],
    wallet: Wallet,
    yes: Yes = False,
) -> Facts:
    """Pay into a deal; the payment stays there until the sale ends.

    Example: usufruct deal subscribe 0x5c0e... 500 --wallet 0
    """
    session = _Session(chain, wallet)
    state = await session.state(deal)
    tokens = await session.deals.tokens(state.deal)
    units = parse_units(amount, tokens.payment.decimals)
    payment = await session.calls.subscribe(state, session.signer.address, units)
    end = moment(state.deal.terms.closes_at)
    confirm_on_public_chain(chain, f"Pay {amount_text(units, tokens.payment)}, which stays there until {end}?", yes=yes)
    receipts = await session.send_all("subscribe", payment.calls)
    return {**await session.part_facts(deal), "transactions": [each.hash for each in receipts]}


@app.command()
@runs(open_chain)
async def refund(chain: ChainAccess, deal: Id, wallet: Wallet, to: To = None) -> Facts:
    """Take back what was paid in too much; of a deal that failed, everything.

    Example: usufruct deal refund 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state, (mine, receiver) = await session.state(deal), session.parties(to)
    receipt = await session.send("refund", await session.calls.refund(state, mine, receiver))
    return await session.payout(state, "refunded", Refunded.among(receipt.logs, session.room), receipt, is_sale=False)


@app.command()
@runs(open_chain)
async def claim(chain: ChainAccess, deal: Id, wallet: Wallet, to: To = None) -> Facts:
    """Claim the tokens that have vested.

    Example: usufruct deal claim 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state, (mine, receiver) = await session.state(deal), session.parties(to)
    receipt = await session.send("claim", await session.calls.claim(state, mine, receiver))
    return await session.payout(state, "claimed", Claimed.among(receipt.logs, session.room), receipt, is_sale=True)


@app.command()
@runs(open_chain)
async def allot(
    chain: ChainAccess,
    deal: Id,
    wallet: Wallet,
    holder: Annotated[Address | None, Option("--account", **ADDRESS, help="Only this one; by default all.")] = None,
) -> Facts:
    """Fix the results of accounts after the sale; any wallet may. Then the issuer gets what rounding left.

    Example: usufruct deal allot 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state = await session.state(deal)
    accounts = [holder] if holder else await session.deals.to_allot(state.deal.id)
    sent = await session.send_all("allot", [session.calls.allot(state, each) for each in accounts])
    return {
        "deal": state.deal.id,
        "allotted": [checksum(each) for each in accounts],
        "transactions": [each.hash for each in sent],
    }


@app.command("take-proceeds")
@runs(open_chain)
async def take_proceeds(chain: ChainAccess, deal: Id, wallet: Wallet, to: To = None) -> Facts:
    """Take the proceeds of a deal that succeeded, less the fee; the wallet is the issuer's.

    Example: usufruct deal take-proceeds 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state, (mine, receiver) = await session.state(deal), session.parties(to)
    receipt = await session.send("take-proceeds", session.calls.take_proceeds(state, mine, receiver))
    taken = ProceedsTaken.among(receipt.logs, session.room)
    facts = await session.payout(state, "proceeds", taken, receipt, is_sale=False)
    return {**facts, "fee": amount_text(taken[0].fee, (await session.deals.tokens(state.deal)).payment)}


@app.command("take-unsold")
@runs(open_chain)
async def take_unsold(chain: ChainAccess, deal: Id, wallet: Wallet, to: To = None) -> Facts:
    """Take the tokens that were not sold; of a deal that failed, all. The wallet is the issuer's.

    Example: usufruct deal take-unsold 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state, (mine, receiver) = await session.state(deal), session.parties(to)
    receipt = await session.send("take-unsold", session.calls.take_unsold(state, mine, receiver))
    returned = TokensReturned.among(receipt.logs, session.room)
    return await session.payout(state, "returned", returned, receipt, is_sale=True)


@app.command()
@runs(open_chain)
async def cancel(chain: ChainAccess, deal: Id, wallet: Wallet, yes: Yes = False) -> Facts:
    """Cancel a deal before the first payment; `take-unsold` then returns the tokens. The wallet is the issuer's.

    Example: usufruct deal cancel 0x5c0e... --wallet 0
    """
    session = _Session(chain, wallet)
    state = await session.state(deal)
    call = session.calls.cancel(state, session.signer.address)
    confirm_on_public_chain(chain, f"Cancel deal {state.deal.id}?", yes=yes)
    receipt = await session.send("cancel", call)
    return {"deal": state.deal.id, "cancelled": True, "transaction": receipt.hash}


@app.command()
@runs(open_chain)
async def allow(
    chain: ChainAccess,
    deal: Id,
    accounts: Annotated[list[str], Argument(metavar="ACCOUNT...", help="Addresses.")],
    wallet: Wallet,
    remove: Annotated[bool, Option("--remove", help="No longer let them subscribe.")] = False,
) -> Facts:
    """Let accounts subscribe to a deal that was created with --allow-list; the wallet is the issuer's.

    What a removed account has paid in stays: it gets its tokens or its money as the others do.

    Example: usufruct deal allow 0x5c0e... 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --wallet 0
    """
    session = _Session(chain, wallet)
    state, named = await session.state(deal), [address(each, "ACCOUNT") for each in accounts]
    call = session.calls.allow(state, session.signer.address, named, allowed=not remove)
    receipt = await session.send("allow", call)
    listed = [checksum(each) for each in named]
    return {"deal": state.deal.id, "accounts": listed, "allowed": not remove, "transaction": receipt.hash}


@app.command("release-fees")
@runs(open_chain)
async def release_fees(
    chain: ChainAccess,
    token: Annotated[Address, Argument(**ADDRESS, help="The payment token of the fees.")],
    wallet: Wallet,
) -> Facts:
    """Send the fees of deals in a token to their sink; any wallet may.

    Example: usufruct deal release-fees 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --wallet 0
    """
    session = _Session(chain, wallet)
    facts = await session.deals.token(token)
    if not await session.deals.room.fees_due(token):
        return {"released": amount_text(0, facts), "transaction": None}
    receipt = await session.send("release-fees", session.deals.room.release_fees(token))
    (paid,) = FeesReleased.among(receipt.logs, session.deals.room.address)
    return {"released": amount_text(paid.amount, facts), "to": checksum(paid.sink), "transaction": receipt.hash}


class _Session:
    """A wallet at the deal room."""

    def __init__(self, chain: ChainAccess, wallet: str) -> None:
        self.deals = _deals(chain)
        self.calls = DealCalls(self.deals)
        self.signer: KeySigner = open_wallet(wallet, chain.config)
        self.room = self.deals.room.address
        self._sender = chain.sender(self.signer)

    async def state(self, deal: str) -> DealState:
        """Return a deal, shown or not."""
        return await self.deals.state(hash32(deal, "deal"))

    async def send(self, verb: str, call: Call) -> Receipt:
        """Send a call once, and wait until it is final."""
        return await self._sender.execute(call, f"deal/{verb}/{call.to}/{token_hex(8)}")

    async def send_all(self, verb: str, calls: Sequence[Call]) -> list[Receipt]:
        """Send calls one after the other."""
        return [await self.send(verb, each) for each in calls]

    async def part_facts(self, deal: str) -> Facts:
        """Return what the wallet has in a deal now."""
        state = await self.state(deal)
        part = await self.deals.part(state, self.signer.address)
        return _part_facts(state, part, await self.deals.tokens(state.deal))

    def parties(self, to: Address | None) -> tuple[Address, Address]:
        """Return whose payout it is, and who gets it."""
        return self.signer.address, to or self.signer.address

    async def payout(
        self, state: DealState, name: str, paid: Sequence[_Payout], receipt: Receipt, *, is_sale: bool
    ) -> Facts:
        """Return what the one payout of a receipt paid, of the sale token or of the payment token."""
        (event,) = paid
        tokens = await self.deals.tokens(state.deal)
        amount = amount_text(event.amount, tokens.sale if is_sale else tokens.payment)
        return {"deal": state.deal.id, name: amount, "to": checksum(event.to), "transaction": receipt.hash}


def _deals(chain: ChainAccess) -> Deals:
    return Deals(chain, DealIndexer(chain), ShownDeals(read_deals(chain.config.platform_token.deals)))


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not False and value not in (None, "", [])}


def _nothing(everything: bool) -> str:
    return "no deals yet" if everything else "no deals are shown; --all lists every deal of the contract"


async def _summary(deals: Deals, state: DealState) -> dict[str, object]:
    terms, tokens = state.deal.terms, await deals.tokens(state.deal)
    return {
        "deal": state.deal.id,
        "phase": state.phase.value,
        "sells": amount_text(terms.for_sale, tokens.sale),
        "price_of_all": amount_text(terms.hard_cap, tokens.payment),
        "price_of_one": price_of_one(terms, tokens),
        "soft_cap": amount_text(terms.soft_cap, tokens.payment),
        "paid": amount_text(state.paid, tokens.payment),
        "opens": moment(terms.opens_at),
        "closes": moment(terms.closes_at),
        "shown": deals.shown.has(state.deal),
    }


def _part_facts(state: DealState, part: DealPart, tokens: DealTokens) -> dict[str, object]:
    found = obstacle(state, part)
    return {
        "account": checksum(part.account),
        "level": part.level,
        "opens": moment(state.deal.terms.levels[part.level].opens_at),
        "may_pay": amount_text(0 if found else part.left(state.deal.terms), tokens.payment),
        "obstacle": found.value if found else None,
        "paid": amount_text(part.paid, tokens.payment),
        "tokens": amount_text(part.allocation, tokens.sale),
        "claimed": amount_text(part.claimed, tokens.sale),
        "claimable": amount_text(part.claimable, tokens.sale),
        "refundable": amount_text(part.refundable, tokens.payment),
    }

"""Offers, trades and transactions as documents."""

from usufruct.chain import Call
from usufruct.core import AssetId
from usufruct.market.trade.errors import InvalidOffer
from usufruct.market.trade.offer_book import OfferBook, StandingOffer
from usufruct.market.trade.store import Trade
from usufruct.web import Request
from usufruct_client.trade_documents import BundledGoods, ExchangeTransaction, OfferFacts, TradeFacts


def asset_of(request: Request) -> AssetId:
    """Return the asset that a request's path names."""
    return asset_number(request.path_params["asset"])


def asset_number(text: str) -> AssetId:
    """Return the asset that a text names; raises InvalidOffer."""
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not (0 <= number < 1 << 128 and text.startswith("0x")):
        raise InvalidOffer(f"asset is {text[:60]!r}; give its id: 0x and 32 hex digits", field="asset")
    return AssetId(number)


def offer_facts(standing: StandingOffer) -> OfferFacts:
    """Return an offer as anyone may see it."""
    offer = standing.offer
    return OfferFacts(
        offer.hash,
        offer.goods.asset,
        offer.goods.plan,
        offer.goods.title,
        [BundledGoods(each.amount, each.price, each.goods.plan) for each in offer.more],
        offer.goods.token,
        offer.maker,
        offer.currency,
        offer.amount,
        offer.price,
        offer.left,
        standing.available,
        offer.expiry,
        offer.max_deduction_bps,
        offer.nonce,
        offer.signature,
        offer.created_at,
        standing.state.value,
    )


def trade_facts(trade: Trade) -> TradeFacts:
    """Return a trade as anyone may see it."""
    return TradeFacts(
        trade.offer,
        trade.plan,
        trade.maker,
        trade.buyer,
        trade.amount,
        trade.price,
        trade.fee,
        trade.royalty,
        trade.time,
        trade.transaction,
    )


def exchange_transaction(book: OfferBook, call: Call, *, sent: bool = False) -> ExchangeTransaction:
    """Return a call as a transaction that a wallet sends, unless it was `sent` here."""
    return ExchangeTransaction(book.terms.chain_id, call.to, f"0x{call.data.hex()}", call.value, sent)

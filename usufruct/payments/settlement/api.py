"""Channels over HTTP: what a payer must know, deposits by signature, a channel's numbers, receipts' proofs."""

import asyncio

from usufruct.accounts import Keys
from usufruct.core import Clock, hash32
from usufruct.payments.settlement.anchoring import ReceiptProof, prove_receipt
from usufruct.payments.settlement.channel_auth import Access
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.model import ChainSide
from usufruct.payments.settlement.operator_terms import Offer
from usufruct.payments.settlement.wire import InvalidDeposit, read_deposit_json
from usufruct.web import Exchange, Members, Route, json_object

_BODY_BYTES = 65_536
_CHANNELS = "/v1/channels/"
_PROOFS = "/v1/proofs/"


def payment_routes(side: ChainSide, deposits: Deposits, keys: Keys, offer: Offer, clock: Clock) -> list[Route]:
    """Return the routes of an operator who offers channels on the terms of `offer`."""
    access = Access(side.ledger, keys, clock, offer.chain_id, offer.till)
    proving = asyncio.Lock()

    async def terms(exchange: Exchange) -> None:
        await exchange.answer_json(offer.as_json())

    async def channel(exchange: Exchange) -> None:
        found = await access.channel(exchange, hash32(exchange.path[len(_CHANNELS) :], "channel"))
        await exchange.answer_json(found.as_json())

    async def deposit(exchange: Exchange) -> None:
        members = Members(json_object(await exchange.body(_BODY_BYTES)), InvalidDeposit)
        wanted = read_deposit_json(members.only("channelConfig", "deposit"), offer.chain_id)
        offer.check_deposit(wanted.amount)
        # who hands it in may be a stranger who read it on the chain: only what stands there is told
        await exchange.answer_json((await deposits.submit(wanted)).reading.as_json())

    async def proof(exchange: Exchange) -> None:
        call = hash32(exchange.path[len(_PROOFS) :], "call")
        async with proving:  # it reads every receipt of a batch: one at a time
            found = await prove_receipt(side, call)
        await exchange.answer_json(_proof_json(found))

    return [
        Route("GET", "/v1/terms", terms),
        Route("GET", _CHANNELS, channel),
        Route("POST", "/v1/deposits", deposit),
        Route("GET", _PROOFS, proof),
    ]


def _proof_json(proof: ReceiptProof) -> dict[str, object]:
    """Write a proof without its receipt: who asks has that, or is not to have it."""
    return {
        "call": proof.receipt.call,
        "digest": "0x" + proof.digest.hex(),
        "proof": ["0x" + sibling.hex() for sibling in proof.proof],
        "root": proof.root,
        "count": proof.count,
        "transaction": proof.hash,
        "block": proof.block,
    }

"""Channels over HTTP: what a payer must know, deposits by signature, a channel's numbers, receipts' proofs."""

import asyncio

from starlette.responses import Response

from usufruct.accounts import Keys
from usufruct.chain import as_hash32
from usufruct.core import Clock, hash32
from usufruct.payments.settlement.anchoring import ReceiptProof, prove_receipt
from usufruct.payments.settlement.channel_auth import PROOF_HEADER, Access
from usufruct.payments.settlement.channel_registry import Channel, ChannelRegistry
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.operator_terms import Offer
from usufruct.payments.settlement.wire import InvalidDeposit, deposit_of_document
from usufruct.web import Operation, Request, Route, document_response, json_response
from usufruct_client.receipt import ReceiptProof as ProofDocument
from usufruct_client.wire import ChannelOnChain, ChannelUse, DepositWish, Terms

_TERMS = Operation("Tell what a payer must know to open a channel, and to check receipts.", Terms)
_CHANNEL = Operation(
    "Show a channel to its payer, its payer authorizer or its key.",
    (ChannelOnChain, ChannelUse),
    takes={PROOF_HEADER: "a signature of the payer or the authorizer", "authorization": "Bearer and the key"},
)
_DEPOSIT = Operation(
    "Submit a deposit that its payer signed; the operator pays the gas.",
    ChannelOnChain,
    DepositWish,
    refuses={402: "the deposit cannot be made", 503: "it is on its way: hand in the same again"},
)
_PROOF = Operation("Prove that a receipt is anchored on the chain.", ProofDocument)


def payment_routes(
    context: SettlementContext, channels: ChannelRegistry, deposits: Deposits, keys: Keys, offer: Offer, clock: Clock
) -> list[Route]:
    """Return the routes of an operator who offers channels on the terms of `offer`."""
    access = Access(context.ledger, keys, clock, offer.chain_id, offer.till)
    proving = asyncio.Lock()

    async def terms(request: Request) -> Response:
        return document_response(offer.document())

    async def channel(request: Request) -> Response:
        found = await access.channel(request.exchange, hash32(request.path_params["channel"], "channel"))
        return json_response((await channels.channel(found.id)).as_json())

    async def deposit(request: Request) -> Response:
        wish = await request.read(DepositWish, InvalidDeposit)
        wanted = deposit_of_document(wish.channel_config, wish.deposit, offer.chain_id)
        offer.check_deposit(wanted.amount)
        # the sender may be a stranger who read it on the chain: answer with public numbers only
        return document_response(Channel(await deposits.submit(wanted), wanted.config).document())

    async def proof(request: Request) -> Response:
        call = hash32(request.path_params["call"], "call")
        async with proving:  # it reads every receipt of a batch: one at a time
            found = await prove_receipt(context, call)
        return document_response(_proof_document(found))

    return [
        Route("GET", "/v1/terms", terms, _TERMS),
        Route("GET", "/v1/channels/{channel}", channel, _CHANNEL),
        Route("POST", "/v1/deposits", deposit, _DEPOSIT),
        Route("GET", "/v1/proofs/{call}", proof, _PROOF),
    ]


def _proof_document(proof: ReceiptProof) -> ProofDocument:
    """Return a proof without its receipt, which only the call's parties may see."""
    return ProofDocument(
        call=proof.receipt.call,
        digest=as_hash32(proof.digest),
        proof=[as_hash32(sibling) for sibling in proof.proof],
        root=proof.root,
        count=proof.count,
        transaction=proof.hash,
        block=proof.block,
    )

"""Channels over HTTP: what a payer must know, deposits by signature, a channel's numbers, receipts' proofs."""

import asyncio

from starlette.responses import Response

from usufruct.accounts import Keys
from usufruct.core import Clock, hash32
from usufruct.payments.settlement.anchoring import prove_receipt
from usufruct.payments.settlement.channel_auth import authorized_channel
from usufruct.payments.settlement.channel_registry import ChannelRegistry
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization, InvalidDeposit
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.operator_terms import check_deposit_amount
from usufruct.web import Operation, Request, Route, document_response, json_response
from usufruct_client.receipt import ReceiptProof
from usufruct_client.wire import PROOF_HEADER, ChannelOnChain, ChannelUse, DepositWish, Terms

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
_PROOF = Operation("Prove that a receipt is anchored on the chain.", ReceiptProof)


def payment_routes(
    context: SettlementContext, channels: ChannelRegistry, deposits: Deposits, keys: Keys, offered: Terms, clock: Clock
) -> list[Route]:
    """Return the routes of an operator who offers channels on the terms `offered`."""
    proving = asyncio.Lock()

    async def terms(request: Request) -> Response:
        return document_response(offered)

    async def channel(request: Request) -> Response:
        wanted = hash32(request.path_params["channel"], "channel")
        account = await authorized_channel(context, keys, clock, request.exchange, wanted)
        on_chain, use = await channels.describe(account)
        return json_response(on_chain.as_json() | use.as_json())

    async def deposit(request: Request) -> Response:
        wish = await request.read(DepositWish, InvalidDeposit)
        wanted = DepositAuthorization.of(wish.channel_config, wish.deposit)
        check_deposit_amount(offered, wanted.amount)
        on_chain, _ = await channels.describe(await deposits.submit(wanted))
        # the sender may be a stranger who read it on the chain: answer with public numbers only
        return document_response(on_chain)

    async def proof(request: Request) -> Response:
        call = hash32(request.path_params["call"], "call")
        async with proving:  # it reads every receipt of a batch: one at a time
            return document_response(await prove_receipt(context, call))

    return [
        Route("GET", "/v1/terms", terms, _TERMS),
        Route("GET", "/v1/channels/{channel}", channel, _CHANNEL),
        Route("POST", "/v1/deposits", deposit, _DEPOSIT),
        Route("GET", "/v1/proofs/{call}", proof, _PROOF),
    ]

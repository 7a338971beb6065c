"""Channels over HTTP: what a payer must know, deposits by signature, a channel's numbers, receipts' proofs.

A channel's numbers are for its bearer key, its payer and its payer authorizer. The latter two sign
`ReadChannel(bytes32 channel,uint256 expiresAt)` (EIP-712, domain "Usufruct Channels", version "1", the chain's id, the
operator's till) and send `<expiresAt>.<signature>` as the header `x-usufruct-proof`.
"""

import asyncio

from starlette.responses import Response

from usufruct.accounts import InvalidProof, Keys, timed_signer
from usufruct.core import Address, ChainId, Clock, Hash32, hash32
from usufruct.payments.ledger import Account, AccountUnknown
from usufruct.payments.settlement.anchoring import prove_receipt
from usufruct.payments.settlement.configurations import ChannelRegistry
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization, InvalidDeposit
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.operator_terms import check_deposit_amount
from usufruct.web import HttpExchange, Operation, Request, Route, document_response, json_response, read_document
from usufruct_client.eip712_messages import READ_CHANNEL
from usufruct_client.receipt import ReceiptProof
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import PROOF_HEADER, ChannelOnChain, ChannelProof, ChannelUse, DepositWish, Terms

_READ_CHANNEL = MessageHasher(READ_CHANNEL)
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
    refuses={
        402: "the deposit cannot be made",
        409: "the payer made another one since they looked (`seen`)",
        503: "it is on its way: hand in the same again",
    },
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
        on_chain, _ = await channels.describe(await deposits.submit(wanted, wish.seen))
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


def read_channel_digest(chain_id: ChainId, till: Address, channel: Hash32, expires_at: int) -> bytes:
    """Return the 32 bytes that are signed to see a channel."""
    return _READ_CHANNEL.digest(chain_id, till, channel, expires_at)


async def authorized_channel(
    context: SettlementContext, keys: Keys, clock: Clock, exchange: HttpExchange, channel: Hash32
) -> Account:
    """Return a channel to its own people.

    Raises:
        Unauthenticated: when there is a bearer key, but no good one.
        Denied: when there is a proof, but no good one.
        AccountUnknown: for an unknown channel, and for all other callers.
    """
    signer = key = None
    if proof := exchange.header(PROOF_HEADER.encode()):
        signer = _signer(context, clock, channel, proof)
    elif authorization := exchange.header(b"authorization"):
        key = await keys.authenticate(authorization)
    found = await context.ledger.account(channel)
    if signer in (found.owner, found.signer) or (key is not None and key.channel == channel):
        return found
    raise AccountUnknown(channel)


def _signer(context: SettlementContext, clock: Clock, channel: Hash32, header: str) -> Address:
    expires_at, _, signature = header.partition(".")
    parts = {"expiresAt": expires_at, "signature": signature}
    given = read_document(ChannelProof, parts, InvalidProof, PROOF_HEADER)
    digest = read_channel_digest(context.escrow.chain_id, context.terms.till, channel, given.expires_at)
    return timed_signer(digest, given, clock.now())

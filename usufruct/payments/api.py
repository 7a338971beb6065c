"""Channels over HTTP: what a payer must know, deposits by signature, a channel's numbers, receipts' proofs."""

import asyncio

from usufruct.accounts import Keys
from usufruct.core import Address, Clock, hash32
from usufruct.payments.access import Access
from usufruct.payments.documents import read_deposit
from usufruct.payments.offer import Offer
from usufruct.payments.settlement.anchoring import ReceiptProof, prove_receipt
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.errors import DepositTooSmall, InvalidDeposit
from usufruct.payments.settlement.model import ChainSide
from usufruct.payments.settlement.reader import token_facts
from usufruct.web import Exchange, Members, Route, json_object

_BODY_BYTES = 65_536
_CHANNELS = "/v1/channels/"
_PROOFS = "/v1/proofs/"


def payment_routes(
    side: ChainSide,
    deposits: Deposits,
    keys: Keys,
    clock: Clock,
    *,
    token: Address,
    receipts: Address,
    least_deposit: int,
) -> list[Route]:
    """Return the routes of an operator who takes `token`, at least `least_deposit` of it, and signs as `receipts`."""
    access = Access(side.ledger, keys, clock, side.escrow.chain_id, side.terms.till)
    terms = _Terms(side, token, receipts, least_deposit)
    proving = asyncio.Lock()

    async def offer(exchange: Exchange) -> None:
        await exchange.answer_json((await terms.offer()).as_json())

    async def channel(exchange: Exchange) -> None:
        found = await access.channel(exchange, hash32(exchange.path[len(_CHANNELS) :], "channel"))
        await exchange.answer_json(found.as_json())

    async def deposit(exchange: Exchange) -> None:
        members = Members(json_object(await exchange.body(_BODY_BYTES)), InvalidDeposit)
        wanted = read_deposit(members, side.escrow.chain_id)
        if wanted.amount < least_deposit:
            raise DepositTooSmall(
                f"the deposit is {wanted.amount}, the smallest that is taken here {least_deposit} atomic units",
                field="deposit.amount",
                amount=wanted.amount,
                least=least_deposit,
            )
        # who hands it in may be a stranger who read it on the chain: only what stands there is told
        await exchange.answer_json((await deposits.submit(wanted)).reading.as_json())

    async def proof(exchange: Exchange) -> None:
        call = hash32(exchange.path[len(_PROOFS) :], "call")
        async with proving:  # it reads every receipt of a batch: one at a time
            found = await prove_receipt(side, call)
        await exchange.answer_json(_proof_json(found))

    return [
        Route("GET", "/v1/terms", offer),
        Route("GET", _CHANNELS, channel),
        Route("POST", "/v1/deposits", deposit),
        Route("GET", _PROOFS, proof),
    ]


class _Terms:
    """What is offered; the token is asked about itself once."""

    def __init__(self, side: ChainSide, token: Address, receipts: Address, least_deposit: int) -> None:
        self._side = side
        self._token = token
        self._receipts = receipts
        self._least_deposit = least_deposit
        self._offer: Offer | None = None

    async def offer(self) -> Offer:
        """Return the offer.

        Raises:
            RpcUnavailable: when the token was never read and the node does not answer.
        """
        if self._offer is None:
            self._offer = Offer(
                chain_id=self._side.escrow.chain_id,
                till=self._side.terms.till,
                token=await token_facts(self._side.client, self._token),
                withdraw_delay=self._side.terms.least_withdraw_delay,
                least_deposit=self._least_deposit,
                receipts=self._receipts,
            )
        return self._offer


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

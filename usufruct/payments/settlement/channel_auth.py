"""Access to a channel's numbers: only for its bearer key, its payer and its payer authorizer.

The latter two sign `ReadChannel(bytes32 channel,uint256 expiresAt)` (EIP-712, domain "Usufruct Channels", version "1",
the chain's id, the operator's till) and send `<expiresAt>.<signature>` as the header `x-usufruct-proof`.
"""

from usufruct.accounts import InvalidProof, Keys, timed_signer
from usufruct.core import Address, ChainId, Clock, Hash32
from usufruct.payments.ledger import Account, AccountUnknown
from usufruct.payments.settlement.model import SettlementContext
from usufruct.web import Exchange, read_document
from usufruct_client.eip712 import READ_CHANNEL
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import PROOF_HEADER, ChannelProof

_READ_CHANNEL = MessageHasher(READ_CHANNEL)


def read_channel_digest(chain_id: ChainId, till: Address, channel: Hash32, expires_at: int) -> bytes:
    """Return the 32 bytes that are signed to see a channel."""
    return _READ_CHANNEL.digest(chain_id, till, channel, expires_at)


async def authorized_channel(
    context: SettlementContext, keys: Keys, clock: Clock, exchange: Exchange, channel: Hash32
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

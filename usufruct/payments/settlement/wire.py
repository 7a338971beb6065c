"""Channels and deposits as they travel in JSON, in x402's shape, and the document a payer signs to deposit.

What is read is read strictly: each fault is named by its member.
"""

from dataclasses import asdict
from typing import Any

from usufruct.chain import COLLECTOR, TokenFacts, as_hash32, word
from usufruct.core import UINT128_MAX, ChainId, Hash32, Invalid, checksum
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement.deposits import DepositAuthorization
from usufruct.web import Members
from usufruct_client.eip712 import DEPOSIT

MOST_DECIMALS = 77
"""More have no meaning: 2**256 has 78 digits."""

LONGEST_SIGNATURE = 4_096
"""Bytes of a contract wallet's signature, at most."""


class InvalidDeposit(Invalid):
    """A member of a deposit is missing or malformed."""

    code = "invalid_deposit"


def read_channel_json(members: Members) -> ChannelConfig:
    """Read what `ChannelConfig.as_json` writes; a fault is the error that `members` raise."""
    return ChannelConfig(
        payer=members.address("payer"),
        payer_authorizer=members.address("payerAuthorizer"),
        receiver=members.address("receiver"),
        receiver_authorizer=members.address("receiverAuthorizer"),
        token=members.address("token"),
        withdraw_delay=members.integer("withdrawDelay", (1 << 40) - 1),
        salt=members.hash32("salt"),
    )


def token_json(token: TokenFacts) -> dict[str, object]:
    """Return a token as it travels; `read_token_json` reads it."""
    return asdict(token) | {"version": token.version or ""}


def read_token_json(members: Members) -> TokenFacts:
    """Read what `token_json` writes; a fault is the error that `members` raise."""
    return TokenFacts(
        address=members.address("address"),
        name=members.text("name"),
        symbol=members.text("symbol"),
        decimals=members.integer("decimals", MOST_DECIMALS),
        version=members.text("version") or None,
    )


def deposit_json(deposit: DepositAuthorization) -> dict[str, object]:
    """Return a deposit as it is handed in; `read_deposit_json` reads it."""
    authorization = {
        "validAfter": str(deposit.valid_after),
        "validBefore": str(deposit.valid_before),
        "salt": as_hash32(word(deposit.salt)),
        "signature": "0x" + deposit.signature.hex(),
    }
    paid = {"amount": str(deposit.amount), "authorization": {"erc3009Authorization": authorization}}
    return {"channelConfig": deposit.config.as_json(), "deposit": paid}


def read_deposit_json(members: Members, chain_id: ChainId) -> DepositAuthorization:
    """Read what `deposit_json` writes, among other members or not; a fault is the error that `members` raise."""
    deposit = members.inner("deposit")
    signed = deposit.inner("authorization").inner("erc3009Authorization")
    return DepositAuthorization(
        chain_id=chain_id,
        config=read_channel_json(members.inner("channelConfig")),
        amount=deposit.amount("amount", UINT128_MAX),
        valid_after=signed.amount("validAfter"),
        valid_before=signed.amount("validBefore"),
        salt=int(signed.hash32("salt"), 16),
        signature=signed.data("signature", LONGEST_SIGNATURE),
    )


def deposit_typed_data(deposit: DepositAuthorization, channel: Hash32, token: TokenFacts) -> dict[str, Any]:
    """Return the EIP-712 document that the payer signs: EIP-3009's `ReceiveWithAuthorization` to the collector."""
    domain = {
        "name": token.name,
        "version": token.version,
        "chainId": int(deposit.chain_id),
        "verifyingContract": checksum(token.address),
    }
    message = {
        "from": checksum(deposit.config.payer),
        "to": checksum(COLLECTOR),
        "value": deposit.amount,
        "validAfter": deposit.valid_after,
        "validBefore": deposit.valid_before,
        "nonce": deposit.nonce(channel),
    }
    return DEPOSIT.document(domain, message)

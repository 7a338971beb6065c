"""Deposits and tokens as they travel in JSON, and the document a payer signs to deposit."""

from typing import Any

from usufruct.chain import TokenFacts, as_hash32, word
from usufruct.chain.escrow import COLLECTOR
from usufruct.core import ChainId, Hash32, Invalid, checksum
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement.deposits import DepositAuthorization
from usufruct_client.eip712 import DEPOSIT
from usufruct_client.wire import DepositAuthorizations, DepositWish, SignedDeposit, Token, TransferAuthorization


class InvalidDeposit(Invalid):
    """A member of a deposit is missing or malformed."""

    code = "invalid_deposit"


def token_document(token: TokenFacts) -> Token:
    """Return a token as it travels."""
    return Token(token.address, token.name, token.symbol, token.decimals, token.version or "")


def deposit_document(deposit: DepositAuthorization) -> DepositWish:
    """Return a deposit as it is handed in."""
    signed = TransferAuthorization(
        deposit.valid_after, deposit.valid_before, as_hash32(word(deposit.salt)), deposit.signature
    )
    return DepositWish(deposit.config, SignedDeposit(deposit.amount, DepositAuthorizations(signed)))


def deposit_of_document(config: ChannelConfig, deposit: SignedDeposit, chain_id: ChainId) -> DepositAuthorization:
    """Return the deposit into a channel that a document describes."""
    signed = deposit.authorization.erc3009_authorization
    return DepositAuthorization(
        chain_id=chain_id,
        config=config,
        amount=deposit.amount,
        valid_after=signed.valid_after,
        valid_before=signed.valid_before,
        salt=int(signed.salt, 16),
        signature=signed.signature,
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

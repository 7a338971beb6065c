"""A deposit as its payer signs it, and as it is handed in: written here by hand, from EIP-3009 and the protocol."""

from typing import Any

from usufruct.chain import TokenFacts, word
from usufruct.chain.escrow import COLLECTOR
from usufruct.core import Address, Hash32, hash32_from_bytes
from usufruct.payments.settlement import DepositAuthorization
from usufruct_client.wire import DepositAuthorizations, DepositWish, SignedDeposit, TransferAuthorization


def deposit_document(deposit: DepositAuthorization) -> DepositWish:
    """Return a deposit as it is handed in."""
    signed = TransferAuthorization(
        deposit.valid_after, deposit.valid_before, hash32_from_bytes(word(deposit.salt)), deposit.signature
    )
    return DepositWish(deposit.config, SignedDeposit(deposit.amount, DepositAuthorizations(signed)))


def dollar_facts(address: Address) -> TokenFacts:
    """Return what the devnet's dollar tells of itself."""
    return TokenFacts(address, "Test Dollar", "tUSD", 6, "1")


def receive_authorization(
    chain_id: int, deposit: DepositAuthorization, channel: Hash32, token: TokenFacts
) -> dict[str, Any]:
    """Return the EIP-712 document that the payer signs: EIP-3009's `ReceiveWithAuthorization` to the collector."""
    domain = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    fields = {"from": "address", "to": "address", "value": "uint256"}
    fields |= {"validAfter": "uint256", "validBefore": "uint256", "nonce": "bytes32"}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain.items()],
            "ReceiveWithAuthorization": [{"name": name, "type": kind} for name, kind in fields.items()],
        },
        "primaryType": "ReceiveWithAuthorization",
        "domain": {
            "name": token.name,
            "version": token.version,
            "chainId": int(chain_id),
            "verifyingContract": token.address,
        },
        "message": {
            "from": deposit.config.payer,
            "to": COLLECTOR,
            "value": deposit.amount,
            "validAfter": deposit.valid_after,
            "validBefore": deposit.valid_before,
            "nonce": deposit.nonce(channel),
        },
    }

"""The message a payer signs, against eth-account as a second implementation."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from usufruct.accounts import KeyDomain, KeyTerms, key_digest, list_digest, rename_digest, revoke_digest
from usufruct.core import Address, ChainId

uint256 = st.integers(0, 2**256 - 1)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
names = st.text(st.characters(min_codepoint=33, exclude_categories=["C", "Z"]), min_size=1, max_size=20)
TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "CreateKey": [
        {"name": "payer", "type": "address"},
        {"name": "spendingLimit", "type": "uint256"},
        {"name": "dayLimit", "type": "uint256"},
        {"name": "expiresAt", "type": "uint256"},
        {"name": "assets", "type": "string"},
        {"name": "label", "type": "string"},
        {"name": "nonce", "type": "uint256"},
    ],
    "ListKeys": [{"name": "payer", "type": "address"}, {"name": "expiresAt", "type": "uint256"}],
    "RenameKey": [
        {"name": "payer", "type": "address"},
        {"name": "id", "type": "string"},
        {"name": "label", "type": "string"},
        {"name": "expiresAt", "type": "uint256"},
    ],
    "RevokeKey": [
        {"name": "payer", "type": "address"},
        {"name": "id", "type": "string"},
        {"name": "expiresAt", "type": "uint256"},
    ],
}


def signed_hash(kind, chain_id, till, message) -> bytes:
    """The digest, as eth-account makes it."""
    document = {
        "types": {name: TYPES[name] for name in ("EIP712Domain", kind)},
        "primaryType": kind,
        "domain": {"name": "Usufruct Keys", "version": "1", "chainId": chain_id, "verifyingContract": till},
        "message": message,
    }
    signed = Account.from_key(b"\x01" * 32).sign_typed_data(full_message=document)
    return bytes(signed.message_hash)


@given(
    terms=st.builds(
        KeyTerms,
        addresses,
        uint256,
        uint256,
        st.frozensets(names, max_size=4),
        st.text(max_size=50),
        st.none() | uint256,
    ),
    chain_id=st.integers(1, 2**64),
    till=addresses,
    nonce=uint256,
)
def test_wallets_sign_the_same_digest(terms, chain_id, till, nonce):
    message = {
        "payer": terms.payer,
        "spendingLimit": terms.spending_limit,
        "dayLimit": terms.day_limit or 0,
        "expiresAt": terms.expires_at,
        "assets": "\n".join(sorted(terms.assets)),
        "label": terms.label,
        "nonce": nonce,
    }
    domain = KeyDomain(ChainId(chain_id), till)
    assert signed_hash("CreateKey", chain_id, till, message) == key_digest(domain, terms, nonce)


@given(payer=addresses, key_id=st.text(max_size=50), until=uint256, chain_id=st.integers(1, 2**64), till=addresses)
def test_wallets_sign_the_same_digest_to_list_rename_and_revoke(payer, key_id, until, chain_id, till):
    domain = KeyDomain(ChainId(chain_id), till)
    message = {"payer": payer, "expiresAt": until}
    listing = signed_hash("ListKeys", chain_id, till, message)
    assert listing == list_digest(domain, payer, until)
    revoking = signed_hash("RevokeKey", chain_id, till, message | {"id": key_id})
    assert revoking == revoke_digest(domain, payer, key_id, until)
    renaming = signed_hash("RenameKey", chain_id, till, message | {"id": key_id, "label": key_id[::-1]})
    assert renaming == rename_digest(domain, payer, key_id, key_id[::-1], until)


@pytest.mark.parametrize(
    "change", [{"spending_limit": 2}, {"expires_at": 2}, {"assets": frozenset("a")}, {"label": "x"}, {"day_limit": 1}]
)
def test_every_term_changes_the_digest(change):
    terms = {"payer": Address("0x" + "11" * 20), "spending_limit": 1, "expires_at": 1}
    domain = KeyDomain(ChainId(1), Address("0x" + "22" * 20))
    assert key_digest(domain, KeyTerms(**terms), 0) != key_digest(domain, KeyTerms(**terms | change), 0)

"""Requests that a wallet signs in the browser: the document that it shows, and the body that takes its signature."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from usufruct.accounts import KeyTerms
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct_client.eip712_messages import CREATE_KEY, DEPOSIT, Domain, MessageType
from usufruct_client.identifiers import checksum
from usufruct_client.signing import deposit_message, random_salt
from usufruct_client.typed_data import MessageHasher, message_values
from usufruct_client.wire import (
    ChannelConfig,
    DepositAuthorizations,
    DepositWish,
    KeyWish,
    SignedDeposit,
    SigningRequest,
    Terms,
    TransferAuthorization,
)

_KEY_SIGNATURE = ["signature"]
_DEPOSIT_SIGNATURE = ["deposit", "authorization", "erc3009Authorization", "signature"]
_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class Request:
    """A typed message under a contract's domain, and the request that its signature goes into."""

    kind: MessageType
    contract: Address
    chain_id: int
    message: Mapping[str, Any]
    post: str
    body: dict[str, Any]
    place: list[str]

    def for_wallet(self) -> SigningRequest:
        """Return it for a wallet to sign."""
        assert self.kind.domain is not None
        domain = self.kind.domain.data(self.chain_id, self.contract)
        return SigningRequest(self.kind.document(domain, _shown(self.message)), self.post, self.body, self.place)

    def signed_by(self, signer: KeySigner) -> SigningRequest:
        """Return it signed."""
        values = message_values(self.kind, self.message)
        signature = signer.sign(MessageHasher(self.kind).digest(self.chain_id, self.contract, *values))
        at = self.body
        for name in self.place[:-1]:
            at = at[name]
        at[self.place[-1]] = "0x" + signature.hex()
        return SigningRequest(None, self.post, self.body, self.place)


def _shown(value: Any) -> Any:
    """Return a message as JSON that every wallet reads: numbers as text."""
    if isinstance(value, Mapping):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def key_request(terms: KeyTerms, offered: Terms) -> Request:
    """Return the request for a key on these terms."""
    nonce = secrets.randbits(256)
    message = {
        "payer": checksum(terms.payer),
        "spendingLimit": terms.spending_limit,
        "dayLimit": terms.day_limit or 0,
        "expiresAt": terms.expires_at,
        "assets": "\n".join(sorted(terms.assets)),
        "label": terms.label,
        "nonce": nonce,
    }
    granted = (terms.payer, terms.spending_limit, terms.expires_at, terms.assets, terms.label)
    wish = KeyWish(*granted, nonce, _EMPTY, terms.day_limit)
    return Request(CREATE_KEY, offered.till, offered.chain_id, message, "/v1/keys", wish.as_json(), _KEY_SIGNATURE)


def deposit_request(
    payer: str,
    channel: str,
    config: ChannelConfig,
    amount: int,
    valid_before: int,
    offered: Terms,
    seen: int | None = None,
) -> Request:
    """Return the request for a deposit of `amount` into a channel, which can be made until `valid_before`.

    `seen`: how many deposits the payer knows of.
    """
    salt = random_salt()
    message = deposit_message(payer, channel, amount, valid_before, salt)
    message["nonce"] = "0x" + message["nonce"].hex()
    authorization = TransferAuthorization(0, valid_before, salt, _EMPTY)
    wish = DepositWish(config, SignedDeposit(amount, DepositAuthorizations(authorization)), seen)
    kind = replace(DEPOSIT, domain=Domain(offered.token.name, offered.token.version))
    post, token = "/v1/deposits", offered.token.address
    return Request(kind, token, offered.chain_id, message, post, wish.as_json(), _DEPOSIT_SIGNATURE)


def for_signing(request: Request, payer: Address, demo: KeySigner | None) -> SigningRequest:
    """Return a request for the payer's wallet, or signed where the payer is the local chain's demo account."""
    return request.signed_by(demo) if demo is not None and payer == demo.address else request.for_wallet()

"""What a buyer with a passkey account does: keys by the session, deposits by one signature of the passkey."""

from dataclasses import replace

from usufruct.accounts import Channels, Keys, KeyTerms, NewKey, check_terms
from usufruct.accounts.passkeys import (
    Passkeys,
    PasskeySite,
    Relay,
    Wallet,
    signature_of,
    typed_digest,
    typed_signature,
)
from usufruct.core import Address, ChainId, Clock, Denied, Unavailable
from usufruct.market.signing_requests import Request
from usufruct.payments.ledger import Account
from usufruct.payments.pricing import Escrow, channel_id
from usufruct.payments.settlement import DepositAuthorization, Deposits, check_deposit_amount
from usufruct.web import HttpExchange
from usufruct_client.eip712_messages import DEPOSIT, REVIEW, Domain, MessageType
from usufruct_client.passkey_wire import PasskeyAssertion, PasskeyDepositWish, PasskeyRequest, PasskeyReviewWish
from usufruct_client.signing import deposit_message
from usufruct_client.typed_data import MessageHasher, domain_separator
from usufruct_client.wire import KeyTermsWish, SignedReview, SigningRequest, Terms

_DAY = 86_400
_ASSERTION = ["assertion"]
_CONTENTS = MessageHasher(DEPOSIT)
_REVIEW = MessageHasher(REVIEW)

TypedMessage = tuple[MessageType, bytes, bytes]
"""A message's type, its domain's separator, and its struct hash."""

DEPOSITS = "/v1/account/passkey-deposits"
KEYS = "/v1/account/passkey-keys"
REVIEWS = "/v1/account/passkey-reviews"


class PasskeyBuyer:
    """The verbs of a signed-in passkey account that differ from a wallet's."""

    def __init__(
        self, passkeys: Passkeys, wallet: Wallet, relay: Relay, keys: Keys, channels: Channels, deposits: Deposits,
        terms: Terms, clock: Clock,
    ) -> None:  # fmt: skip
        self._passkeys = passkeys
        self._wallet = wallet
        self._relay = relay
        self._keys = keys
        self._channels = channels
        self._deposits = deposits
        self._terms = terms
        self._clock = clock

    def site(self, exchange: HttpExchange) -> PasskeySite:
        """Return the site that a request was sent to; raises as `Passkeys.site`."""
        return self._passkeys.site(exchange)

    async def holds(self, account: Address) -> bool:
        """Tell whether an address is a passkey account of this site."""
        return bool(await self._passkeys.store.list(account))

    async def is_at_risk(self, account: Address) -> bool:
        """Tell whether an account would be lost with its only passkey; False while the node does not answer."""
        try:
            return await self._wallet.is_at_risk(await self._wallet.state(account))
        except Unavailable:
            return False

    async def make_key(self, account: Address, wish: KeyTermsWish) -> NewKey:
        """Make a key of a passkey account, for the person signed in as it: it holds nothing until a deposit is signed.

        Raises:
            Denied: when the address is a wallet's, which signs for its keys.
            Invalid, Conflict: as `Keys.create`.
        """
        if not await self.holds(account):
            raise Denied(f"{account} is not a passkey account; its wallet signs for its keys", code="wallet_signs")
        until = self._clock.now() + wish.days * _DAY
        terms = KeyTerms(account, wish.spending_limit, until, wish.assets, wish.label, wish.day_limit)
        check_terms(terms, self._clock.now())
        return await self._keys.create_signed_in(terms)

    def key_request(self, wish: KeyTermsWish) -> SigningRequest:
        """Return the request for a key: nothing is signed for it."""
        return SigningRequest(None, KEYS, wish.as_json(), [])

    async def for_passkey(self, account: Address, request: Request, post: str = DEPOSITS) -> SigningRequest:
        """Return a request for one of the account's passkeys to sign; its answer goes to `post`."""
        asked = request.for_wallet()
        credentials = [each.credential for each in await self._passkeys.signers(account)]
        return replace(asked, post=post, place=_ASSERTION, passkey=PasskeyRequest(account, credentials))

    async def signature(
        self, account: Address, message: TypedMessage, answer: PasskeyAssertion, site: PasskeySite
    ) -> bytes:
        """Return a passkey's answer to a message as the account's signature, for a contract that asks by ERC-1271.

        Raises:
            PasskeyRefused: when no passkey of the account signed exactly this.
        """
        digest = typed_digest(ChainId(self._terms.chain_id), account, *message)
        passkey = await self._passkeys.signer_of(account, answer.credential_id)
        return typed_signature(signature_of(answer, passkey, digest, site), *message)

    async def ensure_exists(self, account: Address) -> None:
        """Create an account unless it exists; raises as `Passkeys.ensure_exists`."""
        await self._passkeys.ensure_exists(account, self._relay, self._channels)

    async def signed_review(self, account: Address, wish: PasskeyReviewWish, site: PasskeySite) -> SignedReview:
        """Return a review under the account's signature (ERC-1271), made of what one of its passkeys signed.

        Raises:
            Denied: when the review is another's, or the passkey did not sign exactly this.
        """
        review, terms = wish.review, self._terms
        if review.payer != account:
            raise Denied(f"the review is {review.payer}'s, and {account} is signed in", code="other_account")
        assert REVIEW.domain is not None
        contents = _REVIEW.struct_hash(review.payer, review.asset, review.call, review.rating, review.text, review.time)
        separator = domain_separator(REVIEW.domain, terms.chain_id, terms.till)
        message = (REVIEW, separator, contents)
        return replace(review, signature=await self.signature(account, message, wish.assertion, site))

    async def deposit(self, account: Address, wish: PasskeyDepositWish, site: PasskeySite) -> Account:
        """Make a deposit that a passkey signed, and create the account before if it does not exist.

        Raises:
            Denied: when the channel is another's, or the passkey did not sign exactly this deposit.
            PaymentRequired, OperationRefused, RelayLimited: when the account cannot be created.
            DepositPending: when it is on its way; hand in the same again.
        """
        config, amount = wish.channel_config, wish.deposit.amount
        if config.payer != account:
            raise Denied(f"the channel is {config.payer}'s, and {account} is signed in", code="other_account")
        check_deposit_amount(self._terms, amount)
        signed = wish.deposit.authorization.erc3009_authorization
        chain_id, token = ChainId(self._terms.chain_id), self._terms.token
        channel = channel_id(Escrow(chain_id), config)
        message = deposit_message(account, channel, amount, signed.valid_before, signed.salt)
        nonce = f"0x{message['nonce'].hex()}"
        addresses = (message["from"].lower(), message["to"].lower())
        contents = _CONTENTS.struct_hash(*addresses, amount, signed.valid_after, signed.valid_before, nonce)
        separator = domain_separator(Domain(token.name, token.version), chain_id, token.address)
        signature = await self.signature(account, (DEPOSIT, separator, contents), wish.assertion, site)
        await self.ensure_exists(account)
        authorization = replace(DepositAuthorization.of(config, wish.deposit), signature=signature)
        return await self._deposits.submit(authorization, wish.seen)

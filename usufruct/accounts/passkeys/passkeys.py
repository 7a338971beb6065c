"""Passkeys of this installation: made, signed in with, and the accounts that they sign for.

An account needs no transaction until it does something: its address comes from its first passkey, with Keccak-256 of
the credential id as salt, no recovery wallet and no delay. The relayer creates it when it holds money to move.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import Protocol

from usufruct.accounts.passkeys.allowed_calls import protect
from usufruct.accounts.passkeys.passkey_store import PASSKEY_LIMITS, Passkey, PasskeyLimits, PasskeyStore
from usufruct.accounts.passkeys.relay import Relay
from usufruct.accounts.passkeys.webauthn import Assertion, NewPasskey, PasskeyRefused, PasskeyUnknown, RelyingParty
from usufruct.accounts.session_model import Session
from usufruct.accounts.sessions import Sessions, site_of
from usufruct.chain import Call, Client, Revert, UnreadableAnswer, keccak
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.core import ZERO_ADDRESS, Address, Clock, Conflict, NotFound, PaymentRequired, hash32_from_bytes
from usufruct.store import ConstraintViolated, Database, Stamp
from usufruct.web import HttpExchange, client_network

_NONCE_BYTES, _TIME_BYTES, _MARK_BYTES = 16, 8, 16
_CHALLENGE_BYTES = _NONCE_BYTES + _TIME_BYTES + _MARK_BYTES
"""Not 32: no sign-in can be the signature of an operation."""

_CHALLENGE_SECONDS = 300
_LONGEST_LABEL = 100
_MOST_SIGNERS = 8


class Funds(Protocol):
    """Knows what wallets hold."""

    async def can_deposit(self, payer: Address) -> bool:
        """Tell whether a wallet holds as much as the smallest deposit."""


@dataclass(frozen=True, slots=True)
class PasskeyContracts:
    """Where the contracts of passkey accounts are."""

    factory: Address
    verifier: Address


class Passkeys:
    """The verbs of passkeys and of the accounts that they sign for."""

    def __init__(
        self,
        database: Database,
        client: Client,
        contracts: PasskeyContracts,
        sessions: Sessions,
        stamp: Stamp,
        clock: Clock,
        limits: PasskeyLimits = PASSKEY_LIMITS,
    ) -> None:
        """Keep passkeys in `database`; `stamp` marks the challenges of this installation."""
        self.store = PasskeyStore(database)
        self.contracts = contracts
        self._client = client
        self._factory = PasskeyAccountFactory(contracts.factory, client)
        self._sessions = sessions
        self._stamp = stamp
        self._clock = clock
        self.limits = limits

    def site(self, exchange: HttpExchange) -> RelyingParty:
        """Return the site that a request was sent to.

        Raises:
            PasskeyRefused: when browsers make no passkeys there.
            SignInRefused: when only the caller says that it is this site.
        """
        self._sessions.check_site(exchange)
        site = RelyingParty(site_of(exchange))
        site.check()
        return site

    def challenge(self, exchange: HttpExchange) -> bytes:
        """Return what a passkey is to sign at this site within five minutes, once."""
        site = self.site(exchange)
        head = token_bytes(_NONCE_BYTES) + (self._clock.now() + _CHALLENGE_SECONDS).to_bytes(_TIME_BYTES, "big")
        return head + self._stamp.mark(head + site.origin.encode())

    async def register(self, exchange: HttpExchange, authenticator_data: bytes, client_data: bytes) -> Session:
        """Keep a passkey that was just made, and sign in as its account.

        Nothing proves possession of the key here: the account is new and holds nothing, and every later sign-in and
        operation needs the passkey's signature.

        Raises:
            PasskeyRefused: when the answer is not for a challenge of ours, or its account exists already.
            TooManyPasskeys, Unavailable: as `PasskeyStore.add`.
        """
        site, challenge = self.site(exchange), self._challenge_in(exchange, client_data)
        new = NewPasskey.read(authenticator_data, client_data, challenge, site)
        signer, salt = self._signer(new.key), hash32_from_bytes(keccak(new.credential))
        account = await self._factory.predict([signer], ZERO_ADDRESS, 0, bytes.fromhex(salt[2:]))
        if await self.exists(account):
            raise _known()
        try:
            passkey = Passkey(salt, new.credential, signer, account, first=True, label="", created_at=self._clock.now())
            await self._keep(exchange, passkey)
        except ConstraintViolated as error:
            raise _known() from error
        return await self._begin(exchange, account, challenge)

    async def add(
        self, exchange: HttpExchange, account: Address, authenticator_data: bytes, client_data: bytes, label: str
    ) -> Passkey:
        """Keep another passkey of an account; it signs in once the account has made it a signer.

        Raises:
            PasskeyRefused: as `register`.
            Conflict, TooManyPasskeys, Unavailable: as `PasskeyStore.add`.
        """
        site, challenge = self.site(exchange), self._challenge_in(exchange, client_data)
        new = NewPasskey.read(authenticator_data, client_data, challenge, site)
        hash_, name = hash32_from_bytes(keccak(new.credential)), label.strip()[:_LONGEST_LABEL]
        signer, now = self._signer(new.key), self._clock.now()
        passkey = Passkey(hash_, new.credential, signer, account, first=False, label=name, created_at=now)
        try:
            await self._keep(exchange, passkey)
        except ConstraintViolated as error:
            raise _known() from error
        return passkey

    async def sign_in(
        self,
        exchange: HttpExchange,
        credential: bytes,
        authenticator_data: bytes,
        client_data: bytes,
        signature: bytes,
        account: Address | None = None,
    ) -> Session:
        """Start a session of the account that a passkey signs for.

        A passkey that is not known here, as after a loss of the database, is looked for among the signers that
        `account` has on the chain, and kept.

        Raises:
            PasskeyUnknown: when it is unknown here, and `account` does not have it as a signer.
            PasskeyRefused: when it did not sign a challenge of ours, or is not a signer now.
            SignInRefused: when the challenge has signed in once already.
        """
        site, challenge = self.site(exchange), self._challenge_in(exchange, client_data)
        assertion = Assertion.of_der(authenticator_data, client_data, signature)
        found = await self.store.find(hash32_from_bytes(keccak(credential)))
        if found is None and account is not None:
            found = await self._restored(exchange, credential, assertion, challenge, account)
        if found is None:
            raise PasskeyUnknown(
                "this passkey is not known here; if it has a wallet, sign in with that wallet's address too: its "
                "signers are read from the chain",
                field="credentialId",
            )
        assertion.check(found.signer[-64:], challenge, site)
        if not await self.is_signer(found):
            raise PasskeyRefused("this passkey is not a signer of its account; use another", field="credentialId")
        return await self._begin(exchange, found.account, challenge)

    async def _restored(
        self, exchange: HttpExchange, credential: bytes, assertion: Assertion, challenge: bytes, account: Address
    ) -> Passkey | None:
        """Keep the passkey of an account that signed a challenge; None when none of its signers on the chain did.

        Raises:
            Conflict: when the credential was made known meanwhile.
            TooManyPasskeys, Unavailable: as `PasskeyStore.add`.
        """
        salt, site = keccak(credential), self.site(exchange)
        for signer in await self._passkeys_on_chain(account):
            if not assertion.is_by(signer[-64:], challenge, site):
                continue
            first = await self._factory.predict([signer], ZERO_ADDRESS, 0, salt) == account
            made = self._clock.now()
            passkey = Passkey(
                hash32_from_bytes(salt), credential, signer, account, first=first, label="", created_at=made
            )
            try:
                await self._keep(exchange, passkey)
            except ConstraintViolated as error:
                raise _known() from error
            return passkey
        return None

    async def _passkeys_on_chain(self, account: Address) -> list[bytes]:
        """Return the passkeys among an account's signers; none where it is not created, or is another contract."""
        if not await self.exists(account):
            return []
        try:
            signers = await PasskeyAccount(account, self._client).get_signers(0, _MOST_SIGNERS)
        except (Revert, UnreadableAnswer):
            return []
        verifier = bytes.fromhex(self.contracts.verifier[2:])
        return [each for each in signers[:_MOST_SIGNERS] if len(each) == 84 and each.startswith(verifier)]

    async def signers(self, account: Address) -> list[Passkey]:
        """Return the passkeys of this site that sign for an account now."""
        known = await self.store.list(account)
        if not await self.exists(account):
            return [each for each in known if each.first]
        signing = await PasskeyAccount(account, self._client).get_signers(0, _MOST_SIGNERS)
        return [each for each in known if each.signer in signing]

    async def signer_of(self, account: Address, credential: bytes) -> Passkey:
        """Return the passkey of an account with this credential id.

        Raises:
            PasskeyRefused: when the account has no such passkey here.
        """
        found = await self.store.find(hash32_from_bytes(keccak(credential)))
        if found is None or found.account != account:
            raise PasskeyRefused(f"this passkey is not one of {account}; use another", field="credentialId")
        return found

    async def is_signer(self, passkey: Passkey) -> bool:
        """Tell whether a passkey signs for its account now, or will once the account exists."""
        if not await self._client.code_at(passkey.account):
            return passkey.first
        return await PasskeyAccount(passkey.account, self._client).is_signer(passkey.signer)

    async def creation(self, account: Address) -> Call:
        """Return the call that creates an account; anyone may send it.

        Raises:
            NotFound: when no passkey here was made for it.
        """
        first = next((each for each in await self.store.list(account) if each.first), None)
        if first is None:
            raise NotFound(f"{account} is not a passkey account of this site", code="passkey_account_unknown")
        return self._factory.create([first.signer], ZERO_ADDRESS, 0, bytes.fromhex(first.credential_hash[2:]))

    async def exists(self, account: Address) -> bool:
        """Tell whether an account was created."""
        return bool(await self._client.code_at(account))

    async def ensure_exists(self, account: Address, relay: Relay, funds: Funds, calls: Sequence[Call] = ()) -> None:
        """Create an account unless it exists, if it holds enough money, or `calls`, its first, bring it enough.

        It is created too, within a part of the day's coins, where `calls` give it a second signer or a recovery wallet:
        until it exists, it is lost with its only passkey. So it is where another package says that they justify it.

        Raises:
            PaymentRequired: when it holds less than the smallest deposit, and `calls` are none of these.
            NotFound: as `creation`.
            OperationRefused, RelayLimited, Unavailable: as `Relay.create`.
        """
        if await self.exists(account):
            return
        creation = await self.creation(account)
        funded = await funds.can_deposit(account) or await relay.earn(account, calls)
        justified = funded or protect(account, calls) or await relay.justify_creation(account, calls)
        if not justified:
            message = f"{account} holds less than the smallest deposit; send it money first"
            raise PaymentRequired(message, code="account_unfunded", account=account)
        await relay.create(account, creation, funded=funded)

    async def _keep(self, exchange: HttpExchange, passkey: Passkey) -> None:
        """Store a passkey; the caller's network as a mark only, which tells it to no reader of the database."""
        network = client_network(exchange)
        mark = None if network is None else self._stamp.mark(f"network {network}".encode())
        await self.store.add(passkey, mark, self.limits)

    def _signer(self, key: bytes) -> bytes:
        return bytes.fromhex(self.contracts.verifier[2:]) + key

    def _challenge_in(self, exchange: HttpExchange, client_data: bytes) -> bytes:
        """Return the challenge that client data holds, if it is ours, for this site, and not over.

        Raises:
            PasskeyRefused: when it is not.
        """
        try:
            text = json.loads(client_data)["challenge"]
            challenge = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, KeyError, TypeError):
            challenge = b""
        head, mark = challenge[:-_MARK_BYTES], challenge[-_MARK_BYTES:]
        known = len(challenge) == _CHALLENGE_BYTES and self._stamp.knows(head + site_of(exchange).encode(), mark)
        if not known or self._clock.now() >= _ends(challenge):
            raise PasskeyRefused("the challenge is not one of this site, or is over; try again", field="challenge")
        return challenge

    async def _begin(self, exchange: HttpExchange, account: Address, challenge: bytes) -> Session:
        return await self._sessions.begin(exchange, account, challenge[:_NONCE_BYTES].hex(), _ends(challenge))


def _ends(challenge: bytes) -> int:
    return int.from_bytes(challenge[_NONCE_BYTES : _NONCE_BYTES + _TIME_BYTES], "big")


def _known() -> Conflict:
    return Conflict("this passkey has an account already; sign in with it", code="passkey_known", field="credentialId")

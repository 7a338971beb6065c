"""Pass credits as money for calls.

The credits of one plan that one holder activated for one meter fund one ledger account: activated credits are its
balance, burned credits are claimed, a retirement or a silent meter is a withdrawal. One credit pays one atomic unit.

The holder lets a caller use the account by a grant: an EIP-712 signature (domain "Usufruct Passes", version "1", the
chain's id, the AccessPass contract) over a cumulative limit and an end, which travels as a bearer key. A contract that
holds credits, as a passkey account, signs by ERC-1271.
"""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import (
    LAST_MOMENT,
    UINT128_MAX,
    Address,
    AssetId,
    ChainId,
    Hash32,
    Invalid,
    address_from_bytes,
    hash32_from_bytes,
    id_to_bytes,
)
from usufruct.payments.pricing.vouchers import DigestSigner
from usufruct.web import Unauthenticated
from usufruct_client.eip712_messages import PASS_CREDITS, PASS_GRANT
from usufruct_client.typed_data import MessageHasher

SILENCE = 30 * 86_400
"""After how many seconds without a sign of its meter a pass's credits can be given back; `AccessPass` has the same."""

GRANT_PREFIX = "up_"

_CREDITS = MessageHasher(PASS_CREDITS)
_GRANT = MessageHasher(PASS_GRANT)
_PACKED = Struct(">32s20s16sQ")
_KEY_SIGNATURE = 65
_LONGEST_SIGNATURE = 4_096


@dataclass(frozen=True, slots=True)
class PassTerms:
    """Whose credits are taken here: those of the AccessPass `contract`, activated for `meter`; charged in `token`."""

    chain_id: ChainId
    contract: Address
    meter: Address
    token: Address

    def credits(self, plan: int, holder: Address) -> "ActivatedCredits":
        """Return the credits of a plan that `holder` activates for this meter."""
        return ActivatedCredits(plan, holder, self.meter)

    def account_id(self, activated: "ActivatedCredits") -> Hash32:
        """Return the id of the ledger account that these credits fund."""
        return _account_id(self.chain_id, self.contract, activated)

    def digest(self, plan: int, limit: int, expires_at: int) -> bytes:
        """Return what a holder signs: 32 bytes."""
        return _GRANT.digest(self.chain_id, self.contract, plan, self.meter, limit, expires_at)


@dataclass(frozen=True, slots=True)
class ActivatedCredits:
    """The credits of one plan that one holder activated for one meter: only that meter burns them."""

    plan: int
    holder: Address
    meter: Address

    @property
    def asset(self) -> AssetId:
        """The asset that the credits pay for."""
        return AssetId(self.plan >> 128)


@lru_cache(maxsize=1 << 14)
def _account_id(chain_id: ChainId, contract: Address, activated: ActivatedCredits) -> Hash32:
    return hash32_from_bytes(_CREDITS.digest(chain_id, contract, activated.plan, activated.holder, activated.meter))


@dataclass(frozen=True, slots=True)
class PassGrant:
    """A holder's word: until `expires_at`, this caller's calls may take the account's charges up to `limit` in all.

    `limit` is cumulative, in credits, and counts what every other grant on the account was charged too.
    """

    plan: int
    holder: Address
    limit: int
    expires_at: int
    signature: bytes

    @property
    def asset(self) -> AssetId:
        """The asset whose plan this is."""
        return AssetId(self.plan >> 128)

    def text(self) -> str:
        """Return it as a bearer key: a secret that lets its bearer spend."""
        plan, limit = self.plan.to_bytes(32, "big"), self.limit.to_bytes(16, "big")
        packed = _PACKED.pack(plan, id_to_bytes(self.holder), limit, self.expires_at) + self.signature
        return GRANT_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @property
    def is_by_contract(self) -> bool:
        """Whether the signature is none of a key, and only the holder's contract can tell whether it is good."""
        return len(self.signature) > _KEY_SIGNATURE

    def digest(self, terms: PassTerms) -> bytes:
        """Return what its holder signed for these terms: 32 bytes."""
        return terms.digest(self.plan, self.limit, self.expires_at)

    def check(self, terms: PassTerms, now: int) -> None:
        """Refuse a grant that is over, or is not the word of its holder's key for these terms.

        Raises:
            Unauthenticated: when `now` is past its end, another key signed, or something else was signed.
        """
        self.check_time(now)
        signer: Address | None = None
        with suppress(InvalidSignature):
            signer = recover_signer(self.digest(terms), self.signature)
        if signer != self.holder:
            raise self.refused()

    def refused(self) -> Unauthenticated:
        """Return the refusal of a grant that its holder did not sign."""
        return Unauthenticated(
            f"this is not a grant that {self.holder} signed for this gateway's meter; is the base URL right?",
            code="grant_refused",
            field="authorization",
            holder=self.holder,
        )

    def check_time(self, now: int) -> None:
        """Refuse a grant that is over.

        Raises:
            Unauthenticated: when `now` is past its end.
        """
        if now >= self.expires_at:
            raise Unauthenticated(
                "this grant of pass credits expired; its holder can make another",
                code="grant_expired",
                expires_at=self.expires_at,
            )


def check_grant_terms(limit: int, expires_at: int) -> None:
    """Refuse terms that no grant can have.

    Raises:
        Invalid: names the field that is out of range.
    """
    for field, value, most in (("limit", limit, UINT128_MAX), ("expires_at", expires_at, LAST_MOMENT)):
        if not 0 < value <= most:
            message = f"{field} must be from 1 to {most}, not {value}"
            raise Invalid(message, code="invalid_grant", field=field, value=value)


def sign_grant(terms: PassTerms, plan: int, limit: int, expires_at: int, signer: DigestSigner) -> PassGrant:
    """Make a grant with its holder's key.

    Raises:
        Invalid: names the field that is out of range.
    """
    check_grant_terms(limit, expires_at)
    return PassGrant(plan, signer.address, limit, expires_at, signer.sign(terms.digest(plan, limit, expires_at)))


def read_grant(text: str) -> PassGrant:
    """Read what `PassGrant.text` wrote; whether it is good, `check` tells.

    Raises:
        Unauthenticated: when it is none.
    """
    encoded = text.removeprefix(GRANT_PREFIX)
    try:
        packed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        packed = b""
    signature = packed[_PACKED.size :]
    if not text.startswith(GRANT_PREFIX) or not _KEY_SIGNATURE <= len(signature) <= _LONGEST_SIGNATURE:
        message = "the grant is mistyped or cut off; copy it again, all of it"
        raise Unauthenticated(message, code="grant_refused", field="authorization")
    plan, holder, limit, expires_at = _PACKED.unpack_from(packed)
    return PassGrant(
        int.from_bytes(plan, "big"), address_from_bytes(holder), int.from_bytes(limit, "big"), expires_at, signature
    )

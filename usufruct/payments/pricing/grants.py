"""Pass credits as money for calls.

The credits of one plan that one holder activated for our meter are an account. The ledger keeps it as it keeps a
channel: what was activated is the balance, what was burned is claimed, a retirement or a silent meter is a withdrawal.
One credit pays one atomic unit of charge.

The holder lets a caller use the account by a grant: an EIP-712 signature (domain "Usufruct Passes", version "1", the
chain's id, the AccessPass contract) over a cumulative limit and an end, which travels as a bearer key.
"""

import base64
import binascii
from dataclasses import dataclass

from usufruct.chain import MessageHasher
from usufruct.core import LAST_MOMENT, UINT128_MAX, Address, AssetId, ChainId, Hash32, Invalid
from usufruct.payments.pricing.signatures import DigestSigner, InvalidSignature, recover_signer
from usufruct.web import Unauthenticated
from usufruct_client.eip712 import PASS_GRANT
from usufruct_client.wire import ChannelConfig

SILENCE = 30 * 86_400
"""After how many seconds without a sign of its meter a pass's credits can be given back; `AccessPass` has the same."""

_DELAY = 4 * 86_400
"""Stands where a channel has its withdraw delay: what is charged is burned within a quarter of it."""

GRANT_PREFIX = "up_"

_GRANT = MessageHasher(PASS_GRANT)
_LENGTHS = (32, 20, 16, 8, 65)


class GrantRefused(Unauthenticated):
    """A grant of pass credits that is malformed, or that its holder did not sign for here."""

    code = "grant_refused"


class GrantExpired(Unauthenticated):
    """The grant's time is over."""

    code = "grant_expired"


class InvalidGrant(Invalid):
    """A grant that cannot be: its limit or its end is out of range."""

    code = "invalid_grant"


@dataclass(frozen=True, slots=True)
class PassTerms:
    """Whose credits are taken here: those of the AccessPass `contract`, activated for `meter`; charged in `token`."""

    chain_id: ChainId
    contract: Address
    meter: Address
    token: Address

    def account(self, plan: int, holder: Address) -> ChannelConfig:
        """Return the ledger's account of a holder's activated credits of a plan.

        It is no channel of the escrow: AccessPass stands where a channel has its receiver's authorizer.
        """
        return ChannelConfig(
            payer=holder,
            payer_authorizer=holder,
            receiver=self.meter,
            receiver_authorizer=self.contract,
            token=self.token,
            withdraw_delay=_DELAY,
            salt=Hash32(f"0x{plan:064x}"),
        )

    def owns(self, config: ChannelConfig) -> bool:
        """Tell whether it is the configuration of an account of pass credits, whoever is its meter."""
        return config.receiver_authorizer == self.contract

    def digest(self, plan: int, limit: int, expires_at: int) -> bytes:
        """Return what a holder signs: 32 bytes."""
        return _GRANT.digest(self.chain_id, self.contract, plan, self.meter, limit, expires_at)


def plan_of(account: ChannelConfig) -> int:
    """Return the plan whose credits an account holds."""
    return int(account.salt, 16)


def asset_of(account: ChannelConfig) -> AssetId:
    """Return the asset that an account's credits are for."""
    return AssetId(plan_of(account) >> 128)


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
        """Return it as a bearer key; whoever has it can use it."""
        numbers = (self.plan, int(self.holder, 16), self.limit, self.expires_at)
        packed = b"".join(number.to_bytes(size, "big") for number, size in zip(numbers, _LENGTHS, strict=False))
        return GRANT_PREFIX + base64.urlsafe_b64encode(packed + self.signature).decode().rstrip("=")

    def check(self, terms: PassTerms, now: int) -> None:
        """Refuse a grant that is over, or is not its holder's word for these terms.

        Raises:
            GrantExpired: when `now` is past its end.
            GrantRefused: when another key signed, or something else was signed.
        """
        if now >= self.expires_at:
            raise GrantExpired(
                "this grant of pass credits expired; its holder can make another", expires_at=self.expires_at
            )
        try:
            signer = recover_signer(terms.digest(self.plan, self.limit, self.expires_at), self.signature)
        except InvalidSignature as error:
            raise _refused(self.holder) from error
        if signer != self.holder:
            raise _refused(self.holder)


def sign_grant(terms: PassTerms, plan: int, limit: int, expires_at: int, signer: DigestSigner) -> PassGrant:
    """Make a grant with its holder's key.

    Raises:
        InvalidGrant: names the field that is out of range.
    """
    for field, value, most in (("limit", limit, UINT128_MAX), ("expires_at", expires_at, LAST_MOMENT)):
        if not 0 < value <= most:
            raise InvalidGrant(f"{field} must be from 1 to {most}, not {value}", field=field, value=value)
    return PassGrant(plan, signer.address, limit, expires_at, signer.sign(terms.digest(plan, limit, expires_at)))


def read_grant(text: str) -> PassGrant:
    """Read what `PassGrant.text` wrote; whether it is good, `check` tells.

    Raises:
        GrantRefused: when it is none.
    """
    encoded = text.removeprefix(GRANT_PREFIX)
    try:
        packed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        packed = b""
    if not text.startswith(GRANT_PREFIX) or len(packed) != sum(_LENGTHS):
        raise GrantRefused("the grant is mistyped or cut off; copy it again, all of it", field="authorization")
    parts, start = [], 0
    for size in _LENGTHS:
        parts.append(packed[start : start + size])
        start += size
    plan, limit, expires_at = (int.from_bytes(parts[at], "big") for at in (0, 2, 3))
    return PassGrant(plan, Address("0x" + parts[1].hex()), limit, expires_at, parts[4])


def _refused(holder: Address) -> GrantRefused:
    return GrantRefused(
        f"this is no grant that {holder} signed for this gateway's meter; is the base URL right?",
        field="authorization",
        holder=holder,
    )

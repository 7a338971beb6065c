"""Bearer keys: what they are, and the rules of using one.

A key is a channel of its payer: the gateway holds a session key that may authorize payments out of that one channel, up
to the key's spending limit. The money stays in the payer's escrow; revoking a key or losing the gateway loses nothing.
"""

from collections.abc import Set
from dataclasses import dataclass

from usufruct.core import LAST_MOMENT, UINT128_MAX, Address, Conflict, Denied, Invalid
from usufruct.web import Unauthenticated
from usufruct_client.wire import ChannelUse, KeyFacts

_LONGEST_LABEL = 100
_MOST_ASSETS = 100
_LONGEST_ASSET = 200


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """How many bearer keys there may be."""

    most_live: int = 100
    """Keys of one payer that are neither revoked nor expired."""
    most_waiting: int = 1_000
    """Keys of all payers that wait for their first deposit; beyond them a payer must show that they can deposit."""


KEY_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a payer grants; the fields are those of `BearerKey`."""

    payer: Address
    spending_limit: int
    expires_at: int
    assets: frozenset[str] = frozenset()
    label: str = ""
    day_limit: int | None = None


class BearerKey(KeyFacts):
    """One key, without its secret; `channel` is the escrow it pays from, `session` signs payments out of it."""

    def is_live(self, now: int) -> bool:
        """Tell whether the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and now < self.expires_at

    def left(self, use: ChannelUse) -> int:
        """Return what is left of its limit, in atomic units, when its channel was used so."""
        return max(0, self.spending_limit - use.charged - use.reserved)

    def left_today(self, use: ChannelUse) -> int | None:
        """Return what is left of its limit of today; None without one."""
        return None if self.day_limit is None else max(0, self.day_limit - use.charged_today - use.reserved)

    def check(self, now: int) -> None:
        """Refuse a key that is over.

        Raises:
            Unauthenticated: when it was revoked, or `now` is past its end.
        """
        if self.revoked_at is not None:
            message = f"{self.id} was revoked; make a new key"
            raise Unauthenticated(message, code="key_revoked", key_id=self.id, revoked_at=self.revoked_at)
        if now >= self.expires_at:
            message = f"{self.id} expired; make a new key"
            raise Unauthenticated(message, code="key_expired", key_id=self.id, expires_at=self.expires_at)

    def check_asset(self, asset: str) -> None:
        """Refuse an asset outside the key's scope.

        Raises:
            Denied: when the key names assets, and this is none of them.
        """
        if self.assets and asset not in self.assets:
            raise Denied(
                f"{self.id} may not call {asset}; use one of {', '.join(sorted(self.assets))}, or another key",
                code="asset_out_of_scope",
                field="model",
                key_id=self.id,
                asset=asset,
            )


def check_terms(terms: KeyTerms, now: int) -> None:
    """Refuse terms no key can have.

    Raises:
        Invalid: names the field.
    """
    if not 0 < terms.spending_limit <= UINT128_MAX:
        _refuse("spending_limit", terms.spending_limit, "from 1 to 2**128 - 1 atomic units")
    if terms.day_limit is not None and not 0 < terms.day_limit <= terms.spending_limit:
        _refuse("day_limit", terms.day_limit, f"from 1 to the spending limit, {terms.spending_limit} atomic units")
    if not now < terms.expires_at <= LAST_MOMENT:
        _refuse("expires_at", terms.expires_at, f"in the future (it is {now})")
    check_label(terms.label)
    if len(terms.assets) > _MOST_ASSETS:
        _refuse("assets", len(terms.assets), f"at most {_MOST_ASSETS} names")
    if not all(0 < len(asset) <= _LONGEST_ASSET and asset.isprintable() for asset in terms.assets):
        _refuse("assets", len(terms.assets), f"names of 1 to {_LONGEST_ASSET} printable characters")


def too_many_keys(payer: Address, most: int) -> Conflict:
    """Return the refusal of one key more than a payer may have."""
    return Conflict(
        f"{payer} has {most} keys that are neither revoked nor expired; revoke one first",
        code="too_many_keys",
        payer=payer,
        most=most,
    )


def too_many_waiting_keys(payer: Address, most: int, waiting: int) -> Conflict:
    """Return the refusal of a key while `most` wait for money, `waiting` of them this payer's."""
    return Conflict(
        f"{most} keys wait for their first deposit; put the smallest deposit into the wallet {payer} and ask again, or "
        "use the key you have",
        code="too_many_waiting_keys",
        payer=payer,
        waiting=waiting,
    )


def check_label(label: str) -> None:
    """Refuse a name that no key can have.

    Raises:
        Invalid: names the field.
    """
    if len(label) > _LONGEST_LABEL:
        _refuse("label", len(label), f"at most {_LONGEST_LABEL} characters long")
    if not label.isprintable():
        _refuse("label", len(label), "printable characters")


def sorted_assets(assets: Set[str]) -> str:
    """Return the assets as they are signed and stored: sorted, one a line."""
    return "\n".join(sorted(assets))


def _refuse(field: str, value: int, rule: str) -> None:
    raise Invalid(f"{field} must be {rule}, not {value}", code="invalid_key_terms", field=field, value=value)

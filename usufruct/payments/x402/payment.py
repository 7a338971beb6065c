"""A payment as it comes: the `PAYMENT-SIGNATURE` header, read strictly into values of our own."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from usufruct.core import UINT128_MAX, UINT256_MAX, Address, ChainId, Hash32, UsufructError, address, hash32
from usufruct.payments.settlement.deposits import DepositAuthorization
from usufruct.payments.voucher import ChannelConfig, Voucher
from usufruct.payments.x402.errors import MalformedPayment, WrongNetwork, WrongScheme

VERSION = 2
SCHEME = "batch-settlement"
IDENTIFIER = "payment-identifier"

_LONGEST = 16_384
_LONGEST_SIGNATURE = 4_096
_MOST_SECONDS = (1 << 64) - 1
_NUMBER = re.compile("[0-9]{1,78}")
_IDENTIFIER = re.compile("[A-Za-z0-9_-]{16,128}")
_BYTES = re.compile("0x(?:[0-9a-fA-F]{2})*")


class PaymentKind(StrEnum):
    """What a payment brings: a voucher; a deposit and a voucher; the wish to have money back."""

    VOUCHER = "voucher"
    DEPOSIT = "deposit"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `amount` (atomic units) is the most its payer agreed to for this call; `quote` our promise, or "".

    `deposit` is there for deposits; `refund` for refunds that name an amount; `identifier` is the payer's, or "".
    """

    kind: PaymentKind
    amount: int
    quote: str
    config: ChannelConfig
    voucher: Voucher
    deposit: DepositAuthorization | None = None
    refund: int | None = None
    identifier: str = ""


def network_of(chain_id: ChainId) -> str:
    """Return a chain's CAIP-2 name, as x402 writes networks."""
    return f"eip155:{chain_id}"


def read_payment(header: str, chain_id: ChainId) -> Payment:
    """Read a `PAYMENT-SIGNATURE` header.

    Raises:
        MalformedPayment: when it is no payment; names the member.
        WrongScheme, WrongNetwork: when it is one, but not for here.
    """
    content = _decoded(header)
    if content.get("x402Version") != VERSION:
        raise _malformed("x402Version", f"must be {VERSION}")
    accepted, payload = _object(content, "accepted"), _object(content, "payload")
    if accepted.get("scheme") != SCHEME:
        raise WrongScheme(f"only the scheme {SCHEME} is taken here", field="accepted.scheme")
    if accepted.get("network") != network_of(chain_id):
        raise WrongNetwork(f"the network must be {network_of(chain_id)}", field="accepted.network")
    kinds = {kind.value: kind for kind in PaymentKind}
    kind = kinds.get(str(payload.get("type")))
    if kind is None:
        raise _malformed("payload.type", f"must be one of {', '.join(kinds)}")
    config = read_channel(_object(payload, "channelConfig", "payload."))
    quote = _object(accepted, "extra", "accepted.").get("quote", "") if "extra" in accepted else ""
    return Payment(
        kind=kind,
        amount=_number(accepted, "amount", "accepted."),
        quote=quote if isinstance(quote, str) else "",
        config=config,
        voucher=_voucher(_object(payload, "voucher", "payload.")),
        deposit=read_deposit(_object(payload, "deposit", "payload."), config, chain_id)
        if kind is PaymentKind.DEPOSIT
        else None,
        refund=_number(payload, "amount", "payload.")
        if kind is PaymentKind.REFUND and payload.get("amount") is not None
        else None,
        identifier=_identifier(content),
    )


def read_channel(given: Mapping[str, Any], where: str = "channelConfig.") -> ChannelConfig:
    """Read a channel's configuration as x402 writes it.

    Raises:
        MalformedPayment: names the member.
    """
    return ChannelConfig(
        payer=_address(given, "payer", where),
        payer_authorizer=_address(given, "payerAuthorizer", where),
        receiver=_address(given, "receiver", where),
        receiver_authorizer=_address(given, "receiverAuthorizer", where),
        token=_address(given, "token", where),
        withdraw_delay=_whole(given, "withdrawDelay", (1 << 40) - 1, where),
        salt=_hash(given, "salt", where),
    )


def channel_as_json(config: ChannelConfig) -> dict[str, object]:
    """Write a channel's configuration as x402 does; `read_channel` reads it."""
    return {
        "payer": config.payer,
        "payerAuthorizer": config.payer_authorizer,
        "receiver": config.receiver,
        "receiverAuthorizer": config.receiver_authorizer,
        "token": config.token,
        "withdrawDelay": config.withdraw_delay,
        "salt": config.salt,
    }


def read_deposit(given: Mapping[str, Any], config: ChannelConfig, chain_id: ChainId) -> DepositAuthorization:
    """Read x402's `deposit` member: an amount, and the EIP-3009 authorization of it.

    Raises:
        MalformedPayment: names the member.
    """
    where = "deposit.authorization.erc3009Authorization."
    authorization = _object(_object(given, "authorization", "deposit."), "erc3009Authorization", where[:-21])
    return DepositAuthorization(
        chain_id=chain_id,
        config=config,
        amount=_number(given, "amount", "deposit."),
        valid_after=_number(authorization, "validAfter", where, _MOST_SECONDS),
        valid_before=_number(authorization, "validBefore", where, UINT256_MAX),
        salt=int(_hash(authorization, "salt", where), 16),
        signature=_signature(authorization, where),
    )


def _decoded(header: str) -> Mapping[str, Any]:
    if len(header) > _LONGEST:
        raise _malformed("payment-signature", f"must be at most {_LONGEST} characters")
    try:
        content = orjson.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, orjson.JSONDecodeError, ValueError) as error:
        raise _malformed("payment-signature", "must be base64 of JSON") from error
    if not isinstance(content, dict):
        raise _malformed("payment-signature", "must be base64 of a JSON object")
    return content


def _voucher(given: Mapping[str, Any]) -> Voucher:
    where = "voucher."
    amount = _number(given, "maxClaimableAmount", where, UINT128_MAX)
    return Voucher(_hash(given, "channelId", where), amount, _signature(given, where))


def _identifier(content: Mapping[str, Any]) -> str:
    extensions = content.get("extensions")
    declared = extensions.get(IDENTIFIER) if isinstance(extensions, dict) else None
    info = declared.get("info") if isinstance(declared, dict) else None
    given = info.get("id") if isinstance(info, dict) else None
    if given is None:
        return ""
    if not isinstance(given, str) or not _IDENTIFIER.fullmatch(given):
        raise _malformed(f"extensions.{IDENTIFIER}.info.id", "must be 16 to 128 letters, digits, - or _")
    return given


def _object(given: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = given.get(name)
    if not isinstance(value, dict):
        raise _malformed(where + name, "must be an object")
    return value


def _text(given: Mapping[str, Any], name: str, where: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise _malformed(where + name, "must be text")
    return value


def _number(given: Mapping[str, Any], name: str, where: str, most: int = UINT128_MAX) -> int:
    text = _text(given, name, where)
    if not _NUMBER.fullmatch(text) or int(text) > most:
        raise _malformed(where + name, f"must be a whole number as text, at most {most}")
    return int(text)


def _whole(given: Mapping[str, Any], name: str, most: int, where: str) -> int:
    value = given.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise _malformed(where + name, f"must be a whole number from 0 to {most}")
    return value


def _address(given: Mapping[str, Any], name: str, where: str) -> Address:
    try:
        return address(_text(given, name, where), where + name)
    except UsufructError as error:
        raise _malformed(where + name, "must be 0x and 40 hex digits") from error


def _hash(given: Mapping[str, Any], name: str, where: str) -> Hash32:
    try:
        return hash32(_text(given, name, where), where + name)
    except UsufructError as error:
        raise _malformed(where + name, "must be 0x and 64 hex digits") from error


def _signature(given: Mapping[str, Any], where: str) -> bytes:
    text = _text(given, "signature", where)
    if len(text) > _LONGEST_SIGNATURE or not _BYTES.fullmatch(text):
        raise _malformed(where + "signature", "must be 0x and hex digits")
    return bytes.fromhex(text[2:])


def _malformed(field: str, rule: str) -> MalformedPayment:
    return MalformedPayment(f"{field} {rule}", field=field)

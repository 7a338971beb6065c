"""x402's three headers: `PAYMENT-REQUIRED`, `PAYMENT-SIGNATURE`, `PAYMENT-RESPONSE`, each base64 of JSON."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from re import fullmatch

from usufruct_client.errors import BadAnswer
from usufruct_client.json_members import Members
from usufruct_client.price import PriceCard, read_price_card
from usufruct_client.signing import Deposit, checksummed
from usufruct_client.wire import ChannelConfig

REQUIRED_HEADER = "PAYMENT-REQUIRED"
SIGNATURE_HEADER = "PAYMENT-SIGNATURE"
RESPONSE_HEADER = "PAYMENT-RESPONSE"

SCHEME = "batch-settlement"
ERROR_PREFIX = "invalid_batch_settlement_evm_"

_LONGEST_DELAY = 30 * 86_400
_LONGEST_TIMEOUT = 86_400
_LONGEST_CHAIN_ID = (1 << 53) - 1


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What the gateway says of a channel; `charged` includes what it has reserved."""

    channel: str
    balance: int
    charged: int


@dataclass(frozen=True, slots=True)
class VoucherState:
    """The best voucher the gateway says it holds."""

    signed: int
    signature: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """The entry of `accepts` that we can pay; `raw` is the entry as it was, to be sent back.

    `price_card` is what the charge is to be made by, where the gateway says it.
    """

    chain_id: int
    amount: int
    token: str
    operator: str
    timeout_seconds: int
    receiver_authorizer: str
    withdraw_delay: int
    token_name: str
    token_version: str
    min_deposit: int
    channel_state: ChannelState | None
    voucher_state: VoucherState | None
    raw: Mapping[str, object]
    price_card: PriceCard | None = None

    @property
    def network(self) -> str:
        """The chain in CAIP-2 form: `eip155:<chain id>`."""
        return f"eip155:{self.chain_id}"


@dataclass(frozen=True, slots=True)
class PaymentRequired:
    """What a 402 asks for; `error` is without x402's prefix, empty when there is none."""

    error: str
    requirements: Requirements


@dataclass(frozen=True, slots=True)
class PaymentResponse:
    """What was taken: `charged` of a stream is its ceiling; `transaction` is empty when nothing went to the chain."""

    success: bool
    transaction: str
    amount: int
    charged: int | None


def read_required(header: str) -> PaymentRequired:
    """Read `PAYMENT-REQUIRED`.

    Raises:
        BadAnswer: when a member is missing or malformed, or nothing in it is `batch-settlement` by EIP-3009.
    """
    members = _decoded(header, REQUIRED_HEADER)
    if members.number("x402Version") != 2:
        raise BadAnswer(f"{REQUIRED_HEADER}.x402Version must be 2", member="x402Version")
    offers = members.raw.get("accepts")
    if not isinstance(offers, list):
        raise BadAnswer(f"{REQUIRED_HEADER}.accepts must be a list", member="accepts")
    for position, offer in enumerate(offers):
        entry = Members(offer, f"accepts[{position}]")
        if entry.raw.get("scheme") == SCHEME:
            error = members.text("error") if "error" in members else ""
            return PaymentRequired(error.removeprefix(ERROR_PREFIX), _requirements(entry))
    raise BadAnswer(
        f"{REQUIRED_HEADER}.accepts offers no {SCHEME}: this gateway wants another scheme", member="accepts"
    )


def read_response(header: str) -> PaymentResponse:
    """Read `PAYMENT-RESPONSE`.

    Raises:
        BadAnswer: when a member is missing or malformed.
    """
    members = _decoded(header, RESPONSE_HEADER)
    transaction = members.raw.get("transaction")
    if not isinstance(transaction, str):
        raise BadAnswer(f"{RESPONSE_HEADER}.transaction must be text", member="transaction")
    extra = members.object("extra") if "extra" in members else members
    return PaymentResponse(
        success=members.flag("success"),
        transaction=transaction,
        amount=members.amount("amount") if members.raw.get("amount") else 0,
        charged=extra.amount("chargedAmount") if "chargedAmount" in extra else None,
    )


def write_payment(
    accepted: Requirements, config: ChannelConfig, voucher: Mapping[str, str], deposit: Deposit | None = None
) -> str:
    """Write `PAYMENT-SIGNATURE`: a voucher, with a deposit if there is one."""
    payload: dict[str, object] = {"type": "deposit" if deposit else "voucher", **_channel(config), "voucher": voucher}
    if deposit:
        authorization = {
            "validAfter": "0",
            "validBefore": str(deposit.valid_before),
            "salt": deposit.salt,
            "signature": deposit.signature,
        }
        payload["deposit"] = {
            "amount": str(deposit.amount),
            "authorization": {"erc3009Authorization": authorization},
        }
    return _encoded(accepted, payload)


def write_refund(accepted: Requirements, config: ChannelConfig, voucher: Mapping[str, str], amount: int | None) -> str:
    """Write `PAYMENT-SIGNATURE` that asks for money back: all that is free, or `amount`."""
    payload: dict[str, object] = {"type": "refund", **_channel(config), "voucher": voucher}
    if amount is not None:
        payload["amount"] = str(amount)
    return _encoded(accepted, payload)


def _channel(config: ChannelConfig) -> dict[str, object]:
    return {
        "channelConfig": {
            "payer": checksummed(config.payer),
            "payerAuthorizer": checksummed(config.payer_authorizer),
            "receiver": checksummed(config.receiver),
            "receiverAuthorizer": checksummed(config.receiver_authorizer),
            "token": checksummed(config.token),
            "withdrawDelay": config.withdraw_delay,
            "salt": config.salt,
        }
    }


def _encoded(accepted: Requirements, payload: Mapping[str, object]) -> str:
    document = {"x402Version": 2, "accepted": accepted.raw, "payload": payload}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def _decoded(header: str, name: str) -> Members:
    try:
        document = json.loads(base64.b64decode(header, validate=True))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{name} must be base64 of JSON", member=name) from error
    return Members(document, name)


def _requirements(entry: Members) -> Requirements:
    extra = entry.object("extra")
    method = extra.raw.get("assetTransferMethod", "eip3009")
    if method != "eip3009":
        raise BadAnswer(
            f"extra.assetTransferMethod is {str(method)[:40]!r}; only eip3009 is known", member="assetTransferMethod"
        )
    delay = extra.number("withdrawDelay")
    if delay > _LONGEST_DELAY:
        raise BadAnswer(
            f"extra.withdrawDelay is {delay} s; money is locked for 30 days at most", member="withdrawDelay"
        )
    timeout = entry.number("maxTimeoutSeconds")
    if timeout > _LONGEST_TIMEOUT:
        raise BadAnswer(
            f"maxTimeoutSeconds is {timeout}; a deposit's signature holds for a day at most", member="maxTimeoutSeconds"
        )
    return Requirements(
        chain_id=_chain_id(entry.text("network")),
        amount=entry.amount("amount"),
        token=entry.address("asset"),
        operator=entry.address("payTo"),
        timeout_seconds=timeout,
        receiver_authorizer=extra.address("receiverAuthorizer"),
        withdraw_delay=delay,
        token_name=extra.text("name"),
        token_version=extra.text("version"),
        min_deposit=extra.amount("minDeposit") if "minDeposit" in extra else 0,
        channel_state=_channel_state(extra.object("channelState")) if "channelState" in extra else None,
        voucher_state=_voucher_state(extra.object("voucherState")) if "voucherState" in extra else None,
        raw=entry.raw,
        price_card=read_price_card(extra.object("priceCard")) if "priceCard" in extra else None,
    )


def _chain_id(network: str) -> int:
    found = fullmatch("eip155:([1-9][0-9]{0,15})", network)
    if not found or int(found[1]) > _LONGEST_CHAIN_ID:
        raise BadAnswer(f"network must be eip155:<chain id>, not {network[:80]!r}", member="network")
    return int(found[1])


def _channel_state(members: Members) -> ChannelState:
    return ChannelState(
        members.hash32("channelId"), members.amount("balance"), members.amount("chargedCumulativeAmount")
    )


def _voucher_state(members: Members) -> VoucherState:
    return VoucherState(members.amount("signedMaxClaimable"), members.signature("signature"))

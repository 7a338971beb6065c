"""The call ledger: opens, meters, releases and replays calls; keeps balances in double entry."""

from usufruct.payments.ledger.admission import accepted_voucher, scope_of
from usufruct.payments.ledger.database import Points, no_points
from usufruct.payments.ledger.errors import (
    BalanceTooLow,
    CallLost,
    CallUnknown,
    ChannelUnknown,
    ClaimPending,
    DepositUnderWay,
    DuplicateDeposit,
    LimitReached,
    NothingToClaim,
    RefundTooHigh,
    VoucherPublished,
    VoucherTooLow,
    WrongState,
    channel_unknown,
    voucher_published,
)
from usufruct.payments.ledger.metrics import MoneyMetrics
from usufruct.payments.ledger.receipts import receipt_of
from usufruct.payments.ledger.records import (
    Bill,
    Call,
    CallState,
    Channel,
    ChannelReading,
    Claim,
    IdempotencyKey,
    Lease,
    Opened,
    Replay,
    Reservation,
)
from usufruct.payments.ledger.service import Ledger, new_id, open_ledger
from usufruct.payments.ledger.tables import channels
from usufruct.payments.ledger.transfers import Transfer

__all__ = [
    "BalanceTooLow",
    "Bill",
    "Call",
    "CallLost",
    "CallState",
    "CallUnknown",
    "Channel",
    "ChannelReading",
    "ChannelUnknown",
    "Claim",
    "ClaimPending",
    "DepositUnderWay",
    "DuplicateDeposit",
    "IdempotencyKey",
    "Lease",
    "Ledger",
    "LimitReached",
    "MoneyMetrics",
    "NothingToClaim",
    "Opened",
    "Points",
    "RefundTooHigh",
    "Replay",
    "Reservation",
    "Transfer",
    "VoucherPublished",
    "VoucherTooLow",
    "WrongState",
    "accepted_voucher",
    "channel_unknown",
    "channels",
    "new_id",
    "no_points",
    "open_ledger",
    "receipt_of",
    "scope_of",
    "voucher_published",
]

"""The call ledger: opens, meters, releases and replays calls; keeps balances in double entry."""

from usufruct.payments.ledger.admission import accepted_voucher, scope_of
from usufruct.payments.ledger.calls import FIRST_EPOCH
from usufruct.payments.ledger.errors import (
    AccountUnknown,
    BalanceTooLow,
    CallLost,
    CallUnknown,
    ClaimPending,
    DepositUnderWay,
    DuplicateDeposit,
    LimitReached,
    NothingToClaim,
    RefundTooHigh,
    VoucherPublished,
    VoucherTooLow,
    WrongState,
)
from usufruct.payments.ledger.records import (
    Account,
    AccountIdentity,
    AccountKind,
    AccountReading,
    Bill,
    Call,
    CallState,
    Claim,
    Earned,
    IdempotencyKey,
    Lease,
    Opened,
    Replay,
    Reservation,
)
from usufruct.payments.ledger.service import Ledger, new_id
from usufruct.payments.ledger.statements import FaultHook, no_faults
from usufruct.payments.ledger.tables import accounts
from usufruct.payments.ledger.transfers import Transfer

__all__ = [
    "FIRST_EPOCH",
    "Account",
    "AccountIdentity",
    "AccountKind",
    "AccountReading",
    "AccountUnknown",
    "BalanceTooLow",
    "Bill",
    "Call",
    "CallLost",
    "CallState",
    "CallUnknown",
    "Claim",
    "ClaimPending",
    "DepositUnderWay",
    "DuplicateDeposit",
    "Earned",
    "FaultHook",
    "IdempotencyKey",
    "Lease",
    "Ledger",
    "LimitReached",
    "NothingToClaim",
    "Opened",
    "RefundTooHigh",
    "Replay",
    "Reservation",
    "Transfer",
    "VoucherPublished",
    "VoucherTooLow",
    "WrongState",
    "accepted_voucher",
    "accounts",
    "new_id",
    "no_faults",
    "scope_of",
]

"""What moves money on the chain: deposits, claims, refunds, payouts, anchored receipts."""

from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.configurations import ChannelRegistry
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization
from usufruct.payments.settlement.deposits import Deposited, Deposits
from usufruct.payments.settlement.evidence import Evidence, wrong_claimed, wrong_roots
from usufruct.payments.settlement.model import Batch, ClaimPolicy, Payee, SettlementContext, on_chain
from usufruct.payments.settlement.money_back import DepositMoney, MoneyBack, NoWithdrawalStep, RefundStatus
from usufruct.payments.settlement.operator_terms import (
    LEAST_WITHDRAW_DELAY,
    ChannelRefused,
    ChannelTerms,
    check_deposit_amount,
)
from usufruct.payments.settlement.paid_batches import PaidBatch, PaidBatches
from usufruct.payments.settlement.pass_accounts import PassAccounts
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refunds import Refunded, RefundRequests, Refunds
from usufruct.payments.settlement.till_settings import allow_claims, cap_payees, list_payee

__all__ = [
    "LEAST_WITHDRAW_DELAY",
    "AccountSync",
    "Batch",
    "ChannelRefused",
    "ChannelRegistry",
    "ChannelTerms",
    "ClaimPolicy",
    "ClaimRequests",
    "Claimer",
    "DepositAuthorization",
    "DepositMoney",
    "Deposited",
    "Deposits",
    "Evidence",
    "MoneyBack",
    "NoWithdrawalStep",
    "PaidBatch",
    "PaidBatches",
    "PassAccounts",
    "PassCredits",
    "Payee",
    "ReceiptSigners",
    "RefundRequests",
    "RefundStatus",
    "Refunded",
    "Refunds",
    "SettlementContext",
    "allow_claims",
    "cap_payees",
    "check_deposit_amount",
    "list_payee",
    "on_chain",
    "wrong_claimed",
    "wrong_roots",
]

"""What moves money on the chain: deposits, claims, refunds, payouts, anchored receipts."""

from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.channel_auth import PROOF_HEADER, read_channel_digest
from usufruct.payments.settlement.channel_policy import LEAST_WITHDRAW_DELAY, ChannelRefused, ChannelTerms
from usufruct.payments.settlement.channel_registry import Channel, ChannelRegistry
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deferred_payouts import DeferredPayouts
from usufruct.payments.settlement.deposits import DepositAuthorization, Deposited, Deposits
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.evidence import Evidence, wrong_newest_roots, wrong_roots
from usufruct.payments.settlement.model import Batch, Payee, SettlementContext, on_chain
from usufruct.payments.settlement.operator_terms import Offer
from usufruct.payments.settlement.pass_accounts import PassAccounts
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refund_requests import Refunded, RefundRequests
from usufruct.payments.settlement.refunds import Refunds
from usufruct.payments.settlement.till_settings import allow_claims, cap_payees, list_payee
from usufruct.payments.settlement.wire import (
    deposit_document,
    deposit_of_document,
    deposit_typed_data,
    token_document,
)

__all__ = [
    "LEAST_WITHDRAW_DELAY",
    "PROOF_HEADER",
    "AccountSync",
    "Batch",
    "Channel",
    "ChannelRefused",
    "ChannelRegistry",
    "ChannelTerms",
    "ClaimRequests",
    "Claimer",
    "DeferredPayouts",
    "DepositAuthorization",
    "Deposited",
    "Deposits",
    "EventWatcher",
    "Evidence",
    "Offer",
    "PassAccounts",
    "PassCredits",
    "Payee",
    "ReceiptSigners",
    "RefundRequests",
    "Refunded",
    "Refunds",
    "SettlementContext",
    "allow_claims",
    "cap_payees",
    "deposit_document",
    "deposit_of_document",
    "deposit_typed_data",
    "list_payee",
    "on_chain",
    "read_channel_digest",
    "token_document",
    "wrong_newest_roots",
    "wrong_roots",
]

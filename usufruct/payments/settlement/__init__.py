"""What moves money on the chain: deposits, claims, refunds, payouts, anchored receipts."""

from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.api import payment_routes
from usufruct.payments.settlement.channel_auth import PROOF_HEADER, proof_header, read_channel_digest
from usufruct.payments.settlement.channel_policy import ChannelRefused, ChannelTerms
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deferred_payouts import DeferredPayouts
from usufruct.payments.settlement.deposits import DepositAuthorization, Deposited, Deposits
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.evidence import Evidence, wrong_newest_roots, wrong_roots
from usufruct.payments.settlement.jobs import (
    claim_due,
    deposit_due,
    owed_due,
    refund_due,
    refund_requested,
    sign_due,
    watch,
)
from usufruct.payments.settlement.merkle import proves
from usufruct.payments.settlement.metrics import settlement_metrics
from usufruct.payments.settlement.model import Batch, ClaimPolicy, Counters, RefundPolicy, SettlementContext, on_chain
from usufruct.payments.settlement.operator_terms import Offer, read_offer
from usufruct.payments.settlement.pass_accounts import PassAccounts, PassKeeper
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refund_requests import Refunded, RefundRequests
from usufruct.payments.settlement.refunds import Refunds
from usufruct.payments.settlement.token_store import load_token_facts, save_token_facts
from usufruct.payments.settlement.wire import (
    LONGEST_SIGNATURE,
    deposit_json,
    deposit_typed_data,
    read_channel_json,
    read_deposit_json,
    read_token_json,
    token_json,
)

__all__ = [
    "LONGEST_SIGNATURE",
    "PROOF_HEADER",
    "AccountSync",
    "Batch",
    "ChannelRefused",
    "ChannelTerms",
    "ClaimPolicy",
    "ClaimRequests",
    "Claimer",
    "Counters",
    "DeferredPayouts",
    "DepositAuthorization",
    "Deposited",
    "Deposits",
    "EventWatcher",
    "Evidence",
    "Offer",
    "PassAccounts",
    "PassKeeper",
    "ReceiptSigners",
    "RefundPolicy",
    "RefundRequests",
    "Refunded",
    "Refunds",
    "SettlementContext",
    "claim_due",
    "deposit_due",
    "deposit_json",
    "deposit_typed_data",
    "load_token_facts",
    "on_chain",
    "owed_due",
    "payment_routes",
    "proof_header",
    "proves",
    "read_channel_digest",
    "read_channel_json",
    "read_deposit_json",
    "read_offer",
    "read_token_json",
    "refund_due",
    "refund_requested",
    "save_token_facts",
    "settlement_metrics",
    "sign_due",
    "token_json",
    "watch",
    "wrong_newest_roots",
    "wrong_roots",
]

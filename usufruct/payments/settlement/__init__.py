"""What moves money on the chain: deposits, claims, refunds, payouts, anchored receipts."""

from usufruct.payments.settlement.api import payment_routes
from usufruct.payments.settlement.channel_auth import PROOF_HEADER, proof_header, read_channel_digest
from usufruct.payments.settlement.channel_policy import ChannelRefused, ChannelTerms
from usufruct.payments.settlement.channel_sync import Observer
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deferred_payouts import Owed
from usufruct.payments.settlement.deposits import DepositAuthorization, Deposited, Deposits
from usufruct.payments.settlement.event_watcher import Watcher
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
from usufruct.payments.settlement.known_tokens import known_token, remember_token
from usufruct.payments.settlement.merkle import proves
from usufruct.payments.settlement.metrics import settlement_metrics
from usufruct.payments.settlement.model import Batch, ChainSide, ClaimPolicy, Counters, RefundPolicy, on_chain
from usufruct.payments.settlement.operator_terms import Offer, read_offer
from usufruct.payments.settlement.pass_accounts import PassAccounts, PassKeeper
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refund_requests import Refunded, RefundRequests
from usufruct.payments.settlement.refunds import Refunds
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
    "Batch",
    "ChainSide",
    "ChannelRefused",
    "ChannelTerms",
    "ClaimPolicy",
    "ClaimRequests",
    "Claimer",
    "Counters",
    "DepositAuthorization",
    "Deposited",
    "Deposits",
    "Evidence",
    "Observer",
    "Offer",
    "Owed",
    "PassAccounts",
    "PassKeeper",
    "ReceiptSigners",
    "RefundPolicy",
    "RefundRequests",
    "Refunded",
    "Refunds",
    "Watcher",
    "claim_due",
    "deposit_due",
    "deposit_json",
    "deposit_typed_data",
    "known_token",
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
    "remember_token",
    "settlement_metrics",
    "sign_due",
    "token_json",
    "watch",
    "wrong_newest_roots",
    "wrong_roots",
]

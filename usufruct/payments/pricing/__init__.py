"""Pure rules: usage, charges, benefits, receipts, vouchers and grants, with their signatures."""

from usufruct.payments.pricing.benefits import Benefits, NoLevels, PayerBenefits
from usufruct.payments.pricing.charges import (
    Allowance,
    OverBudget,
    OverContext,
    affordable_output_down,
    allow,
    charge_up,
    discounted_card_up,
    price_lines,
    saved_up,
)
from usufruct.payments.pricing.grants import (
    GRANT_PREFIX,
    SILENCE,
    ActivatedCredits,
    PassGrant,
    PassTerms,
    check_grant_terms,
    read_grant,
    sign_grant,
)
from usufruct.payments.pricing.receipts import Receipt, ReceiptDocument, receipt_digest, sign_receipt
from usufruct.payments.pricing.usage import CountedBy, Measured, Usage, measure, text_usage
from usufruct.payments.pricing.vouchers import (
    DigestSigner,
    Escrow,
    VerifiedVoucher,
    Voucher,
    channel_id,
    sign_voucher,
    verify_voucher,
    voucher_digest,
)
from usufruct_client.text import content_hash
from usufruct_client.wire import ChannelConfig

__all__ = [
    "GRANT_PREFIX",
    "SILENCE",
    "ActivatedCredits",
    "Allowance",
    "Benefits",
    "ChannelConfig",
    "CountedBy",
    "DigestSigner",
    "Escrow",
    "Measured",
    "NoLevels",
    "OverBudget",
    "OverContext",
    "PassGrant",
    "PassTerms",
    "PayerBenefits",
    "Receipt",
    "ReceiptDocument",
    "Usage",
    "VerifiedVoucher",
    "Voucher",
    "affordable_output_down",
    "allow",
    "channel_id",
    "charge_up",
    "check_grant_terms",
    "content_hash",
    "discounted_card_up",
    "measure",
    "price_lines",
    "read_grant",
    "receipt_digest",
    "saved_up",
    "sign_grant",
    "sign_receipt",
    "sign_voucher",
    "text_usage",
    "verify_voucher",
    "voucher_digest",
]

"""Why the gateway refuses a call, beyond what keys, prices, the ledger and upstreams refuse themselves."""

from usufruct.core import Conflict, Denied, Faulty, Invalid, NotFound, Unavailable


class InvalidRequest(Invalid):
    """A member of the request is missing, of the wrong type or out of range."""

    code = "invalid_request"


class UnsupportedContent(Invalid):
    """A part of a message that is not text: it cannot be counted, so it cannot be priced."""

    code = "unsupported_content"


class UnpaidBodyTooLarge(Invalid):
    """A long request without payment: pricing it is work, too."""

    status = 413
    code = "unpaid_body_too_large"


class CountingBusy(Unavailable):
    """So much long input is being counted that more would take too long."""

    code = "counting_busy"


class AbandonedAnswers(Denied):
    """Too many of a payer's answers were made upstream and not paid for: hung up on, or over our limits."""

    status = 429
    code = "abandoned_answers"


class WrongEndpoint(Invalid):
    """The listing answers at another endpoint."""

    code = "wrong_endpoint"


class UnmeasuredUnit(Conflict):
    """The price card counts in a unit that no operation of this gateway measures."""

    code = "unmeasured_unit"


class ReceiptContradicted(Faulty):
    """A call's row was changed after its receipt was signed."""

    code = "receipt_contradicted"


class ReceiptNotFound(NotFound):
    """No metered call with this id, or not this key's."""

    code = "receipt_not_found"

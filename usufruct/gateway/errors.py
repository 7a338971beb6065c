"""Why the gateway refuses a call, beyond what keys, prices, the ledger and upstreams refuse themselves."""

from usufruct.core import Invalid, NotFound, RateLimited, Unavailable


class InvalidRequest(Invalid, code="invalid_request"):
    """A member of the request is missing, of the wrong type or out of range."""


class UnsupportedContent(Invalid, code="unsupported_content"):
    """A part of a message that is not text: it cannot be counted, so it cannot be priced."""


class UnpaidBodyTooLarge(Invalid, code="unpaid_body_too_large", status=413):
    """A long request without payment: pricing it is work, too."""


class CountingBusy(Unavailable, code="counting_busy"):
    """So much long input is being counted that more would take too long."""


class AbandonedAnswers(RateLimited, code="abandoned_answers"):
    """Too many of a payer's answers were made upstream and not paid for: hung up on, or over our limits."""


class TooManyCalls(RateLimited, code="too_many_calls"):
    """A payer made as many calls in a minute as the operator and the payer's staking level allow."""


class SampleNotOffered(NotFound, code="sample_not_offered"):
    """Every call of the service is paid."""


class SampleUsedUp(RateLimited, code="sample_used_up"):
    """A visitor has made all free calls of a service that one visitor gets in a day."""


class SamplesAllGiven(RateLimited, code="samples_all_given"):
    """Visitors have made all free calls of a service that there are in a day."""


class SampleTooLong(Invalid, code="sample_too_long"):
    """A free call whose input leaves no room for an answer."""

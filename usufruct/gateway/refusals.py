"""What refusals of services, receipts and calls say to a reader of a page; servers' faults say it to sellers too."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("paused_listing", "This service is paused by its seller. Nothing was charged; try again later."),
    RefusalText("sample_not_offered", "This service has no free sample. Go on with an API key."),
    RefusalText("sample_used_up", "You have used today's free calls. Go on with an account, or try again tomorrow."),
    RefusalText(
        "samples_all_given",
        "Visitors have used all of today's free calls. Go on with an account, or try again tomorrow.",
    ),
    RefusalText("too_many_calls", "You made as many calls as you may in a minute. Try again in a minute."),
    RefusalText("sample_too_long", "That is too long for a free call. Send less."),
    RefusalText("invalid_search", "The search cannot be like that. Check its filters."),
    RefusalText("receipt_not_found", "There is no such receipt here."),
    RefusalText("receipt_contradicted", "The receipt cannot be shown: it is not the one that was signed. Report it."),
    RefusalText("invalid_request", "The request is not complete. Reload the page and try again."),
    RefusalText("unsupported_content", "Only text can be sent to this service."),
    RefusalText("unpaid_body_too_large", "That is too long without a deposit. Deposit first, or send less."),
    RefusalText("invalid_configuration", "What the shareholders decided cannot be served now. Try again later."),
    RefusalText("wrong_endpoint", "This service does not answer that kind of question."),
    RefusalText("unmeasured_unit", "This service cannot be called now. Its seller has to change its price."),
    RefusalText("stale_quote", "The price was asked for too long ago. Ask again."),
    RefusalText("counting_busy", "Too much long text is being read now. Try again in a minute."),
    RefusalText("incomplete_answer", "The answer broke off. What arrived is charged; try again."),
    RefusalText("invalid_choice", "This cannot be chosen."),
    RefusalText("invalid_upstream", "This is not the address of a server. It begins with http:// or https://."),
    RefusalText("upstream_address_refused", "The server is in a network that services may not use."),
    RefusalText("upstream_down", "The model's server cannot be reached."),
    RefusalText("upstream_slow", "The model's server takes too long. Try again."),
    RefusalText("upstream_cut", "The model's server broke off its answer. Try again."),
    RefusalText("upstream_malformed", "The model's server does not speak the OpenAI format."),
    RefusalText("upstream_empty", "The model's server gave an empty answer. Try again."),
    RefusalText("upstream_oversized", "The model's server answered with more than was asked for."),
    RefusalText("upstream_rejected", "The model's server does not take this request."),
    RefusalText("upstream_denied", "The model's server does not take the seller's key."),
    RefusalText("upstream_busy", "The model's server is busy. Try again in a minute."),
    RefusalText("upstream_failed", "The model's server failed. Try again."),
)
